/** Kong's oauth2: an authorization server in front of a service (RFC 6749, RFC 6750, RFC 7636). */
import type { OAuth2Credential } from '../../../config/model.js';
import type { AccessContext } from '../../context-types.js';
import { definePlugin } from '../../define.js';
import type { Infer } from '../../schema.js';
import { readBodyArguments } from '../shared/body-arguments.js';
import { identify, isSettled, refuse } from '../shared/identity.js';
import { authorize } from './authorize-endpoint.js';
import { OAuthError, readParameters } from './parameters.js';
import { type fields, schema } from './schema.js';
import { findToken } from './store.js';
import { issueToken } from './token-endpoint.js';

export type Context = AccessContext<Infer<typeof fields>>;

const noStore = { 'Cache-Control': 'no-store', Pragma: 'no-cache' } as const;
const endpoint = /\/oauth2\/(token|authorize)\/?$/;

export default definePlugin({
  name: 'oauth2',
  version: '3.10.0',
  priority: 1400,
  schema,
  access(ctx) {
    const asked = endpoint.exec(ctx.request.path)?.[1];
    if (asked === 'token' || asked === 'authorize') return answer(ctx, asked);
    if (isSettled(ctx)) return;
    const { config, request } = ctx;
    const header = request.header(config.auth_header_name ?? 'authorization');
    const carries = ['POST', 'PUT', 'PATCH'].includes(request.method);
    if (header === null && carries) return accessWithBody(ctx);
    const { text, isBearer } = header === null ? inQuery(ctx) : tokenOfHeader(header);
    if (text !== null && config.hide_credentials) hide(ctx, isBearer);
    decide(ctx, text);
  },
});

async function answer(ctx: Context, asked: 'token' | 'authorize'): Promise<void> {
  const { request, response } = ctx;
  const name = asked === 'token' ? 'token' : 'authorization';
  if (request.method !== 'POST') {
    const text = `The HTTP method ${request.method} is invalid for the ${name} endpoint`;
    const headers = challengeOf(ctx, 'invalid_method', text);
    return response.exit(405, { error: 'invalid_method', error_description: text }, headers);
  }
  try {
    checkHttps(ctx);
    if (asked === 'token') return response.exit(200, await issueToken(ctx), noStore);
    const { status, body } = await authorize(ctx);
    response.exit(status, body, noStore);
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    const { state } = await readParameters(ctx);
    const body = { error: error.error, error_description: error.message, state };
    response.exit(error.status, body, { ...noStore, ...error.headers });
  }
}

/** @throws OAuthError where neither the client nor a proxy that is trusted came by TLS */
function checkHttps({ config, request, ip, client }: Context): void {
  if (request.scheme === 'https') return;
  const denied = (text: string) => new OAuthError('access_denied', text);
  if (config.accept_http_if_already_terminated && ip.isTrusted(client.peerIp)) {
    const values = request.headerValues('x-forwarded-proto');
    if (values.length > 1) throw denied('Only one X-Forwarded-Proto header allowed');
    if (values[0]?.toLowerCase() === 'https') return;
  }
  throw denied('You must use HTTPS');
}

interface Found {
  readonly text: string | null;
  readonly isBearer: boolean;
}

function inQuery({ request }: Context): Found {
  const value = request.queryArguments(1000).access_token;
  return { text: typeof value === 'string' ? value : null, isBearer: false };
}

async function accessWithBody(ctx: Context): Promise<void> {
  const body = await readBodyArguments(ctx);
  const given = body.values.access_token;
  const text = given === undefined ? inQuery(ctx).text : given;
  if (typeof text === 'string' && ctx.config.hide_credentials) {
    hide(ctx, false);
    const type = ctx.request.header('content-type') ?? '';
    if (type.includes('application/x-www-form-urlencoded')) body.remove('access_token');
  }
  decide(ctx, typeof text === 'string' ? text : null);
}

/** `Bearer x` or `token x`; anything else is a token as it stands. */
function tokenOfHeader(value: string): Found {
  const words = value.trim().split(/\s+/);
  const isBearer = words.length === 2 && /^(?:bearer|token)$/i.test(words[0]);
  return { text: isBearer ? words[1] : value.trim(), isBearer };
}

function hide({ config, service }: Context, isInHead: boolean): void {
  if (isInHead) service.request.removeHeader(config.auth_header_name ?? 'authorization');
  else service.request.removeQueryArgument('access_token');
}

interface Grant {
  readonly credential: OAuth2Credential;
  readonly scope: string | null;
  readonly userId: string | null;
}

function decide(ctx: Context, text: string | null): void {
  if (text === null || text === '') {
    return refuseToken(ctx, 'invalid_request', 'The access token is missing', {
      'WWW-Authenticate': ctx.config.realm ? `Bearer realm="${ctx.config.realm}"` : 'Bearer',
    });
  }
  const grant = grantOf(ctx, text);
  if (grant === 'global') {
    const description =
      'The access token is global, but the current plugin is configured ' +
      "without 'global_credentials'";
    return ctx.response.exit(401, { error: 'invalid_token', error_description: description });
  }
  if (!grant) {
    const description = 'The access token is invalid or has expired';
    const headers = challengeOf(ctx, 'invalid_token', description);
    return refuseToken(ctx, 'invalid_token', description, headers);
  }
  const { credential, scope, userId } = grant;
  identify(ctx, credential.consumer, credential, credential.client_id);
  ctx.service.request.setHeaders({
    'X-Authenticated-Scope': scope,
    'X-Authenticated-Userid': userId,
  });
}

function challengeOf({ config }: Context, error: string, description: string) {
  const realm = config.realm ? `realm="${config.realm}", ` : '';
  const rest = `error="${error}", error_description="${description}"`;
  return { 'WWW-Authenticate': `Bearer ${realm}${rest}` };
}

function refuseToken(
  ctx: Context,
  error: string,
  description: string,
  headers: Readonly<Record<string, string>>,
): void {
  // An anonymous client must not claim either.
  ctx.service.request.setHeaders({ 'X-Authenticated-Scope': null, 'X-Authenticated-Userid': null });
  refuse(ctx, { status: 401, body: { error, error_description: description }, headers });
}

/** A token issued here, or one of the configuration; of this service, or a global one. */
function grantOf(ctx: Context, text: string): Grant | 'global' | null {
  const found = tokenOf(ctx, text);
  if (!found) return null;
  if (found.serviceId === null) return ctx.config.global_credentials ? found : 'global';
  return found.serviceId === ctx.router.service?.id ? found : null;
}

function tokenOf(ctx: Context, text: string): (Grant & { serviceId: string | null }) | null {
  const issued = findToken(text, Date.now());
  if (issued) {
    const credential = ctx.entities.find('oauth2_credentials', 'id', issued.credentialId);
    return credential && { ...issued, credential };
  }
  const declared = ctx.entities.find('oauth2_tokens', 'access_token', text);
  if (!declared) return null;
  const { expires_in: seconds, created_at: createdAt, credential, scope, service } = declared;
  if (seconds > 0 && (createdAt + seconds) * 1000 <= Date.now()) return null;
  const userId = declared.authenticated_userid;
  return { credential, scope, userId, serviceId: service?.id ?? null };
}
