/** Kong's rate-limiting: so many requests per period, for each consumer, address or the like. */
import type { AccessContext } from '../../context-types.js';
import { definePlugin } from '../../define.js';
import type { Infer } from '../../schema.js';
import { type fields, schema } from './schema.js';
import { type Asked, counterPlace, countLocally, localUsage, redisUsage } from './stores.js';
import { syncedUsage } from './sync.js';
import { judge, resetSeconds, type Usage, type Verdict } from './windows.js';

type Config = Infer<typeof fields>;
type Context = AccessContext<Config>;

export default definePlugin({
  name: 'rate-limiting',
  version: '3.10.0',
  priority: 910,
  schema,
  access(ctx) {
    const asked = question(ctx);
    if (ctx.config.policy !== 'redis') {
      const verdict = judge(localUsage(asked));
      if (!verdict.isRefused) countLocally(asked);
      return apply(ctx, verdict, asked.now);
    }
    return askRedis(ctx, asked);
  },
});

async function askRedis(ctx: Context, asked: Asked): Promise<void> {
  const { redis, sync_rate: rate } = ctx.config;
  let usages: readonly Usage[];
  try {
    usages = rate > 0 ? await syncedUsage(redis, asked, rate) : await redisUsage(redis, asked, 1);
  } catch (error) {
    const reason = (error as Error).message;
    ctx.log.error(`failed to get usage: ${reason}`);
    if (!ctx.config.fault_tolerant) ctx.response.error(500);
    return;
  }
  apply(ctx, judge(usages), asked.now);
}

function question(ctx: Context): Asked {
  const { config, instance } = ctx;
  const place = counterPlace(instance.routeId, instance.serviceId);
  return {
    subject: `${place}:${identifierOf(ctx)}`,
    limits: config,
    isSliding: config.window_type === 'sliding',
    now: Date.now() / 1000,
  };
}

/** Whose requests are counted together. */
function identifierOf(ctx: Context): string {
  const { config, client, request, router } = ctx;
  let identifier: string | null | undefined;
  switch (config.limit_by) {
    case 'service':
      identifier = router.service?.id;
      break;
    case 'consumer':
      identifier = client.consumer?.id ?? client.credential?.id;
      break;
    case 'credential':
      identifier = client.credential?.id;
      break;
    case 'header':
      identifier = request.header(config.header_name ?? '');
      break;
    case 'path':
      identifier = request.path === config.path ? request.path : null;
      break;
  }
  return identifier || client.ip;
}

/** Headers for the client, and the refusal. */
function apply(ctx: Context, verdict: Verdict, now: number): void {
  const { config, response } = ctx;
  const reset = resetSeconds(verdict.tightest.period, now);
  const headers: Record<string, string> = {};
  if (!config.hide_client_headers) {
    for (const { period, limit, remaining } of verdict.remaining) {
      const name = period[0].toUpperCase() + period.slice(1);
      headers[`X-RateLimit-Limit-${name}`] = String(limit);
      headers[`X-RateLimit-Remaining-${name}`] = String(Math.floor(remaining));
    }
    headers['RateLimit-Limit'] = String(verdict.tightest.limit);
    headers['RateLimit-Remaining'] = String(Math.floor(verdict.tightest.remaining));
    headers['RateLimit-Reset'] = String(reset);
  }
  if (!verdict.isRefused) return response.setHeaders(headers);
  if (!config.hide_client_headers) headers['Retry-After'] = String(reset);
  response.error(config.error_code ?? 429, config.error_message, headers);
}
