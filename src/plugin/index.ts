export type {
  AccessContext,
  ClientReader,
  HeaderFilterContext,
  PluginLog,
  RequestReader,
  ResponseWriter,
  ServiceReader,
  UpstreamRequestWriter,
} from './context-types.js';
export { type AnyPlugin, definePlugin, type PluginDefinition } from './define.js';
export type { LogEntry, LogSink, QueueParameters } from './log-types.js';
export type { FieldSchema, Fields, Infer, PluginSchema } from './schema.js';
