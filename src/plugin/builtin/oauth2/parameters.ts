/** Parameters and client of a request to one of the two endpoints. */

import type { OAuth2Credential } from '../../../config/model.js';
import { secretMatches } from '../../../config/secret-hash.js';
import { readBodyArguments } from '../shared/body-arguments.js';
import type { Context } from './plugin.js';

export type Parameters = Readonly<Record<string, string | undefined>>;

/** An answer of an endpoint: `error` and `error_description` of RFC 6749 5.2, with a status. */
export class OAuthError extends Error {
  readonly status: number;
  readonly error: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(error: string, description: string, status = 400, headers = {}) {
    super(description);
    this.error = error;
    this.status = status;
    this.headers = headers;
  }
}

/** Query and, of a method with one, body, the body's winning; the first of repeated values. */
export async function readParameters(ctx: Context): Promise<Parameters> {
  const query = ctx.request.queryArguments(1000);
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(ctx.request.method);
  const values = hasBody ? (await readBodyArguments(ctx)).values : {};
  const merged: Record<string, string | undefined> = Object.create(null);
  for (const [name, value] of [...Object.entries(query), ...Object.entries(values)]) {
    const one = Array.isArray(value) ? value[0] : value;
    if (typeof one === 'string' && one !== '') merged[name] = one;
    else if (typeof one === 'number') merged[name] = String(one);
  }
  return merged;
}

export interface Client {
  readonly credential: OAuth2Credential;
  /** The address that answers go to. */
  readonly redirectUri: string | null;
}

/** Who asks: id and secret of the parameters, or else those of the authorization header. */
export interface Claimed {
  readonly id: string | undefined;
  readonly secret: string | undefined;
  readonly isByHeader: boolean;
  /** Null: there is no such application. */
  readonly credential: OAuth2Credential | null;
}

export function claimedClient(ctx: Context, parameters: Parameters): Claimed {
  const { client_id: id, client_secret: secret } = parameters;
  const header = ctx.request.header(ctx.config.auth_header_name ?? 'authorization');
  const isByHeader = header !== null && (id === undefined || secret === undefined);
  const basic = isByHeader ? readBasic(header) : null;
  const given = isByHeader ? { id: basic?.id, secret: basic?.secret } : { id, secret };
  const credential =
    given.id === undefined ? null : ctx.entities.find('oauth2_credentials', 'client_id', given.id);
  return { ...given, isByHeader, credential };
}

/**
 * The application that asks.
 * @throws OAuthError where it is unknown, its secret is wrong, or its address is another's
 */
export function authenticateClient(claimed: Claimed, parameters: Parameters): Client {
  const { credential, secret, isByHeader } = claimed;
  const isMachine = parameters.grant_type === 'client_credentials';
  // Machines are sent nowhere, so theirs may be an application without address.
  if (!credential || (!isMachine && !credential.redirect_uris)) {
    throw unknownClient(isByHeader && !isMachine);
  }
  if (credential.client_type === 'public') {
    if (secret !== undefined) {
      const text = 'client_secret is disallowed for public clients';
      throw new OAuthError('invalid_request', text);
    }
  } else if (!isSecret(credential, secret)) throw unknownClient(isByHeader);
  return { credential, redirectUri: isMachine ? null : redirectOf(credential, parameters) };
}

export function unknownClient(isByHeader: boolean): OAuthError {
  const headers = isByHeader ? { 'WWW-Authenticate': 'Basic realm="OAuth2.0"' } : {};
  const text = 'Invalid client authentication';
  return new OAuthError('invalid_client', text, isByHeader ? 401 : 400, headers);
}

function isSecret({ client_secret: kept }: OAuth2Credential, given: string | undefined): boolean {
  return kept !== null && given !== undefined && secretMatches(kept, given);
}

/** @throws OAuthError where a given address is not one of the application's */
export function redirectOf(credential: OAuth2Credential, parameters: Parameters): string | null {
  const known = credential.redirect_uris ?? [];
  const given = parameters.redirect_uri;
  if (given === undefined) return known[0] ?? null;
  if (known.includes(given)) return given;
  const text =
    'Invalid redirect_uri that does not match with any redirect_uri created with the application';
  throw new OAuthError('invalid_request', text);
}

function readBasic(value: string | null): { id: string; secret: string } | null {
  const encoded = /^\s*[Bb]asic\s+(\S+)/.exec(value ?? '')?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { id: text.slice(0, colon), secret: text.slice(colon + 1) };
}

/**
 * The scope that was asked for, where it may be had; null: none, or the plugin knows of none.
 * @throws OAuthError
 */
export function scopeOf({ config }: Context, parameters: Parameters): string | null {
  const asked = parameters.scope?.split(/\s+/).filter(Boolean) ?? [];
  if (!config.scopes) return null;
  for (const scope of asked) {
    if (config.scopes.includes(scope)) continue;
    throw new OAuthError('invalid_scope', `"${scope}" is an invalid scope`);
  }
  if (asked.length === 0 && config.mandatory_scope) {
    throw new OAuthError('invalid_scope', 'You must specify a scope');
  }
  return asked.length === 0 ? null : asked.join(' ');
}
