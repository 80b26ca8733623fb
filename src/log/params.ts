/** Kong's queue parameters: their schema and defaults, and what became of the older fields. */
import type { PluginEntity } from '../config/model.js';
import { leafFault } from '../config/schema/leaf.js';
import type { QueueParameters } from '../plugin/log-types.js';
import type { RecordField } from '../plugin/schema.js';
import { journalFields } from './journal-options.js';

export type { QueueParameters } from '../plugin/log-types.js';

/** Kong's defaults; times in seconds. */
export const queueDefaults: QueueParameters = {
  max_batch_size: 1,
  max_coalescing_delay: 1,
  max_entries: 10000,
  max_bytes: null,
  max_retry_time: 60,
  initial_retry_delay: 0.01,
  max_retry_delay: 60,
  concurrency_limit: 1,
};

/** The `queue` record that every plugin with a queue has in its schema. */
export const queueField = {
  type: 'record',
  required: true,
  description: 'How log entries are collected, sent and repeated.',
  fields: {
    max_batch_size: {
      type: 'integer',
      between: [1, 1_000_000],
      default: 1,
      description: 'Entries sent together at most.',
    },
    max_coalescing_delay: {
      type: 'number',
      between: [0, 3600],
      default: 1,
      description: 'Seconds that a batch waits to become full.',
    },
    max_entries: {
      type: 'integer',
      between: [1, 1_000_000],
      default: 10000,
      description: 'Entries waiting; the oldest is dropped for one more.',
    },
    max_bytes: { type: 'integer', description: 'Bytes waiting; the oldest are dropped for more.' },
    max_retry_time: {
      type: 'number',
      default: 60,
      description: 'Seconds after which a failing batch is given up; -1: a single attempt.',
    },
    initial_retry_delay: {
      type: 'number',
      between: [0.001, 1_000_000],
      default: 0.01,
      description: 'Seconds before the first repetition; each further one waits twice as long.',
    },
    max_retry_delay: {
      type: 'number',
      between: [0.001, 1_000_000],
      default: 60,
      description: 'Seconds between two repetitions at most.',
    },
    concurrency_limit: {
      type: 'integer',
      one_of: [1, -1],
      default: 1,
      description: '1: one batch at a time; -1: every entry at once and alone, without limits.',
    },
    ...journalFields,
  },
} as const satisfies RecordField;

/** Names of the parameters in the order of the reference. */
const parameterNames = Object.keys(queueDefaults) as (keyof QueueParameters)[];

/** The given parameters, defaults for the others; null counts as not given. */
export function readParameters(
  given: Readonly<{ [K in keyof QueueParameters]?: unknown }>,
): QueueParameters {
  const parameters: Record<string, unknown> = { ...queueDefaults };
  for (const name of parameterNames) parameters[name] = given[name] ?? queueDefaults[name];
  return parameters as unknown as QueueParameters;
}

/** What is wrong with the first bad parameter, as Kong says it; null: nothing. */
export function parameterProblem(
  given: Readonly<{ [K in keyof QueueParameters]?: unknown }>,
): string | null {
  for (const name of parameterNames) {
    const value = given[name];
    if (value === undefined || (value === null && queueDefaults[name] === null)) continue;
    if (typeof value !== 'number' || Number.isNaN(value)) return `${name} must be a number`;
    const fault = leafFault(queueField.fields[name], value, value);
    if (fault) return `${name}: ${fault}`;
  }
  return null;
}

interface LegacyField {
  readonly old: string;
  /** A value equal to the old default counts as not given. */
  readonly oldDefault: number;
  /** Null: the value has no effect any more. */
  readonly parameter: 'max_batch_size' | 'max_coalescing_delay' | null;
}

const legacyFields: readonly LegacyField[] = [
  { old: 'retry_count', oldDefault: 10, parameter: null },
  { old: 'queue_size', oldDefault: 1, parameter: 'max_batch_size' },
  { old: 'flush_timeout', oldDefault: 2, parameter: 'max_coalescing_delay' },
  { old: 'batch_span_count', oldDefault: 200, parameter: 'max_batch_size' },
  { old: 'batch_flush_delay', oldDefault: 3, parameter: 'max_coalescing_delay' },
];

/** A plugin config as far as queues read it. */
export type QueueConfig = Readonly<Record<string, unknown>> & {
  readonly queue?: { readonly [K in keyof QueueParameters]?: unknown } | null;
};

/**
 * The parameters of a plugin config's queue. Older fields (`queue_size`, `flush_timeout`, ...) win
 * over the record, as in Kong; `warn` gets one sentence for each that is used.
 */
export function queueParameters(
  config: QueueConfig,
  warn: (message: string) => void = () => {},
): QueueParameters {
  const parameters: Record<string, unknown> = { ...readParameters(config.queue ?? {}) };
  for (const { old, oldDefault, parameter } of legacyFields) {
    const value = config[old];
    if (typeof value !== 'number' || value === oldDefault) continue;
    if (parameter) parameters[parameter] = value;
    warn(
      parameter
        ? `the ${old} parameter is deprecated, please update your configuration to use ` +
            `queue.${parameter} instead`
        : `the ${old} parameter no longer works, please update your configuration to use ` +
            'initial_retry_delay and max_retry_time instead',
    );
  }
  return parameters as unknown as QueueParameters;
}

/** What a plugin's queue is called, and the tag of its log lines. */
export interface QueueIdentity {
  readonly name: string;
  readonly tag: string;
}

/** `queue.name` of the config, else the name that the plugin's code gives, else the plugin's id. */
export function queueIdentity(
  plugin: Pick<PluginEntity, 'name' | 'id' | 'instance_name' | 'config'>,
  given?: string,
): QueueIdentity {
  const { name } = (plugin.config.queue ?? {}) as { readonly name?: unknown };
  const instance = plugin.instance_name ? ` (${plugin.instance_name})` : '';
  return {
    name: typeof name === 'string' ? name : (given ?? plugin.id),
    tag: `${plugin.name} plugin ${plugin.id}${instance}`,
  };
}

/** Lets a text pass at most once per `intervalMs` (default 60 s) and key. */
export class OncePerInterval {
  readonly #last = new Map<string, number>();
  readonly #intervalMs: number;

  constructor(intervalMs = 60_000) {
    this.#intervalMs = intervalMs;
  }

  /** True where `key` did not pass within the interval before `nowMs`. */
  pass(key: string, nowMs: number): boolean {
    const last = this.#last.get(key);
    if (last !== undefined && nowMs - last < this.#intervalMs) return false;
    this.#last.set(key, nowMs);
    return true;
  }
}
