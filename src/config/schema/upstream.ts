/** The schema of an upstream: targets under one name, and how requests are spread over them. */
import { isIP } from 'node:net';
import { entityFields } from './common.js';
import type { EntityCheck } from './entity-check.js';
import { unwrap } from './env-text.js';
import type { RecordSchema, StringField } from './field.js';
import { formatFault } from './formats.js';
import { healthchecks } from './healthchecks.js';

const algorithms = ['consistent-hashing', 'least-connections', 'round-robin', 'latency'] as const;
const inputs = [
  'none',
  'consumer',
  'ip',
  'header',
  'cookie',
  'path',
  'query_arg',
  'uri_capture',
] as const;

const hashInput = (description: string): StringField => ({
  type: 'string',
  one_of: inputs,
  default: 'none',
  null_is_default: true,
  description,
});

/** What names an input is required where that input is chosen. */
const needs = (choice: string, input: string, field: string): EntityCheck => ({
  conditional: {
    if_field: choice,
    if_match: { match: `^${input}$` },
    then_field: field,
    then_match: { required: true },
  },
});

/** The fallback has to be another input than the first one. */
const fallbackTo = (first: string, allowed: readonly string[]): EntityCheck => ({
  conditional: {
    if_field: 'hash_on',
    if_match: { match: `^${first}$` },
    then_field: 'hash_fallback',
    then_match: { one_of: allowed },
  },
});

const except = (left: string) => inputs.filter((input) => input !== left);

export const upstreamSchema: RecordSchema = {
  fields: {
    ...entityFields,
    name: {
      type: 'string',
      required: true,
      check: nameFault,
      description: 'Unique name; a service whose host it is uses the targets.',
    },
    algorithm: {
      type: 'string',
      one_of: algorithms,
      default: 'round-robin',
      null_is_default: true,
      description: 'How a target is picked.',
    },
    hash_on: hashInput('What of a request is hashed.'),
    hash_fallback: hashInput('What is hashed where a request lacks it.'),
    hash_on_header: { type: 'string', format: 'header_name' },
    hash_fallback_header: { type: 'string', format: 'header_name' },
    hash_on_cookie: { type: 'string', check: cookieNameFault },
    hash_on_cookie_path: { type: 'string', format: 'path', default: '/', null_is_default: true },
    hash_on_query_arg: { type: 'string' },
    hash_fallback_query_arg: { type: 'string' },
    hash_on_uri_capture: { type: 'string' },
    hash_fallback_uri_capture: { type: 'string' },
    slots: {
      type: 'integer',
      between: [10, 65536],
      default: 10000,
      null_is_default: true,
      description: 'Points of the ring of consistent hashing.',
    },
    healthchecks,
    host_header: {
      type: 'string',
      format: 'host_with_optional_port',
      description: 'Host toward the targets instead of their names.',
    },
    client_certificate: {
      type: 'foreign',
      reference: 'certificates',
      description: 'Shown to targets with TLS where the service has none.',
    },
    use_srv_name: {
      type: 'boolean',
      default: false,
      description: 'Host toward a target from an SRV record is the name in that record.',
    },
  },
  prepare: settleAlgorithm,
  entity_checks: [
    ...inputChecks('hash_on'),
    ...inputChecks('hash_fallback'),
    fallbackTo('none', ['none']),
    fallbackTo('cookie', ['none']),
    fallbackTo('consumer', except('consumer')),
    fallbackTo('ip', except('ip')),
    fallbackTo('path', except('path')),
    { distinct: ['hash_on_header', 'hash_fallback_header'] },
    { distinct: ['hash_on_query_arg', 'hash_fallback_query_arg'] },
    { distinct: ['hash_on_uri_capture', 'hash_fallback_uri_capture'] },
  ],
};

function inputChecks(choice: 'hash_on' | 'hash_fallback'): EntityCheck[] {
  return [
    needs(choice, 'header', `${choice}_header`),
    needs(choice, 'cookie', 'hash_on_cookie'),
    needs(choice, 'query_arg', `${choice}_query_arg`),
    needs(choice, 'uri_capture', `${choice}_uri_capture`),
  ];
}

/** As in Kong the choice of a hash input decides on the algorithm, and two algorithms on it. */
function settleAlgorithm(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const algorithm = unwrap(input.algorithm ?? null);
  const hashOn = unwrap(input.hash_on ?? null);
  if (algorithm === 'least-connections' || algorithm === 'latency') {
    return { ...input, hash_on: 'none' };
  }
  const known = algorithm === null || algorithms.includes(algorithm as (typeof algorithms)[0]);
  if (hashOn === null || !known) return { ...input };
  return { ...input, algorithm: hashOn === 'none' ? 'round-robin' : 'consistent-hashing' };
}

function nameFault(value: string): string | undefined {
  if (isIP(value.replace(/^\[(.*)\](:\d+)?$/, '$1')) !== 0 || /^[\d.]+:\d+$/.test(value)) {
    return `Invalid name ('${value}'); no ip addresses allowed`;
  }
  const fault = formatFault('host', value);
  if (fault === 'must not have a port') return `Invalid name ('${value}'); no port allowed`;
  return fault === undefined ? undefined : `Invalid name ('${value}'); must be a valid hostname`;
}

function cookieNameFault(value: string): string | undefined {
  if (/^[A-Za-z0-9_-]+$/.test(value)) return undefined;
  return `bad cookie name '${value}', allowed characters are A-Z, a-z, 0-9, '_', and '-'`;
}
