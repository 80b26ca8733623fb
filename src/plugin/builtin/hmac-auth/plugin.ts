/** Kong's hmac-auth: clients sign parts of the request with a shared secret. */
import type { HmacAuthCredential } from '../../../config/model.js';
import type { AccessContext } from '../../context-types.js';
import { definePlugin } from '../../define.js';
import type { Infer } from '../../schema.js';
import { challenge, identify, isSettled, refuse } from '../shared/identity.js';
import {
  type HmacParameters,
  isDigest,
  isSignature,
  readParameters,
  signingText,
} from './signature.js';

const algorithms = ['hmac-sha1', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const;

const fields = {
  hide_credentials: { type: 'boolean', required: true, default: false },
  clock_skew: { type: 'number', gt: 0, default: 300, description: 'Seconds that Date may differ.' },
  anonymous: { type: 'string', description: 'Id or username of whom unsigned requests are.' },
  validate_request_body: {
    type: 'boolean',
    required: true,
    default: false,
    description: 'Whether the Digest header must fit the body.',
  },
  enforce_headers: {
    type: 'array',
    elements: { type: 'string' },
    default: [],
    description: 'Names that must be among the signed ones.',
  },
  algorithms: {
    type: 'array',
    elements: { type: 'string', one_of: algorithms },
    default: [...algorithms],
  },
  realm: { type: 'string', description: 'Realm of the challenge.' },
} as const;

type Context = AccessContext<Infer<typeof fields>>;

const wrong = 'HMAC signature does not match';
const unverifiable = 'HMAC signature cannot be verified';
const dateWanted = 'a valid date or x-date header is required for HMAC Authentication';
const badDate = `${unverifiable}, ${dateWanted}`;

export default definePlugin({
  name: 'hmac-auth',
  version: '3.10.0',
  priority: 1030,
  schema: { fields, scopes: ['service', 'route', 'global'] },
  access(ctx) {
    if (isSettled(ctx)) return;
    const outcome = verify(ctx);
    if (typeof outcome === 'string') return refuseWith(ctx, outcome);
    if (!ctx.config.validate_request_body) return accept(ctx, outcome);
    return checkBody(ctx, outcome);
  },
});

async function checkBody(ctx: Context, credential: HmacAuthCredential): Promise<void> {
  const body = await ctx.request.body();
  if (isDigest(ctx.request.header('digest'), body)) accept(ctx, credential);
  else refuseWith(ctx, wrong);
}

function accept(ctx: Context, credential: HmacAuthCredential): void {
  identify(ctx, credential.consumer, credential, credential.username);
}

function refuseWith(ctx: Context, text: string): void {
  refuse(ctx, { status: 401, body: text, headers: challenge('hmac', ctx.config.realm) });
}

/** The credential whose secret signed the head, or the text of the refusal. */
function verify(ctx: Context): HmacAuthCredential | string {
  const { request } = ctx;
  const names = ['proxy-authorization', 'authorization'];
  const values = names.map((name) => request.header(name));
  if (values.every((value) => value === null)) return 'Unauthorized';
  const given = parametersOf(ctx, names, values);
  const skew = ctx.config.clock_skew ?? 300;
  if (!isRecent(request.header('x-date'), skew) && !isRecent(request.header('date'), skew)) {
    return badDate;
  }
  const credential = given && isAcceptable(ctx, given) ? credentialOf(ctx, given) : null;
  if (!given || !credential) return unverifiable;
  const text = signingText(request, given.headers);
  return isSignature(given.signature, text, given.algorithm, credential.secret)
    ? credential
    : wrong;
}

function parametersOf(
  ctx: Context,
  names: readonly string[],
  values: readonly (string | null)[],
): HmacParameters | null {
  for (const [i, value] of values.entries()) {
    const parameters = value === null ? null : readParameters(value);
    if (!parameters) continue;
    if (ctx.config.hide_credentials) ctx.service.request.removeHeader(names[i]);
    return parameters;
  }
  return null;
}

function isAcceptable({ config }: Context, given: HmacParameters): boolean {
  const enforced = config.enforce_headers ?? [];
  const allowed: readonly string[] = config.algorithms ?? algorithms;
  return (
    enforced.every((name) => given.headers.includes(name)) && allowed.includes(given.algorithm)
  );
}

const credentialOf = ({ entities }: Context, { username }: HmacParameters) =>
  entities.find('hmacauth_credentials', 'username', username);

function isRecent(date: string | null, skewSeconds: number): boolean {
  if (date === null) return false;
  // Of the three forms of RFC 9110 5.6.7 the one of asctime() names no zone.
  const isAsctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/.test(date);
  if (!isAsctime && !date.endsWith(' GMT')) return false;
  const ms = Date.parse(isAsctime ? `${date} GMT` : date);
  return !Number.isNaN(ms) && Math.abs(Date.now() - ms) <= skewSeconds * 1000;
}
