/** Kong's response-ratelimiting: limits on what the upstream says that a request cost. */
import type { AccessContext, HeaderFilterContext } from '../../context-types.js';
import { definePlugin } from '../../define.js';
import type { Infer } from '../../schema.js';
import { type Asked, countLocally, localUsage, redisUsage } from '../rate-limiting/stores.js';
import type { Usage } from '../rate-limiting/windows.js';
import { costsOf } from './costs.js';
import { type fields, schema } from './schema.js';

type Config = Infer<typeof fields>;
type Context = AccessContext<Config>;

const nowhere = '00000000-0000-0000-0000-000000000000';

/** One limit of the configuration, and what was used of it before this request. */
interface Spent {
  readonly name: string;
  readonly asked: Asked;
  readonly usages: readonly Usage[];
}

export default definePlugin({
  name: 'response-ratelimiting',
  version: '3.10.0',
  priority: 900,
  schema,
  access(ctx) {
    const questions = questionsOf(ctx);
    if (ctx.config.policy === 'redis') return askRedis(ctx, questions);
    admit(
      ctx,
      questions.map(({ name, asked }) => ({ name, asked, usages: localUsage(asked) })),
    );
  },
  headerFilter(ctx) {
    const spent = ctx.plugin.spent as readonly Spent[] | undefined;
    if (!spent) return;
    const { config, response } = ctx;
    const costs = costsOf(ctx.service.response.header(config.header_name ?? ''), config.limits);
    const headers: Record<string, string | null> = { [config.header_name ?? '']: null };
    let isOver = false;
    for (const { name, usages } of spent) {
      const cost = costs[name] ?? 0;
      for (const { period, limit, used } of usages) {
        const suffix = `${name}-${period}`;
        if (cost > 0 && limit - used <= 0) isOver = true;
        headers[`X-RateLimit-Limit-${suffix}`] = String(limit);
        headers[`X-RateLimit-Remaining-${suffix}`] = String(Math.max(0, limit - used - cost));
      }
    }
    if (config.hide_client_headers) response.removeHeader(config.header_name ?? '');
    else response.setHeaders(headers);
    if (isOver) response.exit(429);
    else for (const one of spent) count(ctx, one, costs[one.name] ?? 0);
  },
});

function questionsOf({ config, client, instance }: Context): { name: string; asked: Asked }[] {
  const place = `${instance.routeId ?? nowhere}:${instance.serviceId ?? nowhere}`;
  let who: string | null | undefined;
  if (config.limit_by === 'consumer') who = client.consumer?.id ?? client.credential?.id;
  else if (config.limit_by === 'credential') who = client.credential?.id;
  const now = Date.now() / 1000;
  return Object.entries(config.limits).map(([name, limits]) => {
    const subject = `response:${place}:${who || client.ip}:${name}`;
    return { name, asked: { subject, limits, isSliding: false, now } };
  });
}

async function askRedis(ctx: Context, questions: ReturnType<typeof questionsOf>): Promise<void> {
  try {
    const { redis } = ctx.config;
    const answers = questions.map(async ({ name, asked }) => {
      return { name, asked, usages: await redisUsage(redis, asked, 0) };
    });
    admit(ctx, await Promise.all(answers));
  } catch (error) {
    ctx.log.error(`failed to get usage: ${(error as Error).message}`);
    if (!ctx.config.fault_tolerant) ctx.response.error(500);
  }
}

/** Tells the upstream what is left, or refuses. */
function admit(ctx: Context, spent: readonly Spent[]): void {
  for (const { name, usages } of spent) {
    const left = Math.min(...usages.map(({ limit, used }) => limit - used));
    if (ctx.config.block_on_first_violation && left <= 0) {
      return ctx.response.error(429, `API rate limit exceeded for '${name}'`);
    }
    if (usages.length > 0) {
      ctx.service.request.setHeader(`X-RateLimit-Remaining-${name}`, String(left));
    }
  }
  ctx.plugin.spent = spent;
}

/** The answer does not wait for Redis. */
function count(ctx: HeaderFilterContext<Config>, { asked }: Spent, cost: number): void {
  if (cost === 0) return;
  const { config, log } = ctx;
  if (config.policy !== 'redis') return countLocally(asked, cost);
  redisUsage(config.redis, asked, cost).catch((error: Error) => {
    log.error(`failed to count: ${error.message}`);
  });
}
