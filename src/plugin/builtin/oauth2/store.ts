/**
 * Tokens and codes issued at run time: in this node's memory, beside those of the configuration.
 * They end with the process; what must outlive it is declared as `oauth2_tokens`.
 */
import { randomBytes } from 'node:crypto';
import type { OAuth2Credential } from '../../../config/model.js';
import { limits } from '../../../limits.js';

export interface Token {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly credential: OAuth2Credential;
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
  readonly credential: OAuth2Credential;
  readonly serviceId: string | null;
  readonly scope: string | null;
  readonly userId: string | null;
  /** PKCE S256 (RFC 7636 4.2); null: none was sent. */
  readonly challenge: string | null;
  readonly pluginId: string;
  readonly untilMs: number;
}

const tokens = new Map<string, Token>();
const refreshes = new Map<string, Token>();
const codes = new Map<string, Code>();

/** 32 letters and digits. */
export function randomText(): string {
  return randomBytes(48).toString('base64').replace(/[+/=]/g, '').slice(0, 32);
}

export function addToken(token: Token): void {
  bounded(tokens);
  tokens.set(token.accessToken, token);
  if (token.refreshToken === null) return;
  bounded(refreshes);
  refreshes.set(token.refreshToken, token);
}

export function removeToken(token: Token): void {
  tokens.delete(token.accessToken);
  if (token.refreshToken !== null) refreshes.delete(token.refreshToken);
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

export function addCode(code: Code): void {
  bounded(codes);
  codes.set(code.code, code);
}

/** A code that has not expired; it is good once. */
export function takeCode(text: string, nowMs: number): Code | null {
  const code = codes.get(text);
  codes.delete(text);
  return code && code.untilMs > nowMs ? code : null;
}

/** The oldest goes first. */
function bounded(map: Map<string, unknown>): void {
  if (map.size < limits.oauthTokens.value) return;
  const [oldest] = map.keys();
  map.delete(oldest);
}
