/**
 * What a plugin is: a name, a version, a priority, the schema of its config and handlers of the
 * phases it takes part in. Every phase runs its plugins by priority, highest first; where two are
 * equal, the name that sorts later runs first (as Kong does).
 */
import { GatewayError } from '../errors.js';
import type {
  AccessContext,
  BodyFilterContext,
  CertificateContext,
  FrameContext,
  HandshakeContext,
  HeaderFilterContext,
  NodeContext,
  ResponseContext,
  RewriteContext,
  SocketCloseContext,
  WebSocketFrame,
} from './context-types.js';
import type { LogEntry, LogSink } from './log-types.js';
import type { Fields, Infer, PluginSchema } from './schema.js';

export interface PluginDefinition<F extends Fields = Fields> {
  /** The name that configuration files use: lower-case letters, digits, dashes. */
  readonly name: string;
  /** `x.y.z`. */
  readonly version: string;
  /** Integer; higher runs earlier, in every phase. */
  readonly priority: number;
  readonly schema: PluginSchema<F>;
  /** Scopes that the look-up of this plugin's configuration ignores; default none. */
  readonly ignoredScopes?: readonly ('service' | 'route' | 'consumer')[];
  /** Once per worker, for every loaded plugin, configured or not. A failure is logged. */
  initWorker?(ctx: NodeContext): void | Promise<void>;
  /**
   * After every change of configuration: the enabled configurations of this plugin of all scopes,
   * null where there is none. A failure is logged.
   */
  configure?(configs: readonly Infer<F>[] | null, ctx: NodeContext): void | Promise<void>;
  /** Per TLS connection, before its certificate is chosen; global configuration only. */
  certificate?(ctx: CertificateContext<Infer<F>>): void | Promise<void>;
  /** Before routing; global configuration only. Otherwise as `access`. */
  rewrite?(ctx: RewriteContext<Infer<F>>): void | Promise<void>;
  /**
   * After routing, before the upstream is asked. Return nothing to go on; call
   * `ctx.response.exit` to answer here. A returned promise parks the request until it settles.
   */
  access?(ctx: AccessContext<Infer<F>>): void | Promise<void>;
  /**
   * With the whole answer of the upstream; the answer is buffered for it. Excludes `headerFilter`
   * and `bodyFilter` in the same plugin.
   */
  response?(ctx: ResponseContext<Infer<F>>): void | Promise<void>;
  /** When the response head is known, before it is sent; synchronous only. */
  headerFilter?(ctx: HeaderFilterContext<Infer<F>>): void;
  /**
   * For each part of the response body, and once with `isLast`; synchronous only. Returns what is
   * sent instead: nothing leaves the part as it is, null or an empty one drops it.
   */
  bodyFilter?(
    ctx: BodyFilterContext<Infer<F>>,
    chunk: Uint8Array,
    isLast: boolean,
  ): Uint8Array | string | null | undefined;
  /** `bodyFilter` only looks: the answer keeps its length. Default false. */
  readonly observesBody?: boolean;
  /** After the last byte, off the request's path; errors are logged and change nothing. */
  log?(entry: LogEntry, config: Infer<F>): void | Promise<void>;
  /** Instead of `log`, for plugins that ship entries in batches through a queue. */
  readonly logSink?: LogSink<Infer<F>>;
  /**
   * On routes for WebSockets, before the upgrade is passed on: instead of `access`, which runs
   * there in plugins without this handler.
   */
  wsHandshake?(ctx: HandshakeContext<Infer<F>>): void | Promise<void>;
  /**
   * Per message or control frame of the client; synchronous only. Returns what is passed on
   * instead; nothing leaves it as it is, null drops it.
   */
  wsClientFrame?(ctx: FrameContext<Infer<F>>, frame: WebSocketFrame): FrameResult;
  /** Per frame from the upstream. */
  wsUpstreamFrame?(ctx: FrameContext<Infer<F>>, frame: WebSocketFrame): FrameResult;
  /** When the WebSocket is over; synchronous only. `log` runs as for every request. */
  wsClose?(ctx: SocketCloseContext<Infer<F>>): void;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a handler that only looks returns nothing
export type FrameResult = WebSocketFrame | null | undefined | void;

/** Handlers by Kong's name of their phase, in the order of a request's life. */
export const handlerPhases = {
  initWorker: 'init_worker',
  configure: 'configure',
  certificate: 'certificate',
  rewrite: 'rewrite',
  access: 'access',
  response: 'response',
  headerFilter: 'header_filter',
  bodyFilter: 'body_filter',
  log: 'log',
  wsHandshake: 'ws_handshake',
  wsClientFrame: 'ws_client_frame',
  wsUpstreamFrame: 'ws_upstream_frame',
  wsClose: 'ws_close',
} as const;

export type HandlerName = keyof typeof handlerPhases;
/** Kong's names of the phases. */
export type PhaseName = (typeof handlerPhases)[HandlerName];

/** A plugin of any schema, as registries and plans hold it. */
// biome-ignore lint/suspicious/noExplicitAny: handlers are contravariant in their config type
export type AnyPlugin = PluginDefinition<any>;

const namePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const versionPattern = /^\d+\.\d+\.\d+$/;

/**
 * Declares a plugin; `ctx.config` gets its type from `schema`.
 * @throws GatewayError GW_E_PLUGIN_DEFINITION naming what is wrong
 */
export function definePlugin<const F extends Fields>(
  definition: PluginDefinition<F>,
): PluginDefinition<F> {
  const fault = definitionFault(definition);
  if (fault) {
    const name = typeof definition?.name === 'string' ? definition.name : '(unnamed)';
    throw new GatewayError('GW_E_PLUGIN_DEFINITION', `plugin ${name}: ${fault}`);
  }
  return Object.freeze(definition);
}

/** The first reason why a value is not a plugin, or null. Used for modules loaded by name, too. */
export function definitionFault(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return 'expected an object from definePlugin()';
  const definition = value as Partial<Record<keyof PluginDefinition, unknown>>;
  const { name, version, priority, schema } = definition;
  if (typeof name !== 'string' || !namePattern.test(name)) {
    return `name must be lower-case words joined by dashes, got ${JSON.stringify(name)}`;
  }
  if (typeof version !== 'string' || !versionPattern.test(version)) {
    return `version must be x.y.z, got ${JSON.stringify(version)}`;
  }
  if (!Number.isSafeInteger(priority)) return `priority must be an integer, got ${priority}`;
  if (typeof schema !== 'object' || schema === null || !isFields(schema)) {
    return 'schema must be an object with fields';
  }
  return handlerFault(definition);
}

function isFields(schema: object): boolean {
  const fields = (schema as { fields?: unknown }).fields;
  if (typeof fields !== 'object' || fields === null) return false;
  return Object.values(fields).every((field) => typeof field?.type === 'string');
}

function handlerFault(definition: Partial<Record<keyof PluginDefinition, unknown>>): string | null {
  for (const phase of Object.keys(handlerPhases) as HandlerName[]) {
    const handler = definition[phase];
    if (handler !== undefined && typeof handler !== 'function') {
      return `${phase} must be a function`;
    }
  }
  if (definition.response && (definition.headerFilter || definition.bodyFilter)) {
    return 'response excludes headerFilter and bodyFilter';
  }
  const sink = definition.logSink as Partial<LogSink<unknown>> | undefined;
  if (sink === undefined) return null;
  if (typeof sink?.queue !== 'function' || typeof sink.send !== 'function') {
    return 'logSink must have the functions queue and send';
  }
  if (definition.log) return 'log and logSink exclude each other';
  return null;
}
