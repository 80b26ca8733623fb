/** `request.tls` of a log record, from the number that the handshake's protocol and cipher have. */
import { tlsSessionNames } from '../tls/session-names.js';

export interface TlsMembers {
  /** `TLSv1.3`; absent, as the cipher, where the session was not known. */
  readonly version?: string;
  readonly cipher?: string;
  /** Clients are not asked for certificates. */
  readonly client_verify: string;
}

const texts = new Map<number, Uint8Array>();

export function tlsMembers(session: number): TlsMembers {
  return { ...tlsSessionNames(session), client_verify: 'NONE' };
}

/** `,"tls":{..}` in UTF-8; one object for each number. */
export function tlsText(session: number): Uint8Array {
  let text = texts.get(session);
  if (!text) {
    text = Buffer.from(`,"tls":${JSON.stringify(tlsMembers(session))}`);
    if (tlsSessionNames(session) || session === 0) texts.set(session, text);
  }
  return text;
}
