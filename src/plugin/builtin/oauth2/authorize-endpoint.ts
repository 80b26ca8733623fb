/** The authorization endpoint (RFC 6749 3.1), asked by the site's own front-end. */
import type { OAuth2Credential } from '../../../config/model.js';
import {
  OAuthError,
  type Parameters,
  readParameters,
  redirectOf,
  scopeOf,
  unknownClient,
} from './parameters.js';
import type { Context } from './plugin.js';
import { addCode, randomText } from './store.js';
import { checkProvisionKey, newToken, serviceOf } from './token-endpoint.js';

/** Codes are good for five minutes. */
const codeMs = 300_000;

export interface Authorized {
  readonly status: number;
  readonly body: object;
}

/**
 * The answer. Once the application is known errors are told to its address, an address that is not
 * its own to its first one.
 * @throws OAuthError
 */
export async function authorize(ctx: Context): Promise<Authorized> {
  const given = await readParameters(ctx);
  checkProvisionKey(ctx, given);
  if (!given.authenticated_userid?.trim()) {
    const text = 'Missing authenticated_userid parameter';
    throw new OAuthError('invalid_authenticated_userid', text);
  }
  const { client_id: id } = given;
  const credential =
    id === undefined ? null : ctx.entities.find('oauth2_credentials', 'client_id', id);
  const [first] = credential?.redirect_uris ?? [];
  if (!credential || first === undefined) throw unknownClient(false);
  const fault = faultOf(ctx, given, credential);
  const isOwn = credential.redirect_uris?.includes(given.redirect_uri ?? first) === true;
  const redirect = isOwn ? (given.redirect_uri ?? first) : first;
  const { state } = given;
  if (fault) {
    const values = { error: fault.error, error_description: fault.message, state };
    return { status: 400, body: { redirect_uri: withValues(redirect, values, false) } };
  }
  const isImplicit = given.response_type === 'token';
  const values = isImplicit ? implicit(ctx, given, credential) : code(ctx, given, credential);
  const uri = withValues(redirect, { ...values, state }, isImplicit);
  return { status: 200, body: { redirect_uri: uri } };
}

/** What is wrong with a request of a known application; of several faults the last of these. */
function faultOf(ctx: Context, given: Parameters, credential: OAuth2Credential): OAuthError | null {
  const checks = [
    () => checkResponseType(ctx, given),
    () => scopeOf(ctx, given),
    () => redirectOf(credential, given),
    () => challengeOf(ctx, given, credential.client_type === 'public'),
  ];
  let fault: OAuthError | null = null;
  for (const check of checks) {
    try {
      check();
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      fault = error;
    }
  }
  return fault;
}

function checkResponseType({ config }: Context, { response_type: type }: Parameters): void {
  const isEnabled =
    (type === 'code' && config.enable_authorization_code) ||
    (type === 'token' && config.enable_implicit_grant);
  if (!isEnabled) throw new OAuthError('unsupported_response_type', 'Invalid response_type');
}

/** An address with values in its query or fragment, sorted by name; the rest stays as written. */
function withValues(
  redirect: string,
  values: Readonly<Record<string, unknown>>,
  isFragment: boolean,
): string {
  const [, base = '', query = '', fragment = ''] =
    /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(redirect) ?? [];
  const all: Record<string, unknown> = Object.fromEntries(
    new URLSearchParams(isFragment ? fragment : query),
  );
  for (const [name, value] of Object.entries(values)) if (value !== undefined) all[name] = value;
  const text = Object.keys(all)
    .sort()
    .map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(String(all[name]))}`)
    .join('&');
  if (isFragment) return `${base}${query === '' ? '' : `?${query}`}#${text}`;
  return `${base}?${text}${fragment === '' ? '' : `#${fragment}`}`;
}

function implicit(
  ctx: Context,
  given: Parameters,
  credential: OAuth2Credential,
): Record<string, unknown> {
  const facts = {
    scope: scopeOf(ctx, given),
    userId: given.authenticated_userid ?? null,
    canRefresh: false,
  };
  return { ...newToken(ctx, { credential, redirectUri: null }, facts) };
}

function code(
  ctx: Context,
  given: Parameters,
  credential: OAuth2Credential,
): Record<string, unknown> {
  const challenge = challengeOf(ctx, given, credential.client_type === 'public');
  const made = {
    code: randomText(),
    credentialId: credential.id,
    serviceId: serviceOf(ctx),
    scope: scopeOf(ctx, given),
    userId: given.authenticated_userid ?? null,
    challenge,
    pluginId: ctx.instance.id,
    untilMs: Date.now() + codeMs,
  };
  addCode(made);
  return { code: made.code };
}

function challengeOf({ config }: Context, given: Parameters, isPublic: boolean): string | null {
  const { code_challenge: challenge, code_challenge_method: method } = given;
  const isNeeded =
    given.response_type === 'code' &&
    (config.pkce === 'strict' || (config.pkce === 'lax' && isPublic));
  const bad = (text: string) => new OAuthError('invalid_request', text);
  if (challenge === undefined) {
    if (method !== undefined) throw bad('code_challenge is required when code_method is present');
    if (!isNeeded) return null;
    throw bad(`code_challenge is required for ${isPublic ? 'public' : 'confidential'} clients`);
  }
  if (method !== undefined && method.toUpperCase() !== 'S256') {
    throw bad('code_challenge_method is not supported, must be S256');
  }
  return challenge;
}
