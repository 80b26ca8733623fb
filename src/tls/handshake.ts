/** What is done between the first message of a TLS connection and the choice of its certificate. */
import type { SecureContext } from 'node:tls';

export interface HandshakeFacts {
  /** The name that the client asks for, in lower case; null: none. */
  readonly serverName: string | null;
  readonly ip: string;
  readonly port: number;
}

/** Gives a context to use instead of the configured one, or null. Never rejects. */
export type PrepareHandshake = (facts: HandshakeFacts) => Promise<SecureContext | null>;
