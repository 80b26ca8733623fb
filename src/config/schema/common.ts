/** Fields that several entities and plugins share. */
import type { ArrayField, Fields, NumberField, StringField } from './field.js';

export const allProtocols = [
  'grpc',
  'grpcs',
  'http',
  'https',
  'tcp',
  'tls',
  'tls_passthrough',
  'udp',
] as const;

export const uuid: StringField = { type: 'string', format: 'uuid' };
export const port: NumberField = { type: 'integer', between: [0, 65535] };
export const uniqueName: StringField = { type: 'string', format: 'name' };

export const tags: ArrayField = {
  type: 'set',
  elements: { type: 'string', format: 'tag' },
  description: 'Labels to select entities by.',
};

const timestamp: NumberField = {
  type: 'integer',
  check: (value) => (value > 0 ? undefined : 'expected a valid timestamp'),
  description: 'Epoch seconds; set at load if absent.',
};

/** What every entity has. */
export const entityFields = {
  id: { ...uuid, description: 'UUID; made from the name if absent, the same at each load.' },
  created_at: timestamp,
  updated_at: timestamp,
  tags,
} as const satisfies Fields;

export const protocolElement: StringField = { type: 'string', one_of: allProtocols };

const queueMs = (value: number): NumberField => ({ type: 'number', default: value });

/** Kong's shared `queue` record of the plugins that ship logs. */
export const queueFields = {
  max_batch_size: {
    type: 'integer',
    default: 1,
    between: [1, 1000000],
    description: 'Most entries sent at once.',
  },
  max_coalescing_delay: {
    type: 'number',
    default: 1,
    between: [0, 3600],
    description: 'Seconds that the first entry of a batch waits for more.',
  },
  max_entries: {
    type: 'integer',
    default: 10000,
    between: [1, 1000000],
    description: 'Entries that wait at most; above it the oldest is dropped.',
  },
  max_bytes: { type: 'integer', gt: 0, description: 'Bytes that wait at most.' },
  max_retry_time: { ...queueMs(60), description: 'Seconds of retrying before a batch is dropped.' },
  initial_retry_delay: {
    ...queueMs(0.01),
    between: [0.001, 1000000],
    description: 'Seconds before the first retry; doubled each time.',
  },
  max_retry_delay: {
    ...queueMs(60),
    between: [0.001, 1000000],
    description: 'Seconds between retries at most.',
  },
  concurrency_limit: {
    type: 'integer',
    default: 1,
    one_of: [1, -1],
    description: 'Batches sent at a time; -1: no limit.',
  },
} as const satisfies Fields;
