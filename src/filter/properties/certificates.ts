/** Properties of certificates, in the forms that Envoy has. */
import type { X509Certificate } from 'node:crypto';
import type { PropertyValue } from '../adapter.js';

/** The distinguished name as RFC 2253 writes it: the most specific part first. */
export function subjectOf(certificate: X509Certificate | undefined): PropertyValue {
  return certificate?.subject?.split('\n').reverse().join(',');
}

/** The first alternative name of one kind. */
export function alternativeName(
  certificate: X509Certificate | undefined,
  kind: 'DNS' | 'URI',
): PropertyValue {
  const names = certificate?.subjectAltName?.split(', ') ?? [];
  return names.find((name) => name.startsWith(`${kind}:`))?.slice(kind.length + 1);
}

/** SHA-256 of the certificate, lower-case hex. */
export function digestOf(certificate: X509Certificate | undefined): PropertyValue {
  return certificate?.fingerprint256.replaceAll(':', '').toLowerCase();
}
