/** The settings of TLS toward clients and upstreams, with files read and keys checked. */
import { constants } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { rootCertificates, type TlsOptions } from 'node:tls';
import { GatewayError } from '../errors.js';
import { type KeyPair, pairFault } from './key-pair.js';
import { selfSigned } from './self-signed.js';

/** What the settings say, as written. */
export interface TlsSettings {
  /** Files or PEM texts, pairwise; more than one for keys of several types. */
  readonly sslCert: readonly string[];
  readonly sslCertKey: readonly string[];
  /** The same for the Admin API; none: those above. */
  readonly adminSslCert: readonly string[];
  readonly adminSslCertKey: readonly string[];
  readonly sslProtocols: readonly string[];
  readonly sslCiphers: string;
  readonly sslPreferServerCiphers: boolean;
  readonly sslSessionTickets: boolean;
  readonly sslSessionTimeoutMs: number;
  readonly clientSsl: boolean;
  readonly clientSslCert: readonly string[];
  readonly clientSslCertKey: readonly string[];
  /** Files, PEM texts, or `system`. */
  readonly trustedCertificates: readonly string[];
  readonly verifyDepth: number;
}

/** What TLS needs to know of a node, read once at start. */
export interface TlsMaterial {
  /** For clients that name no server, or one that has no certificate of its own. */
  readonly defaults: readonly KeyPair[];
  /** Protocol versions, ciphers, tickets: the same for every certificate. */
  readonly server: TlsOptions;
  /** Shown to upstreams by services without a `client_certificate`. */
  readonly client: KeyPair | null;
  /** What verified upstreams must chain up to, in PEM. */
  readonly trusted: readonly string[];
  /** Certificates between an upstream's and its root, at most. */
  readonly verifyDepth: number;
}

/**
 * Reads what the settings name. Where no certificate is given one is made at the first use.
 * @throws GatewayError GW_E_SETTING_VALUE
 */
export async function readTlsMaterial(settings: TlsSettings, nowMs: number): Promise<TlsMaterial> {
  const given = await readPairs('ssl_cert', settings.sslCert, settings.sslCertKey);
  const [client = null] = settings.clientSsl
    ? await readPairs('client_ssl_cert', settings.clientSslCert, settings.clientSslCertKey)
    : [];
  if (settings.clientSsl && !client) {
    throw settingError('client_ssl is on, but client_ssl_cert is not given');
  }
  const trusted: string[] = [];
  for (const item of settings.trustedCertificates) {
    if (item === 'system') trusted.push(...rootCertificates);
    else trusted.push(await readPem('lua_ssl_trusted_certificate', item));
  }
  let made: readonly KeyPair[] | undefined;
  return {
    get defaults() {
      if (given.length > 0) return given;
      made ??= [selfSigned(nowMs)];
      return made;
    },
    server: serverOptions(settings),
    client,
    trusted,
    verifyDepth: settings.verifyDepth,
  };
}

/** The same settings for the listeners of the Admin API. */
export function adminTls(settings: TlsSettings): TlsSettings {
  const { adminSslCert: sslCert, adminSslCertKey: sslCertKey } = settings;
  if (sslCert.length === 0 && sslCertKey.length === 0) return settings;
  return { ...settings, sslCert, sslCertKey };
}

const versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

function serverOptions(settings: TlsSettings): TlsOptions {
  const known = versions.filter((version) => settings.sslProtocols.includes(version));
  return {
    minVersion: known[0],
    maxVersion: known.at(-1),
    ciphers: settings.sslCiphers,
    // for the few ciphers of the suite `old` that need them
    dhparam: 'auto',
    honorCipherOrder: settings.sslPreferServerCiphers,
    sessionTimeout: Math.ceil(settings.sslSessionTimeoutMs / 1000),
    secureOptions: settings.sslSessionTickets ? 0 : constants.SSL_OP_NO_TICKET,
    ALPNProtocols: ['http/1.1'],
  };
}

async function readPairs(
  name: string,
  certs: readonly string[],
  keys: readonly string[],
): Promise<KeyPair[]> {
  if (certs.length !== keys.length) {
    throw settingError(`${name} and ${name}_key need the same number of values`);
  }
  const pairs: KeyPair[] = [];
  for (const [index, file] of certs.entries()) {
    const cert = await readPem(name, file);
    const key = await readPem(`${name}_key`, keys[index]);
    const fault = pairFault({ cert, key });
    if (fault) throw settingError(`${name}: ${fault.message}`);
    pairs.push({ cert, key });
  }
  return pairs;
}

async function readPem(name: string, value: string): Promise<string> {
  if (value.includes('-----BEGIN')) return value;
  try {
    return await readFile(value, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw settingError(`${name}: ${value} cannot be read (${code})`, cause);
  }
}

function settingError(message: string, cause?: unknown): GatewayError {
  return new GatewayError('GW_E_SETTING_VALUE', message, { cause });
}
