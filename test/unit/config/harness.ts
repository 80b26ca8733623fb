/**
 * Shared by the configuration suites: a small set of plugins, and problems as `line:column: text`.
 */
import { type ConfigSource, loadConfig, type Problem } from '../../../src/config/index.js';
import type { Snapshot } from '../../../src/config/model.js';
import type { PluginSchema, PluginSchemas } from '../../../src/config/schema/field.js';

const termination: PluginSchema = {
  fields: {
    status_code: { type: 'integer', default: 503, between: [100, 599] },
    message: { type: 'string' },
    trigger: { type: 'string', len_min: 0 },
  },
};

const shipper: PluginSchema = {
  scopes: ['service', 'route', 'global'],
  fields: {
    endpoint: { type: 'string', required: true, format: 'url' },
    secret: { type: 'string', encrypted: true, match: '[a-z]+' },
    headers: {
      type: 'map',
      keys: { type: 'string', format: 'header_name' },
      values: { type: 'string' },
    },
    queue: {
      type: 'record',
      fields: { max_batch_size: { type: 'integer', default: 1, between: [1, 1000000] } },
    },
  },
};

export const plugins: PluginSchemas = new Map([
  ['request-termination', { schema: termination }],
  ['shipper', { schema: shipper }],
]);

type Options = Partial<Omit<ConfigSource, 'text'>>;

export function problemsOf(text: string, options: Options = {}): readonly Problem[] {
  const result = loadConfig({ text, pluginSchemas: plugins, ...options });
  return result.ok ? [] : result.problems;
}

/** Each problem as `line:column: message`. */
export function report(text: string, options: Options = {}): string[] {
  return problemsOf(text, options).map(
    ({ line, column, message }) => `${line}:${column}: ${message}`,
  );
}

export function load(text: string, options: Options = {}): Snapshot {
  const result = loadConfig({ text, pluginSchemas: plugins, nowMs: 1_700_000_000_999, ...options });
  if (!result.ok) throw new Error(result.problems.map((problem) => problem.message).join('\n'));
  return result.snapshot;
}
