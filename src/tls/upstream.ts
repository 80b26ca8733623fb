/** How a connection to an upstream is secured: server name, verification, client certificate. */
import { createHash, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { KeyPair } from './key-pair.js';
import type { TlsMaterial } from './settings.js';

/** What a service says about TLS. */
export interface UpstreamWish {
  /** Name that is asked for and verified; the service's host. */
  readonly host: string;
  readonly verify: boolean;
  /** Certificates between the upstream's and its root, at most; null: the node's setting. */
  readonly depth: number | null;
  /** Authorities in PEM; empty: the node's setting. */
  readonly authorities: readonly string[];
  readonly client: KeyPair | null;
}

/** What the last handshake with a target told. */
export interface UpstreamSession {
  /** `TLSv1.2`, `TLSv1.3`. */
  readonly version: string | undefined;
  readonly peer: X509Certificate | undefined;
  /** What was shown to it, where it may ask for it. */
  readonly own: X509Certificate | undefined;
}

/** TLS toward one target. Equal keys: equal in everything, so that connections can be shared. */
export class UpstreamTls {
  readonly key: string;
  /** Equal keys: the same certificates. */
  readonly materialKey: string;
  readonly #wish: UpstreamWish;
  readonly #material: TlsMaterial;
  #context: SecureContext | null = null;
  #session: Buffer | undefined;
  #last: UpstreamSession | undefined;

  constructor(wish: UpstreamWish, material: TlsMaterial) {
    const hash = createHash('sha256').update(JSON.stringify(wish)).digest('base64');
    this.key = `tls ${hash}`;
    this.materialKey = JSON.stringify([wish.authorities, wish.client]);
    this.#wish = wish;
    this.#material = material;
  }

  /** The same toward another name, with a client certificate where it has none of its own. */
  toward(host: string, client: KeyPair | null): UpstreamTls {
    const wish = { ...this.#wish, host, client: this.#wish.client ?? client };
    return new UpstreamTls(wish, this.#material);
  }

  /** Why no connection can be made with these certificates, null where one can. */
  fault(): string | null {
    const { authorities, client } = this.#wish;
    if (authorities.length === 0 && !client) return null;
    try {
      this.#secureContext();
      return null;
    } catch (error) {
      return `its certificates cannot be used (${(error as Error).message})`;
    }
  }

  /** Options for `tls.connect`, the address left out. */
  connectOptions(): ConnectionOptions {
    const { host, verify } = this.#wish;
    return {
      secureContext: this.#secureContext(),
      rejectUnauthorized: verify,
      servername: isIP(host) ? '' : host,
      session: this.#session,
      ALPNProtocols: ['http/1.1'],
    };
  }

  /** Undefined: no handshake has ended yet. */
  get session(): UpstreamSession | undefined {
    return this.#last;
  }

  /** Keeps sessions for the next connection; a chain that is too long ends this one. */
  watch(socket: TLSSocket): void {
    socket.on('session', (session: Buffer) => {
      this.#session = session;
    });
    socket.once('secureConnect', () => this.#note(socket));
    if (!this.#wish.verify) return;
    const most = this.#wish.depth ?? this.#material.verifyDepth;
    socket.once('secureConnect', () => {
      if (!socket.isSessionReused() && between(socket.getPeerCertificate(true)) > most) {
        socket.destroy(new Error('the certificate chain is too long'));
      }
    });
  }

  #note(socket: TLSSocket): void {
    // A session that is taken up again shows no certificate: it is the one of the first.
    const peer = socket.getPeerX509Certificate() ?? this.#last?.peer;
    const own = this.#last?.own ?? this.#ownCertificate();
    this.#last = { version: socket.getProtocol() ?? undefined, peer, own };
  }

  #ownCertificate(): X509Certificate | undefined {
    const pair = this.#wish.client ?? this.#material.client;
    return pair ? new X509Certificate(pair.cert) : undefined;
  }

  #secureContext(): SecureContext {
    const { authorities, client } = this.#wish;
    const pair = client ?? this.#material.client;
    const trusted = authorities.length > 0 ? authorities : this.#material.trusted;
    this.#context ??= createSecureContext({
      ...(trusted.length > 0 && { ca: [...trusted] }),
      ...(pair && { cert: pair.cert, key: pair.key }),
    });
    return this.#context;
  }
}

/** Certificates between the first of a chain and its root. */
function between(certificate: PeerCertificate): number {
  let count = -1;
  let current = certificate as PeerCertificate & { issuerCertificate?: PeerCertificate };
  while (current.issuerCertificate && current.issuerCertificate !== current) {
    current = current.issuerCertificate as typeof current;
    count++;
  }
  return Math.max(0, count);
}
