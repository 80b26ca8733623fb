export type {
  AccessContext,
  ClientReader,
  FrameContext,
  HandshakeContext,
  HeaderFilterContext,
  PluginLog,
  RequestReader,
  ResponseWriter,
  ServiceReader,
  SocketCloseContext,
  SocketPeer,
  SocketSession,
  UpstreamRequestWriter,
  WebSocketFrame,
} from './context-types.js';
export { type AnyPlugin, definePlugin, type PluginDefinition } from './define.js';
export type { LogEntry, LogSink, QueueParameters } from './log-types.js';
export type { FieldSchema, Fields, Infer, PluginSchema } from './schema.js';
