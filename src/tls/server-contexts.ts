/**
 * Certificates of the listeners by server name (kong-config reference, section 16). A reload swaps
 * them for the handshakes that begin after it; connections that stand keep theirs.
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls';
import type { PrepareHandshake } from './handshake.js';
import type { KeyPair } from './key-pair.js';
import type { TlsMaterial } from './settings.js';

/** A certificate with the names that it is shown for. */
export interface NamedCertificate {
  /** Exact names, `*.name`, `name.*`, or `*` for every name without a certificate. */
  readonly names: readonly string[];
  /** One, or two of different key types. */
  readonly pairs: readonly KeyPair[];
}

/** A certificate whose context is made at its first handshake. */
interface Entry {
  readonly pairs: readonly KeyPair[];
  context: SecureContext | null;
  /** Parsed when somebody asks for it. */
  certificate?: X509Certificate;
}

export class ServerContexts {
  readonly #material: TlsMaterial;
  /** Asked before each handshake; null: nobody wants to be asked. */
  prepare: PrepareHandshake | null = null;
  #byName: ReadonlyMap<string, Entry> = new Map();
  #default: Entry | null = null;

  constructor(material: TlsMaterial) {
    this.#material = material;
  }

  /** Takes these certificates into use. */
  use(certificates: readonly NamedCertificate[]): void {
    const byName = new Map<string, Entry>();
    for (const { names, pairs } of certificates) {
      const entry = { pairs, context: null };
      for (const name of names) byName.set(name.toLowerCase(), entry);
    }
    this.#byName = byName;
  }

  /**
   * Options for a TLS server. Certificates by name come through `SNICallback`, which adds to the
   * default ones of other key types: where the name is known before, `find` gives all of a context.
   */
  serverOptions(): TlsOptions {
    const { server, defaults } = this.#material;
    return {
      ...server,
      ...keysOf(defaults),
      SNICallback: (name, done) => done(null, this.find(name)),
    };
  }

  /** The context for a server name as the client sent it. */
  find(name: string): SecureContext {
    const entry = this.#lookUp(name.toLowerCase());
    entry.context ??= createSecureContext({ ...this.#material.server, ...keysOf(entry.pairs) });
    return entry.context;
  }

  /** The certificate that `find` shows for a name, the first of two; undefined: there is none. */
  certificate(name: string): X509Certificate | undefined {
    const entry = this.#lookUp(name.toLowerCase());
    const [first] = entry.pairs;
    if (first) entry.certificate ??= new X509Certificate(first.cert);
    return entry.certificate;
  }

  #lookUp(name: string): Entry {
    const names = this.#byName;
    const exact = names.get(name);
    if (exact) return exact;
    const first = name.indexOf('.');
    const last = name.lastIndexOf('.');
    const left = first < last ? names.get(`*${name.slice(first)}`) : undefined;
    const right = last > 0 ? names.get(`${name.slice(0, last)}.*`) : undefined;
    this.#default ??= { pairs: this.#material.defaults, context: null };
    return left ?? right ?? names.get('*') ?? this.#default;
  }
}

function keysOf(pairs: readonly KeyPair[]): { cert: string[]; key: string[] } {
  return { cert: pairs.map(({ cert }) => cert), key: pairs.map(({ key }) => key) };
}
