/**
 * Tokens whose signature was found good. A client sends the same one with every request, and
 * checking an RSA signature takes ten times as long as everything else that the plugin does. Only
 * what is signed gets in, so nobody without a key can push others out; claims that depend on time
 * are not remembered.
 */
import { limits } from '../../../limits.js';
import type { Token } from './token.js';
import type { Key } from './verify.js';

export interface Verified {
  readonly token: Token;
  /** Of one configuration's credential: after a reload there is another, and no match. */
  readonly key: Key;
}

/** By the text of the token, oldest first. */
const verified = new Map<string, Verified>();

export const findVerified = (text: string): Verified | undefined => verified.get(text);

export function keepVerified(text: string, token: Token, key: Key): void {
  if (text.length > limits.verifiedTokenBytes.value) return;
  verified.delete(text);
  if (verified.size >= limits.verifiedTokens.value) {
    for (const oldest of verified.keys()) {
      verified.delete(oldest);
      break;
    }
  }
  verified.set(text, { token, key });
}
