/**
 * Protocol and cipher of TLS sessions as small numbers, so that the core can carry them from a
 * handshake to the log records of its connection. There are as many as this OpenSSL has pairs.
 */

export interface TlsSessionNames {
  /** `TLSv1.2`, `TLSv1.3`. */
  readonly version: string;
  /** OpenSSL's name, as in Kong's record: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
}

const known: TlsSessionNames[] = [];
const numbers = new Map<string, number>();

/** The number of a pair, from 1; 0: one of them is not known. */
export function tlsSessionNumber(version: string | null, cipher: string | undefined): number {
  if (!version || !cipher) return 0;
  const key = `${version} ${cipher}`;
  let number = numbers.get(key);
  if (number === undefined) {
    number = known.push({ version, cipher });
    numbers.set(key, number);
  }
  return number;
}

/** The pair behind a number of this process; undefined: none. */
export const tlsSessionNames = (number: number): TlsSessionNames | undefined => known[number - 1];
