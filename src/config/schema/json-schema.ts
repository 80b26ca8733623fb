/** The JSON Schema (draft 2020-12) of the declarative format, for editors. */
import type { PluginSchemas } from './field.js';

/** `plugins`: adds the config of each of them. */
export function jsonSchema(plugins?: PluginSchemas): Record<string, unknown> {
  return { plugins };
}
