/** The authorization endpoint (RFC 6749 3.1), asked by the site's own front-end. */

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

/** The answer; errors go to the application's address where it is known. @throws OAuthError */
export async function authorize(ctx: Context): Promise<Authorized> {
  const given = await readParameters(ctx);
  checkProvisionKey(ctx, given);
  if (given.authenticated_userid === undefined) {
    const text = 'Missing authenticated_userid parameter';
    throw new OAuthError('invalid_authenticated_userid', text);
  }
  const { client_id: id } = given;
  const credential =
    id === undefined ? null : ctx.entities.find('oauth2_credentials', 'client_id', id);
  if (!credential) throw unknownClient(false);
  const redirect = redirectOf(credential, given) ?? '';
  const isImplicit = given.response_type === 'token';
  try {
    const values = isImplicit ? implicit(ctx, given) : code(ctx, given);
    return { status: 200, body: { redirect_uri: withValues(redirect, values, given, isImplicit) } };
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    const values = { error: error.error, error_description: error.message };
    return { status: 400, body: { redirect_uri: withValues(redirect, values, given, isImplicit) } };
  }
}

function withValues(
  redirect: string,
  values: Readonly<Record<string, unknown>>,
  { state }: Parameters,
  isFragment: boolean,
): string {
  const url = new URL(redirect);
  const target = isFragment ? new URLSearchParams() : url.searchParams;
  const all = state === undefined ? values : { ...values, state };
  for (const [name, value] of Object.entries(all)) target.set(name, String(value));
  if (isFragment) url.hash = target.toString();
  return url.href;
}

function implicit(ctx: Context, given: Parameters): Record<string, unknown> {
  if (!ctx.config.enable_implicit_grant) throw unsupported();
  const facts = {
    scope: scopeOf(ctx, given),
    userId: given.authenticated_userid ?? null,
    canRefresh: false,
  };
  return { ...newToken(ctx, clientOf(ctx, given), facts) };
}

function code(ctx: Context, given: Parameters): Record<string, unknown> {
  if (given.response_type !== 'code' || !ctx.config.enable_authorization_code) throw unsupported();
  const { credential } = clientOf(ctx, given);
  const challenge = challengeOf(ctx, given, credential.client_type === 'public');
  const made = {
    code: randomText(),
    credential,
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
  const isNeeded = config.pkce === 'strict' || (config.pkce === 'lax' && isPublic);
  const bad = (text: string) => new OAuthError('invalid_request', text);
  if (challenge === undefined) {
    if (!isNeeded) return null;
    throw bad(`code_challenge is required for ${isPublic ? 'public' : 'confidential'} clients`);
  }
  if (method !== 'S256') throw bad('code_challenge_method is not supported, must be S256');
  return challenge;
}

const unsupported = () => new OAuthError('unsupported_response_type', 'Invalid response_type');

function clientOf(ctx: Context, given: Parameters) {
  const credential = ctx.entities.find('oauth2_credentials', 'client_id', given.client_id ?? '');
  if (!credential) throw unknownClient(false);
  return { credential, redirectUri: null };
}
