/**
 * Chooses where a request goes by a claim of its token: another upstream, another path, headers. It
 * believes tokens that the jwt plugin has verified, and others only where it is told to.
 */
import type { AccessContext } from '../context-types.js';
import { definePlugin } from '../define.js';
import type { Infer } from '../schema.js';
import { readToken } from './jwt/token.js';

const destination = {
  host: { type: 'string', format: 'host', description: 'Upstream host instead of the service.' },
  port: { type: 'integer', between: [1, 65_535], default: 80 },
  path: { type: 'string', starts_with: '/', description: 'Path for the upstream.' },
  headers: {
    type: 'map',
    keys: { type: 'string', format: 'header_name' },
    values: { type: 'string', len_min: 0 },
    description: 'Headers set on the upstream request.',
  },
} as const;

const fields = {
  claim: {
    type: 'string',
    required: true,
    description: 'Name of the claim; dots lead into objects, as in `org.tenant`.',
  },
  rules: {
    type: 'array',
    required: true,
    elements: {
      type: 'record',
      fields: {
        value: { type: 'string', required: true, description: 'What the claim is, or contains.' },
        ...destination,
      },
    },
    default: [],
    description: 'The first rule whose value fits is carried out.',
  },
  otherwise: {
    type: 'string',
    required: true,
    default: 'pass',
    one_of: ['pass', 'refuse'],
    description: 'What happens where no rule fits: the route as it is, or an error.',
  },
  status_code: { type: 'integer', default: 403, between: [400, 599] },
  claim_header: {
    type: 'string',
    format: 'header_name',
    description: 'Upstream header that gets the claim; what the client sent there is removed.',
  },
  allow_unverified: {
    type: 'boolean',
    required: true,
    default: false,
    description: 'Believe `Authorization: Bearer` also where no jwt plugin has verified it.',
  },
} as const;

type Config = Infer<typeof fields>;
type Context = AccessContext<Config>;

export default definePlugin({
  name: 'route-by-claim',
  version: '1.0.0',
  priority: 790,
  schema: { fields, scopes: ['consumer', 'service', 'route', 'global'] },
  access(ctx) {
    const { config, service } = ctx;
    const values = claimOf(ctx);
    if (config.claim_header) {
      const text = values.join(', ');
      // Control characters, or what is not ASCII, must not get into a header.
      const isSafe = /^[\x20-\x7e]+$/.test(text);
      service.request.setHeaders({ [config.claim_header]: isSafe ? text : null });
    }
    const rule = config.rules.find(({ value }) => values.includes(value));
    if (!rule) {
      if (config.otherwise === 'refuse') ctx.response.error(config.status_code ?? 403);
      return;
    }
    if (rule.host) service.setTarget(rule.host, rule.port ?? 80);
    if (rule.path) service.request.setPath(rule.path);
    if (rule.headers) service.request.setHeaders(rule.headers);
  },
});

/** The claim as texts; several where it is a list, none where it is absent. */
function claimOf(ctx: Context): string[] {
  const text = tokenOf(ctx);
  const token = text === null ? null : readToken(text);
  if (token === null || typeof token === 'string') return [];
  let value: unknown = token.claims;
  for (const name of [ctx.config.claim, ...ctx.config.claim.split('.')]) {
    if (typeof value !== 'object' || value === null) return [];
    if (!Object.hasOwn(value, name)) {
      // The whole name stands first: claims may have dots in them.
      if (name === ctx.config.claim && name.includes('.')) continue;
      return [];
    }
    value = (value as Record<string, unknown>)[name];
    if (name === ctx.config.claim) break;
  }
  return (Array.isArray(value) ? value : [value])
    .filter((one) => ['string', 'number', 'boolean'].includes(typeof one))
    .map(String);
}

function tokenOf({ config, shared, request }: Context): string | null {
  const verified = shared.authenticated_jwt_token;
  if (typeof verified === 'string') return verified;
  if (!config.allow_unverified) return null;
  return /^\s*[Bb]earer\s+(\S+)\s*$/.exec(request.header('authorization') ?? '')?.[1] ?? null;
}
