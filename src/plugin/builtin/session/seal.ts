/**
 * Sessions as cookie values: JSON under AES-256-GCM, with the purpose and the audience bound in, so
 * that a cookie of one kind never opens as another.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

/** What a session holds. Times are epoch seconds. */
export interface Session {
  readonly id: string;
  readonly consumer: string | null;
  readonly credential: string;
  readonly groups: readonly string[] | null;
  /** When the client was authenticated. */
  readonly first: number;
  /** When it began, here or by a remembered one, and when it was last made anew and last used. */
  readonly began: number;
  readonly rolled: number;
  readonly used: number;
}

const ivBytes = 12;
const tagBytes = 16;
/** Keys by secret: deriving one costs more than a whole request. */
const keys = new Map<string, Buffer>();
const keysMax = 100;

export const newSessionId = (): string => randomBytes(32).toString('base64url');

export const hashedSubject = (subject: string): string =>
  createHash('sha256').update(subject).digest('base64url');

export function seal(session: Session, secret: string, purpose: string): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret), iv);
  cipher.setAAD(Buffer.from(purpose));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(session), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** The session of a cookie; null for whatever this secret and purpose did not seal. */
export function unseal(text: string, secret: string, purpose: string): Session | null {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length <= ivBytes + tagBytes) return null;
  try {
    const iv = bytes.subarray(0, ivBytes);
    const decipher = createDecipheriv('aes-256-gcm', keyOf(secret), iv, {
      authTagLength: tagBytes,
    });
    decipher.setAAD(Buffer.from(purpose));
    decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    const opened = [decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()];
    return JSON.parse(Buffer.concat(opened).toString('utf8')) as Session;
  } catch {
    return null;
  }
}

function keyOf(secret: string): Buffer {
  let key = keys.get(secret);
  if (!key) {
    if (keys.size >= keysMax) keys.clear();
    key = Buffer.from(hkdfSync('sha256', secret, '', 'session cookie', 32));
    keys.set(secret, key);
  }
  return key;
}
