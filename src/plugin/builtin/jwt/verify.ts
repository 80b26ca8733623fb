/** Signatures of tokens (RFC 7518 3), synchronously by node:crypto. */
import {
  constants,
  createHmac,
  createPublicKey,
  type KeyObject,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import type { JwtSecret } from '../../../config/model.js';
import type { Token } from './token.js';

/** What a signature is checked with, made once per credential. */
export type Key = Buffer | KeyObject;

const keys = new WeakMap<JwtSecret, Map<boolean, Key | null>>();

/** The key of a credential; null where its material is missing or broken. */
export function keyOf(credential: JwtSecret, isBase64: boolean): Key | null {
  let known = keys.get(credential);
  if (!known) {
    known = new Map();
    keys.set(credential, known);
  }
  let key = known.get(isBase64);
  if (key === undefined) {
    key = makeKey(credential, isBase64);
    known.set(isBase64, key);
  }
  return key;
}

function makeKey(credential: JwtSecret, isBase64: boolean): Key | null {
  if (credential.algorithm.startsWith('HS')) {
    return Buffer.from(credential.secret, isBase64 ? 'base64url' : 'utf8');
  }
  try {
    return createPublicKey(credential.rsa_public_key ?? '');
  } catch {
    return null;
  }
}

/** Whether the signature fits; a key of another kind than the algorithm's never does. */
export function isSigned(token: Token, algorithm: string, key: Key): boolean {
  const data = Buffer.from(token.signed);
  const { signature } = token;
  const hash = `sha${algorithm.slice(2)}`;
  if (Buffer.isBuffer(key)) {
    const made = createHmac(hash, key).update(data).digest();
    return made.length === signature.length && timingSafeEqual(made, signature);
  }
  const kind = key.asymmetricKeyType;
  switch (algorithm.slice(0, 2)) {
    case 'RS':
      return kind === 'rsa' && verify(hash, data, key, signature);
    case 'PS':
      return kind === 'rsa' && verify(hash, data, pss(key), signature);
    case 'ES':
      return kind === 'ec' && verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature);
    default:
      return (kind === 'ed25519' || kind === 'ed448') && verify(null, data, key, signature);
  }
}

const pss = (key: KeyObject) => ({
  key,
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
});
