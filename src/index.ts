export {
  type ConfigSource,
  formatProblem,
  jsonSchema,
  type LoadResult,
  loadConfig,
  type Problem,
} from './config/index.js';
export type {
  Consumer,
  PluginEntity,
  Protocol,
  Route,
  Service,
  Snapshot,
} from './config/model.js';
export { resolveSettings, type Settings, type SettingValue } from './config/settings.js';
export { type ErrorCode, type ErrorSide, errorTable, GatewayError } from './errors.js';
export type { FilterInput, FilterSource } from './filter/registry.js';
export type { FilterHostOptions, ForeignFunction } from './filter/services.js';
export { createGateway } from './gateway.js';
export type { Gateway, GatewayAddress, GatewayOptions, Loaded } from './gateway-options.js';
export { type Limit, type LimitName, limits } from './limits.js';
export type { Logger } from './observe/logger.js';
export * from './plugin/index.js';
export { version } from './product.js';
export { type Clock, systemClock } from './time.js';
