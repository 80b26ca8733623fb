/** What the entities of a configuration say about TLS. */
import type { Certificate, Service, Snapshot } from '../config/model.js';
import type { KeyPair } from './key-pair.js';
import type { NamedCertificate } from './server-contexts.js';
import type { TlsMaterial } from './settings.js';
import { UpstreamTls } from './upstream.js';

/** The certificates of the configuration with the names that they are shown for. */
export function namedCertificates({ snis }: Snapshot): NamedCertificate[] {
  const names = new Map<Certificate, string[]>();
  for (const { name, certificate } of snis) {
    const own = names.get(certificate);
    if (own) own.push(name);
    else names.set(certificate, [name]);
  }
  return [...names].map(([certificate, list]) => ({ names: list, pairs: pairsOf(certificate) }));
}

/** TLS toward a service; undefined where it is spoken to in the clear. */
export function upstreamTls(
  service: Service,
  { caCertificates }: Snapshot,
  material: TlsMaterial,
): UpstreamTls | undefined {
  if (service.protocol !== 'https' && service.protocol !== 'wss') return undefined;
  const ids = service.ca_certificates ?? [];
  const [client = null] = service.client_certificate ? pairsOf(service.client_certificate) : [];
  const wish = {
    host: service.host,
    verify: service.tls_verify ?? false,
    depth: service.tls_verify_depth,
    authorities: caCertificates.filter(({ id }) => ids.includes(id)).map(({ cert }) => cert),
    client,
  };
  return new UpstreamTls(wish, material);
}

/** The first key pair of a certificate: what is shown to upstreams. */
export const keyPairOf = (certificate: Certificate): KeyPair => pairsOf(certificate)[0];

function pairsOf({ cert, key, cert_alt: altCert, key_alt: altKey }: Certificate): KeyPair[] {
  const first = { cert, key };
  return altCert && altKey ? [first, { cert: altCert, key: altKey }] : [first];
}
