/** Kong's cors: answers preflight requests, says which origins may read answers (Fetch 3.2). */
import type { AccessContext, HeaderFilterContext } from '../../context-types.js';
import { definePlugin } from '../../define.js';
import type { Infer } from '../../schema.js';
import { type AllowedOrigins, allowedOrigins, originPattern } from './origins.js';

const methods = [
  'GET',
  'HEAD',
  'PUT',
  'PATCH',
  'POST',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
] as const;

const names = { type: 'array', elements: { type: 'string' } } as const;

const fields = {
  origins: {
    type: 'array',
    elements: { type: 'string', check: originFault },
    description: 'Origins, hosts or patterns; absent or `*`: every origin.',
  },
  headers: { ...names, description: 'Access-Control-Allow-Headers.' },
  exposed_headers: { ...names, description: 'Access-Control-Expose-Headers.' },
  methods: {
    type: 'array',
    elements: { type: 'string', one_of: methods },
    default: [...methods],
    description: 'Access-Control-Allow-Methods.',
  },
  max_age: { type: 'number', description: 'Seconds that a preflight answer may be kept.' },
  credentials: { type: 'boolean', required: true, default: false },
  private_network: { type: 'boolean', required: true, default: false },
  preflight_continue: {
    type: 'boolean',
    required: true,
    default: false,
    description: 'Let the upstream answer preflight requests.',
  },
  allow_origin_absent: {
    type: 'boolean',
    required: true,
    default: true,
    description: 'Add the headers also where the request names no origin.',
  },
} as const;

type Config = Infer<typeof fields>;

export default definePlugin({
  name: 'cors',
  version: '3.10.0',
  priority: 2000,
  schema: { fields, scopes: ['service', 'route', 'global'] },
  access(ctx) {
    if (ctx.request.method !== 'OPTIONS') return;
    if (!ctx.request.header('origin')) return;
    if (!ctx.request.header('access-control-request-method')) return;
    // What this plugin would add to an ordinary answer is not for this one.
    ctx.plugin.isPreflight = true;
    if (ctx.config.preflight_continue) return;
    answerPreflight(ctx);
  },
  headerFilter(ctx) {
    if (ctx.plugin.isPreflight) return;
    const { config, request, response } = ctx;
    const origin = request.header('origin');
    if (origin === null && !config.allow_origin_absent) return;
    allowOrigin(ctx, origin);
    const exposed = config.exposed_headers;
    if (exposed && exposed.length > 0) {
      response.setHeader('Access-Control-Expose-Headers', exposed.join(','));
    }
  },
});

function originFault(entry: string): string | undefined {
  if (entry === '*') return undefined;
  try {
    originPattern(entry);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function answerPreflight(ctx: AccessContext<Config>): void {
  const { config, request, response } = ctx;
  allowOrigin(ctx, request.header('origin'));
  const set = (name: string, value: string | null | undefined) =>
    value ? response.setHeader(`Access-Control-${name}`, value) : undefined;
  const listed = config.headers && config.headers.length > 0 ? config.headers.join(',') : null;
  set('Allow-Headers', listed ?? request.header('access-control-request-headers'));
  set('Allow-Methods', (config.methods ?? methods).join(','));
  set('Max-Age', config.max_age === null ? null : String(config.max_age));
  const asked = request.header('access-control-request-private-network') === 'true';
  set('Allow-Private-Network', config.private_network && asked ? 'true' : null);
  response.exit(200, null, { 'Content-Length': '0' });
}

/** Access-Control-Allow-Origin and what goes with it. */
function allowOrigin(
  ctx: AccessContext<Config> | HeaderFilterContext<Config>,
  origin: string | null,
): void {
  const { config, response } = ctx;
  const allowed = allowedOrigins(config.origins);
  // Nothing of an upstream is there to keep in an answer to a preflight request.
  const vary = () =>
    ctx.plugin.isPreflight
      ? response.setHeader('Vary', 'Origin')
      : response.addHeader('Vary', 'Origin');
  if (allowed.varies) vary();
  const value = allowedValue(allowed, origin);
  if (value === null) response.removeHeader('Access-Control-Allow-Origin');
  else response.setHeader('Access-Control-Allow-Origin', value);
  if (!config.credentials) return;
  if (value === '*') {
    // Credentials exclude the star (Fetch 3.2.5): the origin itself is allowed.
    if (origin === null) return;
    vary();
    response.setHeader('Access-Control-Allow-Origin', origin);
  }
  response.setHeader('Access-Control-Allow-Credentials', 'true');
}

/** Null: none; where several are listed, a request without origin gets none. */
function allowedValue(allowed: AllowedOrigins, origin: string | null): string | null {
  if (allowed.single !== null) return allowed.single;
  if (allowed.any) return origin === null && allowed.varies ? null : '*';
  return origin === null ? null : allowed.match(origin);
}
