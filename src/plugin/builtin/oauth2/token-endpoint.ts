/** The token endpoint (RFC 6749 3.2): four grants and the refresh. */
import { createHash } from 'node:crypto';
import { sameText } from '../../../config/secret-hash.js';
import {
  authenticateClient,
  type Claimed,
  type Client,
  claimedClient,
  OAuthError,
  type Parameters,
  readParameters,
  scopeOf,
  unknownClient,
} from './parameters.js';
import type { Context } from './plugin.js';
import {
  addToken,
  type Code,
  findCode,
  findRefresh,
  isRedeemed,
  randomText,
  removeCode,
  removeToken,
  type Token,
} from './store.js';

/** The body of a good answer. @throws OAuthError */
export async function issueToken(ctx: Context): Promise<object> {
  const parameters = await readParameters(ctx);
  const { grant_type: grant, state } = parameters;
  const claimed = claimedClient(ctx, parameters);
  const isKnown = isEnabled(ctx, grant);
  const unsupported = new OAuthError('unsupported_grant_type', 'Invalid grant_type');
  // An unknown client is told so, whatever it asks for; one without address may be a machine.
  if (!isKnown && grant === 'client_credentials' && !claimed.credential) throw unsupported;
  if (isKnown && grant === 'client_credentials') checkUser(ctx, parameters, claimed);
  const client = authenticateClient(claimed, parameters);
  if (!isKnown) throw unsupported;
  const body = bodyFor(ctx, grant ?? '', parameters, client);
  return state === undefined ? body : { ...body, state };
}

/** Whoever names a user must have the provision key, also before it is known itself. */
function checkUser(ctx: Context, given: Parameters, { credential }: Claimed): void {
  if (!credential && given.authenticated_userid !== undefined) checkProvisionKey(ctx, given);
}

function isEnabled({ config }: Context, grant: string | undefined): boolean {
  switch (grant) {
    // There is nothing to redeem where no grant gave it.
    case 'authorization_code':
    case 'refresh_token':
      return true;
    case 'client_credentials':
      return config.enable_client_credentials;
    case 'password':
      return config.enable_password_grant;
    default:
      return false;
  }
}

function bodyFor(ctx: Context, grant: string, given: Parameters, client: Client): object {
  switch (grant) {
    case 'authorization_code':
      return byCode(ctx, given, client);
    case 'client_credentials':
      return byCredentials(ctx, given, client);
    case 'password':
      return byPassword(ctx, given, client);
    default:
      return byRefresh(ctx, given, client);
  }
}

function byCode(ctx: Context, given: Parameters, client: Client): object {
  const code = given.code === undefined ? null : codeOf(ctx, given.code);
  const isOfPlugin = code?.pluginId === null || code?.pluginId === ctx.instance.id;
  const isMine = isOfPlugin && code?.credentialId === client.credential.id;
  if (!code || !isMine) throw new OAuthError('invalid_request', 'Invalid code');
  if (code.serviceId !== serviceOf(ctx)) throw new OAuthError('invalid_request', 'Invalid code');
  checkVerifier(ctx, given.code_verifier, code.challenge, client);
  // It is good once.
  removeCode(code);
  return newToken(ctx, client, { scope: code.scope, userId: code.userId, canRefresh: true });
}

/** A code that was issued here, or one of the configuration that nobody has redeemed. */
function codeOf({ entities }: Context, text: string): Code | null {
  const issued = findCode(text, Date.now());
  if (issued) return issued;
  const declared = entities.find('oauth2_authorization_codes', 'code', text);
  if (!declared || isRedeemed(text)) return null;
  return {
    code: text,
    credentialId: declared.credential.id,
    serviceId: declared.service?.id ?? null,
    scope: declared.scope,
    userId: declared.authenticated_userid,
    challenge: declared.challenge,
    pluginId: declared.plugin?.id ?? null,
    untilMs: Number.POSITIVE_INFINITY,
  };
}

