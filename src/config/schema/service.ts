/** The schema of a service: one upstream address and how to talk to it. */
import { entityFields, port, protocolElement, uniqueName, uuid } from './common.js';
import type { EntityCheck } from './entity-check.js';
import type { NumberField, RecordSchema } from './field.js';

const timeout = (description: string): NumberField => ({
  type: 'integer',
  default: 60000,
  null_is_default: true,
  between: [1, 2147483646],
  description,
});

const onlyOverTls = (field: string): EntityCheck => ({
  conditional: {
    if_field: 'protocol',
    if_match: { not_one_of: ['https', 'tls', 'wss'] },
    then_field: field,
    then_match: { eq: null },
  },
});

export const serviceSchema: RecordSchema = {
  fields: {
    ...entityFields,
    name: { ...uniqueName, description: 'Unique name; what routes and plugins refer to.' },
    protocol: { ...protocolElement, required: true, default: 'http' },
    host: {
      type: 'string',
      required: true,
      format: 'host',
      description: 'Host name or IP address of the upstream, without a port.',
    },
    port: { ...port, required: true, default: 80 },
    path: { type: 'string', format: 'path', description: 'Put before the path of each request.' },
    retries: {
      type: 'integer',
      default: 5,
      null_is_default: true,
      between: [0, 32767],
      description: 'Further tries after the first one fails.',
    },
    connect_timeout: timeout('Milliseconds to connect to the upstream.'),
    write_timeout: timeout('Milliseconds between two writes to the upstream.'),
    read_timeout: timeout('Milliseconds between two reads from the upstream.'),
    client_certificate: { type: 'foreign', reference: 'certificates' },
    tls_verify: { type: 'boolean' },
    tls_verify_depth: { type: 'integer', between: [0, 64] },
    ca_certificates: { type: 'array', elements: uuid },
    enabled: {
      type: 'boolean',
      required: true,
      default: true,
      description: 'False: the routes of this service match nothing.',
    },
  },
  shorthand_fields: { url: expandUrl },
  entity_checks: [
    {
      conditional: {
        if_field: 'protocol',
        if_match: { one_of: ['tcp', 'tls', 'udp', 'grpc', 'grpcs'] },
        then_field: 'path',
        then_match: { eq: null },
      },
    },
    ...['client_certificate', 'tls_verify', 'tls_verify_depth', 'ca_certificates'].map(onlyOverTls),
  ],
};

/** `url`: protocol, host, port and path in one. The host of a bad URL is checked as a host is. */
function expandUrl(value: unknown): Record<string, unknown> {
  if (typeof value !== 'string') throw new Error('expected a string');
  const parts = /^(?:([a-z][a-z0-9+.-]*):)?\/\/([^/?#]*)([^?#]*)/i.exec(value);
  if (!parts) throw new Error('missing scheme in url');
  const [, scheme, authority, path] = parts;
  const place = /^(?:[^@]*@)?(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority);
  const host = place?.[1].replace(/^\[|\]$/g, '') ?? '';
  if (!place || host === '') throw new Error('missing host in url');
  const portText = place[2];
  const known = scheme?.toLowerCase() ?? (portText === '443' ? 'https' : 'http');
  const portNumber = /^\d+$/.test(portText ?? '') ? Number(portText) : portText;
  return {
    protocol: known,
    host,
    port: portNumber ?? (known === 'https' || known === 'wss' ? 443 : 80),
    path: path === '' ? null : path,
  };
}
