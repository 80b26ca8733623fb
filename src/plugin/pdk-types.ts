/** What plugins ask the gateway itself for: client, log, cache, vault, node, entities, tracing. */
import type {
  Consumer,
  ConsumerGroup,
  Credential,
  CredentialCollection,
  CredentialOf,
} from '../config/model.js';

export interface ClientReader {
  /** Address after `trusted_ips` and `real_ip_header`. */
  readonly ip: string;
  /** The same as `ip`, by Kong's name. */
  readonly forwardedIp: string;
  /** Address of the peer of the connection. */
  readonly peerIp: string;
  readonly port: number;
  /** Who was authenticated; null before that. */
  readonly consumer: Consumer | null;
  readonly credential: Credential | null;
  /** Groups of the consumer by name. */
  readonly groups: readonly ConsumerGroup[];
}

export interface ClientAccess extends ClientReader {
  /**
   * Makes somebody the client from here on. Configurations for the consumer and its groups apply
   * to plugins that run after this one, in this phase and in later ones. One of both may be null.
   * @throws GatewayError GW_E_PLUGIN_FAILED where both are null
   */
  authenticate(consumer: Consumer | null, credential: Credential | null): void;
  /** A consumer by id, or by username too; null where there is none. */
  loadConsumer(idOrUsername: string, byUsername?: boolean): Consumer | null;
  /**
   * The scheme by which the client came: of the connection, or of X-Forwarded-Proto where
   * `allowTerminated` is true and the peer is trusted.
   */
  protocol(allowTerminated?: boolean): string;
}

export interface PluginInstance {
  readonly id: string;
  readonly name: string;
  readonly instanceName: string | null;
  readonly routeId: string | null;
  readonly serviceId: string | null;
  readonly consumerId: string | null;
}

/** Lines of the gateway's own log, with the plugin's name and the request's id. */
export interface PluginLog {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  /** Kong's level between info and warn; written as info. */
  notice(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
  /**
   * Puts a value into the log record of this request, at a dotted path (`\.` is a dot in a name).
   * `set` always, `add` where nothing is, `replace` where something is; null deletes.
   * @throws GatewayError GW_E_PLUGIN_FAILED for what is no JSON, or outside a request
   */
  setSerializeValue(path: string, value: unknown, mode?: 'set' | 'add' | 'replace'): void;
}

/** Entities of the configuration that the request runs under. Every look-up is constant time. */
export interface PluginEntities {
  consumer(id: string): Consumer | null;
  consumerByName(username: string): Consumer | null;
  /** By the value of a unique field, such as the `key` of `keyauth_credentials`. */
  find<C extends CredentialCollection>(
    collection: C,
    field: string,
    value: string,
  ): CredentialOf[C] | null;
  ofConsumer<C extends CredentialCollection>(
    collection: C,
    consumerId: string,
  ): readonly CredentialOf[C][];
  groupsOf(consumerId: string): readonly ConsumerGroup[];
}

export interface PluginCache {
  /**
   * The value under a key, or what `load` gives, which runs once for all who wait. null and
   * undefined are kept for `negativeTtlMs`. A rejection is not kept.
   */
  get<T>(key: string, options: CacheOptions, load: () => T | Promise<T>): Promise<T>;
  /** The value if it is there and fresh; undefined otherwise. */
  peek<T>(key: string): T | undefined;
  set(key: string, value: unknown, ttlMs?: number): void;
  delete(key: string): void;
  clear(): void;
}

export interface CacheOptions {
  /** Milliseconds; 0: for ever. Default 0. */
  readonly ttlMs?: number;
  /** For null and undefined; default as `ttlMs`. */
  readonly negativeTtlMs?: number;
  /** How long an old value is given where loading anew fails; default 0. */
  readonly staleMs?: number;
}

export interface PluginVault {
  /** Whether a text is `{vault://...}`. */
  isReference(text: string): boolean;
  /** The secret, or the empty string with a warning where there is none. */
  get(reference: string): string;
}

export interface NodeReader {
  readonly id: string;
  readonly hostname: string;
  memoryStats(): { readonly heapUsedBytes: number; readonly rssBytes: number };
}

/** Spans: kept by the tracing plugins where there are any, else without effect. */
export interface PluginTracing {
  startSpan(name: string, attributes?: Readonly<Record<string, unknown>>): PluginSpan;
}

export interface PluginSpan {
  setAttribute(name: string, value: unknown): void;
  addEvent(name: string, attributes?: Readonly<Record<string, unknown>>): void;
  recordError(error: unknown): void;
  end(): void;
}