/** PKCE (RFC 7636 4.6), S256 only. */
function checkVerifier(
  { config }: Context,
  verifier: string | undefined,
  challenge: string | null,
  { credential }: Client,
): void {
  const isPublic = credential.client_type === 'public';
  const isNeeded = config.pkce === 'strict' || (config.pkce === 'lax' && isPublic);
  if (challenge === null && !isNeeded) return;
  const bad = (text: string) => new OAuthError('invalid_request', text);
  if (verifier === undefined) {
    throw bad('code_verifier is required for PKCE authorization requests');
  }
  if (verifier.length < 43 || verifier.length > 128) {
    throw bad('code_verifier must be between 43 and 128 characters');
  }
  const made = createHash('sha256').update(verifier).digest('base64url');
  if (challenge === null || !sameText(made, challenge.replace(/=+$/, ''))) {
    throw new OAuthError('invalid_grant', 'Invalid code');
  }
}

function byCredentials(ctx: Context, given: Parameters, client: Client): object {
  if (given.authenticated_userid !== undefined) checkProvisionKey(ctx, given);
  const scope = scopeOf(ctx, given);
  const userId = given.authenticated_userid ?? null;
  return newToken(ctx, client, { scope, userId, canRefresh: false });
}

function byPassword(ctx: Context, given: Parameters, client: Client): object {
  checkProvisionKey(ctx, given);
  if (!given.authenticated_userid?.trim()) {
    const text = 'Missing authenticated_userid parameter';
    throw new OAuthError('invalid_authenticated_userid', text);
  }
  const scope = scopeOf(ctx, given);
  return newToken(ctx, client, { scope, userId: given.authenticated_userid, canRefresh: true });
}

/** @throws OAuthError */
export function checkProvisionKey({ config }: Context, given: Parameters): void {
  const key = config.provision_key;
  if (key !== null && given.provision_key !== undefined && sameText(key, given.provision_key)) {
    return;
  }
  throw new OAuthError('invalid_provision_key', 'Invalid provision_key');
}

function byRefresh(ctx: Context, given: Parameters, client: Client): object {
  const old = given.refresh_token ? findRefresh(given.refresh_token, Date.now()) : null;
  if (!old || !isFor(ctx, old)) throw new OAuthError('invalid_request', 'Invalid refresh_token');
  if (old.credentialId !== client.credential.id) throw unknownClient(false);
  const { scope, userId } = old;
  removeToken(old);
  const reused = ctx.config.reuse_refresh_token ? old.refreshToken : null;
  return newToken(ctx, client, { scope, userId, canRefresh: true, reused });
}

const isFor = (ctx: Context, { serviceId }: Token): boolean =>
  serviceId === null || serviceId === serviceOf(ctx);

/** The service that tokens are bound to; null with `global_credentials`. */
export const serviceOf = ({ config, router }: Context): string | null =>
  config.global_credentials ? null : (router.service?.id ?? null);

interface TokenFacts {
  readonly scope: string | null;
  readonly userId: string | null;
  readonly canRefresh: boolean;
  readonly reused?: string | null;
}

/** Issues a token and gives what the client is told of it. */
export function newToken(ctx: Context, client: Client, facts: TokenFacts): object {
  const { config } = ctx;
  const { token_expiration: seconds, refresh_token_ttl: ttl } = config;
  const hasRefresh = facts.canRefresh && seconds > 0;
  const now = Date.now();
  const token: Token = {
    accessToken: randomText(),
    refreshToken: hasRefresh ? (facts.reused ?? randomText()) : null,
    credentialId: client.credential.id,
    serviceId: serviceOf(ctx),
    scope: facts.scope,
    userId: facts.userId,
    expiresIn: seconds,
    issuedAtMs: now,
    refreshUntilMs: ttl > 0 ? now + ttl * 1000 : Number.POSITIVE_INFINITY,
  };
  addToken(token);
  return {
    access_token: token.accessToken,
    token_type: 'bearer',
    ...(seconds > 0 ? { expires_in: seconds } : {}),
    ...(token.refreshToken === null ? {} : { refresh_token: token.refreshToken }),
  };
}
