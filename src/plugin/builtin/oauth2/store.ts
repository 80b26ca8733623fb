/**
 * Tokens and codes issued at run time: in the memory of every thread of this node, beside those of
 * the configuration. They end with the process; what must outlive it is declared as
 * `oauth2_tokens`.
 */
import { randomBytes } from 'node:crypto';
import { limits } from '../../../limits.js';
import { nodeChannel } from '../../../workers/node-channel.js';

export interface Token {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  /** Of the application in the configuration. */
  readonly credentialId: string;
  /** Null: good for every service. */
  readonly serviceId: string | null;
  readonly scope: string | null;
  readonly userId: string | null;
  /** Seconds; 0: for ever. */
  readonly expiresIn: number;
  /** Epoch milliseconds. */
  readonly issuedAtMs: number;
  readonly refreshUntilMs: number;
}

export interface Code {
  readonly code: string;
  readonly credentialId: string;
  readonly serviceId: string | null;
  readonly scope: string | null;
  readonly userId: string | null;
  /** PKCE S256 (RFC 7636 4.2); null: none was sent. */
  readonly challenge: string | null;
  /** Null: of any plugin. */
  readonly pluginId: string | null;
  readonly untilMs: number;
}

const tokens = new Map<string, Token>();
const refreshes = new Map<string, Token>();
const codes = new Map<string, Code>();
/** Codes that are used up, those of the configuration among them. */
const redeemed = new Map<string, true>();

/** What one thread did. */
type Change =
  | { readonly type: 'addToken' | 'removeToken'; readonly token: Token }
  | { readonly type: 'addCode' | 'removeCode'; readonly code: Code };

const channel = nodeChannel<Change>('oauth2', apply);

function apply(change: Change): void {
  switch (change.type) {
    case 'addToken':
      return putToken(change.token);
    case 'removeToken':
      tokens.delete(change.token.accessToken);
      if (change.token.refreshToken !== null) refreshes.delete(change.token.refreshToken);
      return;
    case 'addCode':
      bounded(codes);
      codes.set(change.code.code, change.code);
      return;
    default:
      codes.delete(change.code.code);
      bounded(redeemed);
      redeemed.set(change.code.code, true);
  }
}

function everywhere(change: Change): void {
  apply(change);
  channel.post(change);
}

/** 32 letters and digits. */
export function randomText(): string {
  return randomBytes(48).toString('base64').replace(/[+/=]/g, '').slice(0, 32);
}

export const addToken = (token: Token): void => everywhere({ type: 'addToken', token });
export const removeToken = (token: Token): void => everywhere({ type: 'removeToken', token });
export const addCode = (code: Code): void => everywhere({ type: 'addCode', code });
export const removeCode = (code: Code): void => everywhere({ type: 'removeCode', code });

function putToken(token: Token): void {
  bounded(tokens);
  tokens.set(token.accessToken, token);
  if (token.refreshToken === null) return;
  bounded(refreshes);
  refreshes.set(token.refreshToken, token);
}

/** A token that has not expired. */
export function findToken(text: string, nowMs: number): Token | null {
  const token = tokens.get(text);
  if (!token) return null;
  const { expiresIn, issuedAtMs } = token;
  return expiresIn > 0 && issuedAtMs + expiresIn * 1000 <= nowMs ? null : token;
}

/** The token of a refresh token that has not expired. */
export function findRefresh(text: string, nowMs: number): Token | null {
  const token = refreshes.get(text);
  return token && token.refreshUntilMs > nowMs ? token : null;
}

/** A code that has not expired. */
export function findCode(text: string, nowMs: number): Code | null {
  const code = codes.get(text);
  return code && code.untilMs > nowMs ? code : null;
}

export const isRedeemed = (code: string): boolean => redeemed.has(code);

/** The oldest goes first. */
function bounded(map: Map<string, unknown>): void {
  if (map.size < limits.oauthTokens.value) return;
  const [oldest] = map.keys();
  map.delete(oldest);
}
