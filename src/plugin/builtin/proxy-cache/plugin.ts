/** Kong's proxy-cache: answers of the upstream are kept and given again. */
import { limits } from '../../../limits.js';
import type { AccessContext, HeaderFilterContext } from '../../context-types.js';
import { definePlugin } from '../../define.js';
import type { Infer } from '../../schema.js';
import { ageOf, isAccepted, readDirectives, timeToLive } from './control.js';
import { cacheKey } from './key.js';
import { keepEverywhere, type Stored, storeOf } from './store.js';

const fields = {
  response_code: {
    type: 'array',
    required: true,
    len_min: 1,
    elements: { type: 'integer', between: [100, 900] },
    default: [200, 301, 404],
  },
  request_method: {
    type: 'array',
    required: true,
    elements: { type: 'string', one_of: ['HEAD', 'GET', 'POST', 'PATCH', 'PUT'] },
    default: ['GET', 'HEAD'],
  },
  content_type: {
    type: 'array',
    required: true,
    elements: { type: 'string' },
    default: ['text/plain', 'application/json'],
  },
  cache_ttl: { type: 'integer', gt: 0, default: 300, description: 'Seconds.' },
  strategy: { type: 'string', required: true, one_of: ['memory'] },
  cache_control: { type: 'boolean', required: true, default: false },
  ignore_uri_case: { type: 'boolean', default: false },
  storage_ttl: { type: 'integer', description: 'Seconds that answers are kept at most.' },
  memory: {
    type: 'record',
    fields: { dictionary_name: { type: 'string', required: true, default: 'kong_db_cache' } },
  },
  vary_query_params: { type: 'array', elements: { type: 'string' } },
  vary_headers: { type: 'array', elements: { type: 'string' } },
  response_headers: {
    type: 'record',
    fields: {
      age: { type: 'boolean', default: true },
      'X-Cache-Status': { type: 'boolean', default: true },
      'X-Cache-Key': { type: 'boolean', default: true },
    },
  },
} as const;

export type Config = Infer<typeof fields>;

/** What the request phases leave for those of the answer. */
interface Pending {
  readonly key: string;
  headers: Record<string, string | string[]> | null;
  ttl: number;
  readonly parts: Uint8Array[];
  bytes: number;
}

/** Fields that belong to one transfer, or are not true of a later one. */
const notKept = new RegExp(
  '^(?:connection|keep-alive|proxy-.*|te|trailers?|transfer-encoding|upgrade|content-length|via|' +
    '.*ratelimit-remaining.*|x-cache-(?:status|key)|age)$',
);

export default definePlugin({
  name: 'proxy-cache',
  version: '3.10.0',
  priority: 100,
  schema: {
    fields,
    scopes: ['consumer', 'service', 'route', 'global'],
    protocols: ['http', 'https', 'grpc', 'grpcs'],
  },
  access(ctx) {
    const { config, request } = ctx;
    const directives = readDirectives(request.header('cache-control'));
    if (!isCacheable(ctx, directives)) return mark(ctx, 'X-Cache-Status', 'Bypass');
    const key = cacheKey(ctx);
    mark(ctx, 'X-Cache-Key', key);
    const stored = storeOf(config.memory.dictionary_name).get(key, Date.now());
    if (!stored && config.cache_control && directives['only-if-cached']) {
      return ctx.response.exit(504);
    }
    if (stored && isUsable(config, stored, directives)) return serve(ctx, key, stored);
    mark(ctx, 'X-Cache-Status', stored ? 'Refresh' : 'Miss');
    ctx.plugin.pending = { key, headers: null, ttl: 0, parts: [], bytes: 0 };
  },
  headerFilter(ctx) {
    const pending = ctx.plugin.pending as Pending | undefined;
    if (!pending) return ctx.response.skipBodyFilter();
    const ttl = ttlOf(ctx);
    if (ttl === null) {
      ctx.plugin.pending = undefined;
      ctx.response.skipBodyFilter();
      return mark(ctx, 'X-Cache-Status', 'Bypass');
    }
    pending.headers = ctx.response.headers(1000);
    pending.ttl = ttl;
  },
  observesBody: true,
  bodyFilter(ctx, chunk, isLast) {
    const pending = ctx.plugin.pending as Pending | undefined;
    if (!pending?.headers) return undefined;
    pending.bytes += chunk.length;
    if (pending.bytes > limits.proxyCacheBodyBytes.value) ctx.plugin.pending = undefined;
    else if (chunk.length > 0) pending.parts.push(Uint8Array.from(chunk));
    if (isLast && ctx.plugin.pending) keep(ctx.config, ctx.response.status, pending);
    return undefined;
  },
});

