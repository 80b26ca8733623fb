/**
 * What the handlers of each phase are given. One object per call; a phase has the members that make
 * sense in it, so that a misuse does not compile. JavaScript that misuses one gets an error that
 * names the phases. Everything is decoded when it is asked for; nothing is read ahead.
 */
import type { Route } from '../config/model.js';
import type {
  ClientAccess,
  ClientReader,
  NodeReader,
  PluginCache,
  PluginEntities,
  PluginInstance,
  PluginLog,
  PluginTracing,
  PluginVault,
} from './pdk-types.js';
import type { RequestReader } from './request-types.js';
import type {
  BufferedResponse,
  ExitingResponse,
  FilterResponse,
  RouterReader,
  ServiceAccess,
  ServiceReader,
} from './service-types.js';
import type { SocketPeers, SocketSession } from './socket-types.js';

/** What every handler has, also those outside a request. */
export interface NodeContext {
  readonly log: PluginLog;
  readonly node: NodeReader;
  /** Shared by all requests and all configurations of the plugin, within this worker. */
  readonly cache: PluginCache;
  readonly vault: PluginVault;
  /** Consumers and credentials of the configuration in use. */
  readonly entities: PluginEntities;
  readonly ip: {
    /** Whether an address is in `trusted_ips`. */
    isTrusted(address: string): boolean;
  };
}

interface RequestContext<Config> extends NodeContext {
  readonly request: RequestReader;
  readonly client: ClientReader;
  readonly config: Config;
  /** Which configuration of the plugin runs. */
  readonly instance: PluginInstance;
  /** An object of this exchange that every plugin sees. */
  readonly shared: Record<string, unknown>;
  /** An object of this exchange and this plugin, the same in all phases. */
  readonly plugin: Record<string, unknown>;
  readonly tracing: PluginTracing;
}

interface RoutedContext<Config> extends RequestContext<Config> {
  /** The matched route; null where nothing matched. */
  readonly route: Route | null;
  readonly router: RouterReader;
}

/** Outside any exchange: only the connection is known. */
export interface CertificateContext<Config = unknown> extends NodeContext {
  readonly config: Config;
  /** The peer of the connection. */
  readonly client: { readonly ip: string; readonly port: number };
  /** The name that the client asks for (RFC 6066 3), in lower case; null: none. */
  readonly serverName: string | null;
  /**
   * Shows this certificate, both as PEM, instead of the configured one.
   * @throws Error where OpenSSL does not take it
   */
  useCertificate(cert: string, key: string): void;
}

export interface RewriteContext<Config = unknown> extends RequestContext<Config> {
  readonly service: ServiceAccess;
  readonly response: ExitingResponse;
}

export interface AccessContext<Config = unknown> extends RoutedContext<Config> {
  readonly client: ClientAccess;
  readonly service: ServiceAccess;
  readonly response: ExitingResponse;
}

export interface ResponseContext<Config = unknown> extends RoutedContext<Config> {
  readonly service: ServiceReader;
  readonly response: BufferedResponse & ExitingResponse;
}

export interface HeaderFilterContext<Config = unknown> extends RoutedContext<Config> {
  readonly service: ServiceReader;
  readonly response: FilterResponse & ExitingResponse;
}

export interface BodyFilterContext<Config = unknown> extends RoutedContext<Config> {
  readonly service: ServiceReader;
  readonly response: Pick<FilterResponse, 'status' | 'header' | 'headers' | 'source'>;
}

/** Before a WebSocket is opened. */
export interface HandshakeContext<Config = unknown> extends AccessContext<Config> {
  readonly websocket: SocketPeers;
}

interface OpenSocketContext<Config> extends RoutedContext<Config> {
  readonly service: ServiceReader;
  /** The answer that opened the WebSocket. */
  readonly response: Pick<FilterResponse, 'status' | 'header' | 'headers' | 'source'>;
}

/** During a WebSocket: the request is the one of its handshake. */
export interface FrameContext<Config = unknown> extends OpenSocketContext<Config> {
  readonly websocket: SocketPeers;
  /** Ends the WebSocket with a status for both ends (RFC 6455 7.4), 1000 by default. */
  close(status?: number, reason?: string): void;
}

/** When a WebSocket is over. */
export interface SocketCloseContext<Config = unknown> extends OpenSocketContext<Config> {
  readonly session: SocketSession;
}

export type {
  ClientAccess,
  ClientReader,
  PluginLog,
} from './pdk-types.js';
export type { RequestReader } from './request-types.js';
export type { ResponseWriter, ServiceReader, UpstreamRequestWriter } from './service-types.js';
export type { SocketPeer, SocketPeers, SocketSession, WebSocketFrame } from './socket-types.js';
