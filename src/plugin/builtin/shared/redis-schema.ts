/** Kong's shared `redis` record, its older flat names, and when it is needed (reference, B5). */
import type { EntityCheck } from '../../../config/schema/entity-check.js';
import type { Faults } from '../../../config/schema/field.js';

export const redisRecord = {
  type: 'record',
  fields: {
    host: { type: 'string', format: 'host' },
    port: { type: 'integer', between: [0, 65_535], default: 6379 },
    timeout: { type: 'integer', between: [0, 2_147_483_646], default: 2000 },
    username: { type: 'string', referenceable: true },
    password: { type: 'string', referenceable: true, encrypted: true, len_min: 0 },
    database: { type: 'integer', default: 0 },
    ssl: { type: 'boolean', required: true, default: false },
    ssl_verify: { type: 'boolean', required: true, default: false },
    server_name: { type: 'string', format: 'sni' },
  },
} as const;

const names = [
  'host',
  'port',
  'password',
  'username',
  'ssl',
  'ssl_verify',
  'server_name',
  'timeout',
  'database',
] as const;

/** `redis_host` and the like, which go on working with a warning. */
export const redisShorthands = Object.fromEntries(
  names.map((name) => [
    `redis_${name}`,
    {
      type: redisRecord.fields[name].type,
      expand: (value: unknown) => ({ redis: { [name]: value } }),
      deprecation: {
        message: `redis_${name} is deprecated, please use redis.${name} instead`,
        replaced_with: [{ path: ['redis', name] }],
      },
    },
  ]),
);

/** With this value in `ifField`, `thenField` has to be there. */
export const needs = (ifField: string, eq: string, thenField: string): EntityCheck => ({
  conditional: {
    if_field: ifField,
    if_match: { eq },
    then_field: thenField,
    then_match: { required: true },
  },
});

/** Where `policy` is `redis`, the record has to say where that is. */
export const redisNeeds: readonly EntityCheck[] = ['host', 'port', 'timeout'].map((field) =>
  needs('policy', 'redis', `redis.${field}`),
);

/** What a configuration whose counters would lie in a database answers; empty: they do not. */
export function clusterFault(config: Readonly<Record<string, unknown>>): Faults {
  if (config.policy !== 'cluster') return {};
  return { policy: "policy 'cluster' is not supported without a database; use 'redis'" };
}

/** The record as a plugin reads it. */
export interface RedisConfig {
  readonly host: string | null;
  readonly port: number | null;
  readonly timeout: number | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number | null;
  readonly ssl: boolean;
  readonly ssl_verify: boolean;
  readonly server_name: string | null;
}
