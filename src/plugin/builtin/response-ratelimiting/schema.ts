/** Schema of response-ratelimiting (kong-bundled-plugins reference, section 32). */
import { orderFault } from '../rate-limiting/schema.js';
import { clusterFault, redisNeeds, redisRecord, redisShorthands } from '../shared/redis-schema.js';

const limit = { type: 'number', gt: 0 } as const;

export const fields = {
  header_name: {
    type: 'string',
    default: 'x-kong-limit',
    description: 'Answer header in which the upstream says what a request cost.',
  },
  limit_by: {
    type: 'string',
    default: 'consumer',
    one_of: ['consumer', 'credential', 'ip'],
    description: 'What has counters of its own; the client address where it is unknown.',
  },
  policy: {
    type: 'string',
    default: 'local',
    one_of: ['local', 'cluster', 'redis'],
    description: 'Where counters are: in this node, or in Redis.',
  },
  fault_tolerant: { type: 'boolean', required: true, default: true },
  redis: redisRecord,
  block_on_first_violation: {
    type: 'boolean',
    required: true,
    default: false,
    description: 'Refuse every request as soon as one limit is used up.',
  },
  hide_client_headers: { type: 'boolean', required: true, default: false },
  limits: {
    type: 'map',
    required: true,
    len_min: 1,
    keys: { type: 'string' },
    values: {
      type: 'record',
      fields: {
        second: limit,
        minute: limit,
        hour: limit,
        day: limit,
        month: limit,
        year: limit,
      },
      check: orderFault,
    },
    description: 'Limits by name; what each costs is up to the upstream.',
  },
} as const;

export const schema = {
  fields,
  shorthand_fields: redisShorthands,
  scopes: ['consumer', 'service', 'route', 'global'],
  protocols: ['http', 'https', 'grpc', 'grpcs'],
  entity_checks: redisNeeds,
  check: clusterFault,
} as const;