function isCacheable({ config, request }: AccessContext<Config>, directives: object): boolean {
  if (!(config.request_method as readonly string[]).includes(request.method)) return false;
  return !config.cache_control || !('no-store' in directives || 'no-cache' in directives);
}

function isUsable(
  config: Config,
  stored: Stored,
  directives: ReturnType<typeof readDirectives>,
): boolean {
  const age = ageOf(stored, Date.now());
  if (config.cache_control) return isAccepted(directives, stored.ttl, age);
  return age <= (config.cache_ttl ?? 300);
}

/** The answer counts as the upstream's, so it has the headers of proxied answers. */
function serve(ctx: AccessContext<Config>, key: string, stored: Stored): void {
  const headers: Record<string, string | readonly string[]> = { ...stored.headers };
  const put = (name: Shown, value: string) => {
    if (isShown(ctx, name)) headers[name] = value;
  };
  put('age', String(ageOf(stored, Date.now())));
  put('X-Cache-Status', 'Hit');
  put('X-Cache-Key', key);
  const body = ctx.request.method === 'HEAD' ? null : stored.body;
  ctx.response.exit(stored.status, body, headers, { proxied: true });
}

type Shown = keyof Config['response_headers'];

/** A request with Kong-Debug sees all of them. */
const isShown = (
  { config, request }: AccessContext<Config> | HeaderFilterContext<Config>,
  name: Shown,
): boolean => config.response_headers[name] !== false || request.header('kong-debug') !== null;

function mark(
  ctx: AccessContext<Config> | HeaderFilterContext<Config>,
  name: Shown,
  value: string,
): void {
  if (isShown(ctx, name)) ctx.response.setHeader(name, value);
}

/** Seconds that the answer is fresh; null: it is not to be kept. */
function ttlOf({ config, response }: HeaderFilterContext<Config>): number | null {
  if (!config.response_code.includes(response.status)) return null;
  const type = response.header('content-type');
  if (!type || !config.content_type.some((listed) => isType(type, listed))) return null;
  if (!config.cache_control) return config.cache_ttl ?? 300;
  const directives = readDirectives(response.header('cache-control'));
  if (directives.private || directives['no-store'] || directives['no-cache']) return null;
  const ttl = timeToLive(directives, response.header('expires'), Date.now());
  return ttl > 0 ? ttl : null;
}

/** Type and subtype may be `*`; parameters must be the same. */
function isType(type: string, listed: string): boolean {
  const split = (text: string) =>
    text
      .toLowerCase()
      .split(';')
      .map((part) => part.trim());
  const [essence, ...given] = split(type);
  const [wanted, ...parameters] = split(listed);
  const [main, sub] = essence.split('/');
  const [wantedMain, wantedSub] = wanted.split('/');
  const fits = (a: string, b: string | undefined) => b === '*' || a === b;
  if (!fits(main, wantedMain) || !fits(sub, wantedSub)) return false;
  return given.sort().join(';') === parameters.sort().join(';');
}

function keep(config: Config, status: number, pending: Pending): void {
  const headers = Object.fromEntries(
    Object.entries(pending.headers ?? {}).filter(([name]) => !notKept.test(name)),
  );
  keepEverywhere(config.memory.dictionary_name, pending.key, {
    status,
    headers,
    body: Buffer.concat(pending.parts),
    storedAtMs: Date.now(),
    ttl: pending.ttl,
    keptSeconds: config.storage_ttl ?? pending.ttl,
  });
}
