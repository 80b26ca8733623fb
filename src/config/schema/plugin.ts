/** The schema of a plugin entity; that of its `config` is the plugin's own. */
import { compileCondition } from '../../core/request-condition.js';
import { GatewayError } from '../../errors.js';
import { didYouMean } from '../nearest.js';
import { allProtocols, entityFields, uniqueName, webSocketProtocols } from './common.js';
import type {
  FieldSchema,
  PluginSchema,
  PluginSchemas,
  RecordSchema,
  SchemaError,
} from './field.js';

export const pluginScopes = ['service', 'route', 'consumer', 'consumer_group'] as const;
export type PluginScope = (typeof pluginScopes)[number];

const defaultProtocols = ['grpc', 'grpcs', 'http', 'https'];
const built = new WeakMap<PluginSchema, RecordSchema>();

const orderedPhases = [
  'rewrite',
  'access',
  'response',
  'header_filter',
  'body_filter',
  'log',
] as const;

const namesByPhase: FieldSchema = {
  type: 'map',
  keys: { type: 'string', one_of: orderedPhases },
  values: { type: 'array', elements: { type: 'string' } },
};

const ordering: FieldSchema = {
  type: 'record',
  required: false,
  description: 'Names of plugins, by phase, that this one runs before or after.',
  fields: { before: namesByPhase, after: namesByPhase },
};

/** The entity schema of a plugin with that config schema; without one, any config is accepted. */
export function pluginEntitySchema(plugin?: PluginSchema): RecordSchema {
  const known = plugin && built.get(plugin);
  if (known) return known;
  const allowed = plugin?.protocols ?? (plugin ? defaultProtocols : allProtocols);
  const config: FieldSchema = plugin ? { type: 'record', ...recordOf(plugin) } : { type: 'any' };
  const schema: RecordSchema = {
    fields: {
      ...entityFields,
      name: { type: 'string', required: true, description: 'Which plugin.' },
      instance_name: { ...uniqueName, description: 'Unique name of this configuration.' },
      service: { type: 'foreign', reference: 'services' },
      route: { type: 'foreign', reference: 'routes' },
      consumer: { type: 'foreign', reference: 'consumers' },
      consumer_group: { type: 'foreign', reference: 'consumer_groups' },
      config,
      protocols: {
        type: 'set',
        required: true,
        elements: {
          type: 'string',
          one_of: allowed,
          // Their handshakes are requests.
          ...(allowed.includes('http') && { also: webSocketProtocols }),
        },
        default: allowed.filter((protocol) => defaultProtocols.includes(protocol)),
      },
      enabled: { type: 'boolean', required: true, default: true },
      ordering,
      condition: {
        type: 'string',
        check: conditionFault,
        description: 'An expression over the request; the plugin runs only where it holds.',
      },
    },
  };
  if (plugin) built.set(plugin, schema);
  return schema;
}

function conditionFault(text: string): string | undefined {
  try {
    compileCondition(text);
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error.message;
    throw error;
  }
}

function recordOf(plugin: PluginSchema): RecordSchema {
  const { scopes: _scopes, protocols: _protocols, ...record } = plugin;
  return record;
}

/**
 * The error for a plugin that is not loaded, or null. `shown`: what messages may show of the name.
 */
export function unknownPlugin(
  name: unknown,
  shown: string,
  plugins: PluginSchemas,
): Omit<SchemaError, 'path'> | null {
  if (typeof name !== 'string' || name === '' || plugins.has(name)) return null;
  const message = `plugin '${shown}' not enabled; add it to the 'plugins' configuration property`;
  return { message, at: 'value', hint: didYouMean(name, plugins.keys()) };
}

/** Scopes that a configuration names although the plugin cannot be attached there. */
export function forbiddenScopes(
  plugin: PluginSchema,
  named: readonly PluginScope[],
): PluginScope[] {
  const { scopes } = plugin;
  if (!scopes) return [];
  const allowed: readonly string[] = scopes.includes('consumer')
    ? [...scopes, 'consumer_group']
    : scopes;
  return named.filter((scope) => !allowed.includes(scope));
}
