/** A certificate with its key, and whether they fit. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

export interface KeyPair {
  /** PEM; the certificate first, then its chain. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export interface PairFault {
  readonly field: 'cert' | 'key' | 'pair';
  readonly message: string;
}

/** What is wrong with a certificate and its key, null where they fit. The key is not shown. */
export function pairFault({ cert, key }: KeyPair): PairFault | null {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch (error) {
    return { field: 'cert', message: `invalid certificate: ${reason(error)}` };
  }
  try {
    const fits = certificate.checkPrivateKey(createPrivateKey(key));
    if (!fits) return { field: 'pair', message: 'certificate does not match key' };
  } catch (error) {
    return { field: 'key', message: `invalid key: ${reason(error)}` };
  }
  try {
    // what OpenSSL refuses to use, such as a key that is too short or a chain that is no chain
    createSecureContext({ cert, key });
    return null;
  } catch (error) {
    return { field: 'cert', message: `invalid certificate: ${reason(error)}` };
  }
}

function reason(error: unknown): string {
  const { reason: short, message } = error as Error & { reason?: string };
  return short ?? message;
}
