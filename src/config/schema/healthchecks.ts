/** The record `healthchecks` of an upstream: when its addresses are unhealthy, when healthy. */
import type { ArrayField, NumberField, RecordField, StringField } from './field.js';

const statuses = (codes: readonly number[]): ArrayField => ({
  type: 'array',
  elements: { type: 'integer', between: [100, 999] },
  default: codes,
});

const seconds = (value: number, description: string): NumberField => ({
  type: 'number',
  between: [0, 65535],
  default: value,
  null_is_default: true,
  description,
});

/** So many in a row change the state; 0: they do not. */
const limit = (description: string): NumberField => ({
  type: 'integer',
  between: [0, 255],
  default: 0,
  null_is_default: true,
  description,
});

const kind: StringField = {
  type: 'string',
  one_of: ['tcp', 'http', 'https', 'grpc', 'grpcs'],
  default: 'http',
};

const failures = {
  tcp_failures: limit('Failed connections in a row; 0: not counted.'),
  timeouts: limit('Time-outs in a row; 0: not counted.'),
  http_failures: limit('Answers with one of `http_statuses` in a row; 0: not counted.'),
};

const passedStatuses = [
  200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308,
];

const active: RecordField = {
  type: 'record',
  description: 'Probes that the gateway sends by itself.',
  fields: {
    type: kind,
    timeout: seconds(1, 'Seconds that a probe may take.'),
    concurrency: {
      type: 'integer',
      between: [1, 2 ** 31],
      default: 10,
      null_is_default: true,
      description: 'Probes of one upstream at a time.',
    },
    http_path: { type: 'string', format: 'path', default: '/' },
    https_sni: { type: 'string', format: 'sni', description: 'Server name of https probes.' },
    https_verify_certificate: { type: 'boolean', default: true },
    headers: {
      type: 'map',
      keys: { type: 'string', format: 'header_name' },
      values: { type: 'array', elements: { type: 'string' } },
      description: 'Fields of the probes, lists of values by name.',
    },
    healthy: {
      type: 'record',
      fields: {
        interval: seconds(0, 'Seconds between probes of a healthy address; 0: none.'),
        http_statuses: statuses([200, 302]),
        successes: limit('Successes in a row that make an address healthy; 0: none do.'),
      },
    },
    unhealthy: {
      type: 'record',
      fields: {
        interval: seconds(0, 'Seconds between probes of an unhealthy address; 0: none.'),
        http_statuses: statuses([429, 404, 500, 501, 502, 503, 504, 505]),
        ...failures,
      },
    },
  },
};

const passive: RecordField = {
  type: 'record',
  description: 'What is learnt from the requests themselves.',
  fields: {
    type: kind,
    healthy: {
      type: 'record',
      fields: {
        http_statuses: statuses(passedStatuses),
        successes: limit('Successes in a row that make an address healthy; 0: none do.'),
      },
    },
    unhealthy: {
      type: 'record',
      fields: { http_statuses: statuses([429, 500, 503]), ...failures },
    },
  },
};

export const healthchecks: RecordField = {
  type: 'record',
  description: 'When addresses are left out, see [load-balancing.md](load-balancing.md).',
  fields: {
    threshold: {
      type: 'number',
      between: [0, 100],
      default: 0,
      null_is_default: true,
      description: 'Per cent of the weight that has to be more than this for any to be used.',
    },
    active,
    passive,
  },
};
