/** The schemas of certificates, of the names they are shown for, and of authorities. */
import { X509Certificate } from 'node:crypto';
import { type KeyPair, pairFault } from '../../tls/key-pair.js';
import { entityFields } from './common.js';
import type { Faults, RecordSchema } from './field.js';
import { formats } from './formats.js';

export const certificateSchema: RecordSchema = {
  fields: {
    ...entityFields,
    cert: { type: 'string', required: true, description: 'PEM; its chain may follow.' },
    key: { type: 'string', required: true, encrypted: true, description: 'PEM.' },
    cert_alt: { type: 'string', description: 'The same for a key of another type.' },
    key_alt: { type: 'string', encrypted: true },
  },
  entity_checks: [{ mutually_required: ['cert_alt', 'key_alt'] }],
  check: (value) => ({
    ...pairFaults(value as unknown as KeyPair, ''),
    ...(value.cert_alt
      ? pairFaults({ cert: value.cert_alt as string, key: value.key_alt as string }, '_alt')
      : {}),
  }),
};

function pairFaults(pair: KeyPair, suffix: '' | '_alt'): Faults {
  const fault = pairFault(pair);
  if (!fault) return {};
  const which = suffix === '' ? '' : 'alternative ';
  return fault.field === 'pair'
    ? { '@entity': `${which}${fault.message}` }
    : { [`${fault.field}${suffix}`]: fault.message };
}

export const sniSchema: RecordSchema = {
  fields: {
    ...entityFields,
    name: {
      type: 'string',
      required: true,
      check: (value) => (value === '*' ? undefined : formats.sni(value)),
      description: 'Name, `*.name`, `name.*`, or `*` for names without a certificate.',
    },
    certificate: {
      type: 'foreign',
      reference: 'certificates',
      description: 'What is shown; left out where it is nested in the certificate.',
    },
  },
};

export const caCertificateSchema: RecordSchema = {
  fields: {
    ...entityFields,
    cert: { type: 'string', required: true, check: authorityFault, description: 'PEM, one only.' },
    cert_digest: { type: 'string', description: 'SHA-256 in hex; set at load.' },
  },
};

function authorityFault(pem: string): string | undefined {
  if ((pem.match(/-----BEGIN CERTIFICATE-----/g) ?? []).length > 1) {
    return 'please submit only one certificate at a time';
  }
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (error) {
    return `invalid certificate: ${(error as Error).message}`;
  }
  if (Date.parse(certificate.validTo) < Date.now()) {
    return 'certificate expired, "Not After" time is in the past';
  }
  if (certificate.ca) return undefined;
  return 'certificate does not appear to be a CA because it is missing the "CA" basic constraint';
}

/** The `cert_digest` of a valid certificate. */
export function certificateDigest(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
}
