/** Schema of rate-limiting (kong-bundled-plugins reference, section 1). */
import type { Faults } from '../../../config/schema/field.js';
import {
  clusterFault,
  needs,
  redisNeeds,
  redisRecord,
  redisShorthands,
} from '../shared/redis-schema.js';
import { periods } from './windows.js';

const limit = { type: 'number', gt: 0 } as const;

export const fields = {
  second: { ...limit, description: 'Requests per second.' },
  minute: { ...limit, description: 'Requests per minute.' },
  hour: { ...limit, description: 'Requests per hour.' },
  day: { ...limit, description: 'Requests per day.' },
  month: { ...limit, description: 'Requests per month.' },
  year: { ...limit, description: 'Requests per year.' },
  limit_by: {
    type: 'string',
    default: 'consumer',
    one_of: ['consumer', 'credential', 'ip', 'service', 'header', 'path'],
    description: 'What has a counter of its own; the client address where it is unknown.',
  },
  header_name: { type: 'string', format: 'header_name' },
  path: { type: 'string', starts_with: '/' },
  policy: {
    type: 'string',
    default: 'local',
    len_min: 0,
    one_of: ['local', 'cluster', 'redis'],
    description: 'Where counters are: in this node, or in Redis.',
  },
  fault_tolerant: {
    type: 'boolean',
    required: true,
    default: true,
    description: 'Let requests pass while counters cannot be reached.',
  },
  redis: redisRecord,
  hide_client_headers: { type: 'boolean', required: true, default: false },
  error_code: { type: 'number', gt: 0, default: 429 },
  error_message: { type: 'string', default: 'API rate limit exceeded' },
  sync_rate: {
    type: 'number',
    required: true,
    default: -1,
    description: 'Seconds between two exchanges with Redis; -1: at every request.',
  },
  window_type: {
    type: 'string',
    default: 'fixed',
    one_of: ['fixed', 'sliding'],
    description: 'Sliding: the share of the last window that is still in sight counts as well.',
  },
} as const;

export const schema = {
  fields,
  shorthand_fields: redisShorthands,
  scopes: ['consumer', 'service', 'route', 'global'],
  protocols: ['http', 'https', 'grpc', 'grpcs'],
  entity_checks: [
    { at_least_one_of: [...periods] },
    ...redisNeeds,
    needs('limit_by', 'header', 'header_name'),
    needs('limit_by', 'path', 'path'),
  ],
  check,
} as const;

function check(config: Readonly<Record<string, unknown>>): Faults {
  if (config.policy === 'cluster') return clusterFault(config);
  const rate = config.sync_rate as number;
  if (rate !== -1 && config.policy !== 'redis') {
    return { sync_rate: 'sync_rate can only be used with the redis policy' };
  }
  if (rate !== -1 && rate < 0.02) return { sync_rate: 'sync_rate must be at least 0.02, or -1' };
  return orderFault(config);
}

/** A longer period may not allow less than a shorter one. */
export function orderFault(config: Readonly<Record<string, unknown>>): Faults {
  const given = periods.filter((period) => typeof config[period] === 'number');
  for (const [i, longer] of given.entries()) {
    for (const shorter of given.slice(0, i)) {
      const [more, less] = [config[longer] as number, config[shorter] as number];
      if (more >= less) continue;
      const text = (name: string, value: number) => `${name}(${luaNumber(value)})`;
      const message =
        `The limit for ${text(longer, more)} cannot be lower than ` +
        `the limit for ${text(shorter, less)}`;
      return { '@entity': message };
    }
  }
  return {};
}

const luaNumber = (value: number): string =>
  Number.isInteger(value) ? value.toFixed(1) : String(value);
