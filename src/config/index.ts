export { type KongError, kongError } from './kong-error.js';
export {
  type ConfigSource,
  formatProblem,
  type LoadResult,
  loadConfig,
  type Problem,
  type ProblemEntity,
} from './load.js';
export type {
  FieldSchema,
  Fields,
  PluginSchema,
  PluginSchemas,
  RecordSchema,
} from './schema/field.js';
export { jsonSchema } from './schema/json-schema.js';
export { validateRecord } from './schema/validate.js';
export {
  resolveSettings,
  type SettingSources,
  type Settings,
  type SettingValue,
  type TrustedRange,
} from './settings.js';
