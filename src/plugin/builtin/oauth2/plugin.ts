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
import { issueToken, serviceOf } from './token-endpoint.js';

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
    const inHead = tokenOfHeader(request.header(config.auth_header_name ?? 'authorization'));
    if (inHead === null && request.method !== 'GET') return accessWithBody(ctx);
    const text = inHead ?? request.query('access_token');
    if (text !== null && config.hide_credentials) hide(ctx, inHead !== null);
    decide(ctx, text);
  },
});

async function answer(ctx: Context, asked: 'token' | 'authorize'): Promise<void> {
  const { request, response } = ctx;
  const name = asked === 'token' ? 'token' : 'authorization';
  if (request.method !== 'POST') {
    const text = `The HTTP method ${request.method} is invalid for the ${name} endpoint`;
    return response.exit(405, { error: 'invalid_method', error_description: text }, noStore);
  }
  try {
    if (ctx.client.protocol(ctx.config.accept_http_if_already_terminated) !== 'https') {
      throw new OAuthError('access_denied', 'You must use HTTPS');
    }
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

async function accessWithBody(ctx: Context): Promise<void> {
  const inQuery = ctx.request.query('access_token');
  const body = inQuery === null ? await readBodyArguments(ctx) : null;
  const inBody = body?.values.access_token;
  const text = inQuery ?? (typeof inBody === 'string' ? inBody : null);
  if (text !== null && ctx.config.hide_credentials) {
    hide(ctx, false);
    if (inQuery === null) body?.remove('access_token');
  }
  decide(ctx, text);
}

/** `Bearer x`, `token x`, or one word. */
function tokenOfHeader(value: string | null): string | null {
  const words = value?.trim().split(/\s+/) ?? [];
  if (words.length === 1 && words[0] !== '') return words[0];
  return words.length === 2 && /^(?:bearer|token)$/i.test(words[0]) ? words[1] : null;
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
    return refuseToken(ctx, 'invalid_request', 'The access token is missing', '');
  }
  const grant = grantOf(ctx, text);
  if (!grant) {
    const description = 'The access token is invalid or has expired';
    const detail = `error="invalid_token", error_description="${description}"`;
    return refuseToken(ctx, 'invalid_token', description, detail);
  }
  const { credential, scope, userId } = grant;
  identify(ctx, credential.consumer, credential, credential.client_id);
  ctx.service.request.setHeaders({
    'X-Authenticated-Scope': scope,
    'X-Authenticated-Userid': userId,
  });
}

function refuseToken(ctx: Context, error: string, description: string, detail: string): void {
  const realm = ctx.config.realm ? `realm="${ctx.config.realm}"` : '';
  const rest = [realm, detail].filter((part) => part !== '').join(', ');
  const headers = { 'WWW-Authenticate': rest === '' ? 'Bearer' : `Bearer ${rest}` };
  // An anonymous client must not claim either.
  ctx.service.request.setHeaders({ 'X-Authenticated-Scope': null, 'X-Authenticated-Userid': null });
  refuse(ctx, { status: 401, body: { error, error_description: description }, headers });
}

/** A token issued here, or one of the configuration; of this service. */
function grantOf(ctx: Context, text: string): Grant | null {
  const service = serviceOf(ctx);
  const issued = findToken(text, Date.now());
  if (issued) return issued.serviceId === service || issued.serviceId === null ? issued : null;
  const declared = ctx.entities.find('oauth2_tokens', 'access_token', text);
  if (!declared) return null;
  const { expires_in: seconds, created_at: createdAt, credential, scope } = declared;
  if (seconds > 0 && (createdAt + seconds) * 1000 <= Date.now()) return null;
  if (declared.service && service !== null && declared.service.id !== service) return null;
  return { credential, scope, userId: declared.authenticated_userid };
}
