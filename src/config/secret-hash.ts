/** How secrets of credentials are kept: hashes that can be compared with what a client sends. */
import { hash, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

const iterations = 10_000;
const hashBytes = 32;
const saltBytes = 16;
const form = /^\$pbkdf2-sha512\$i=(\d{1,7}),l=(\d{1,3})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/;

/** What basic-auth keeps: SHA-1 of the password followed by the consumer's id, in hex. */
export function passwordHash(password: string, consumerId: string): string {
  return hash('sha1', password + consumerId);
}

/** PBKDF2 with a random salt, in the PHC form `$pbkdf2-sha512$i=10000,l=32$salt$hash`. */
export function hashSecret(secret: string): string {
  if (form.test(secret)) return secret;
  const salt = randomBytes(saltBytes);
  const made = pbkdf2Sync(secret, salt, iterations, hashBytes, 'sha512');
  const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$pbkdf2-sha512$i=${iterations},l=${hashBytes}$${base64(salt)}$${base64(made)}`;
}

/** Whether a text is the secret behind `kept`, a hash of `hashSecret` or the secret itself. */
export function secretMatches(kept: string, given: string): boolean {
  const parts = form.exec(kept);
  if (!parts) return sameText(kept, given);
  const [, rounds, length, salt, digest] = parts;
  const made = pbkdf2Sync(
    given,
    Buffer.from(salt, 'base64'),
    Number(rounds),
    Number(length),
    'sha512',
  );
  const wanted = Buffer.from(digest, 'base64');
  return wanted.length === made.length && timingSafeEqual(wanted, made);
}

/** Compares without telling by its time where texts of the same length differ. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
