/** Kong's jwt: a signed token says who the client is. */
import type { JwtSecret } from '../../../config/model.js';
import type { AccessContext } from '../../context-types.js';
import { definePlugin } from '../../define.js';
import type { Infer } from '../../schema.js';
import { readCookie } from '../shared/cookies.js';
import { identify, isSettled, type Refusal, refuse } from '../shared/identity.js';
import { claimFaults } from './claims.js';
import { readToken, type Token } from './token.js';
import { findVerified, keepVerified } from './verified.js';
import { isSigned, keyOf } from './verify.js';

const names = { type: 'set', elements: { type: 'string' } } as const;

const fields = {
  uri_param_names: { ...names, default: ['jwt'], description: 'Query arguments with a token.' },
  cookie_names: { ...names, default: [], description: 'Cookies with a token.' },
  header_names: { ...names, default: ['authorization'], description: 'Headers with a token.' },
  key_claim_name: { type: 'string', default: 'iss', description: 'Claim that names the key.' },
  secret_is_base64: { type: 'boolean', required: true, default: false },
  claims_to_verify: {
    type: 'set',
    elements: { type: 'string', one_of: ['exp', 'nbf'] },
    description: 'Claims that must be there and hold.',
  },
  anonymous: { type: 'string', description: 'Id or username of whom requests without token are.' },
  run_on_preflight: { type: 'boolean', required: true, default: true },
  maximum_expiration: {
    type: 'number',
    between: [0, 31_536_000],
    default: 0,
    description: 'Seconds from now that exp may lie ahead; 0: any.',
  },
  realm: { type: 'string', description: 'Realm of the challenge.' },
} as const;

type Config = Infer<typeof fields>;
type Context = AccessContext<Config>;

export default definePlugin({
  name: 'jwt',
  version: '3.10.0',
  priority: 1450,
  schema: {
    fields,
    scopes: ['service', 'route', 'global'],
    entity_checks: [
      {
        conditional: {
          if_field: 'maximum_expiration',
          if_match: { gt: 0 },
          then_field: 'claims_to_verify',
          then_match: { contains: 'exp' },
        },
      },
    ],
  },
  access(ctx) {
    if (!ctx.config.run_on_preflight && ctx.request.method === 'OPTIONS') return;
    if (isSettled(ctx)) return;
    const outcome = authenticate(ctx);
    if ('status' in outcome) return refuse(ctx, outcome);
    identify(ctx, outcome.credential.consumer, outcome.credential, outcome.credential.key);
    ctx.shared.authenticated_jwt_token = outcome.text;
  },
});

function authenticate(ctx: Context): { credential: JwtSecret; text: string } | Refusal {
  const { config } = ctx;
  const found = tokensOf(ctx);
  if (found.size === 0) {
    const headers = { 'WWW-Authenticate': withRealm(config.realm, null) };
    return { status: 401, body: { message: 'Unauthorized' }, headers };
  }
  if (found.size > 1) return invalid(config, 'Multiple tokens provided');
  const [text] = found;
  if (typeof text !== 'string') return invalid(config, 'Unrecognizable token');
  const verified = findVerified(text);
  const token = verified?.token ?? readToken(text);
  if (typeof token === 'string') return invalid(config, `Bad token; ${token}`);
  const credential = credentialOf(ctx, token);
  if (typeof credential === 'string') return invalid(config, credential);
  const { algorithm } = credential;
  if (token.header.alg !== algorithm) return invalid(config, 'Invalid algorithm');
  const key = keyOf(credential, config.secret_is_base64);
  if (!key) return invalid(config, 'Invalid key/secret');
  if (verified?.key !== key) {
    if (!isSigned(token, algorithm, key)) return invalid(config, 'Invalid signature');
    keepVerified(text, token, key);
  }
  const rules = {
    verify: config.claims_to_verify ?? [],
    maximumExpiration: config.maximum_expiration ?? 0,
  };
  const faults = claimFaults(token.claims, rules, Date.now() / 1000);
  return faults ? invalid(config, faults) : { credential, text };
}

/** Different tokens of all sources; `true` stands for an argument without value. */
function tokensOf(ctx: Context): Set<string | true> {
  const { config, request } = ctx;
  const tokens = new Set<string | true>();
  const args = request.rawQuery === '' ? {} : request.queryArguments(1000);
  for (const name of config.uri_param_names ?? []) {
    const value = args[name];
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== '') tokens.add(one);
    }
  }
  for (const name of config.cookie_names ?? []) {
    const value = readCookie(request.headerValues('cookie'), name);
    if (value) tokens.add(value);
  }
  for (const name of config.header_names ?? []) {
    const token = /[Bb]earer\s+(.+)/.exec(request.header(name) ?? '')?.[1];
    if (token) tokens.add(token);
  }
  return tokens;
}

/** The credential that the token names, or why there is none. */
function credentialOf({ config, entities }: Context, token: Token): JwtSecret | string {
  const name = config.key_claim_name ?? 'iss';
  const value = token.claims[name] ?? token.header[name];
  if (value === undefined || value === null) return `No mandatory '${name}' in claims`;
  if (value === '') return `Invalid '${name}' in claims`;
  const known = entities.find('jwt_secrets', 'key', String(value));
  return known ?? `No credentials found for given '${name}'`;
}

function invalid({ realm }: Config, why: string | Record<string, string>): Refusal {
  const body = typeof why === 'string' ? { message: why } : why;
  const headers = { 'WWW-Authenticate': withRealm(realm, 'error="invalid_token"') };
  return { status: 401, body, headers };
}

function withRealm(realm: string | null, rest: string | null): string {
  const parts = [realm ? `realm="${realm}"` : null, rest].filter((part) => part !== null);
  return parts.length === 0 ? 'Bearer' : `Bearer ${parts.join(', ')}`;
}
