/** What `createGateway` takes and what its gateway offers. */
import type { Snapshot } from './config/model.js';
import type { SettingValue } from './config/settings.js';
import type { FilterInput } from './filter/registry.js';
import type { ForeignFunction } from './filter/services.js';
import type { Logger } from './observe/logger.js';
import type { AnyPlugin } from './plugin/define.js';
import type { Clock } from './time.js';

export interface GatewayOptions {
  /**
   * Kong's declarative configuration: a document as an object, as YAML or JSON text, or the path of
   * a file (one line that ends in .yml, .yaml or .json), which `reload()` reads again. Default: the
   * file of `configFile`, else the setting `declarative_config` or `declarative_config_string`,
   * else empty (every request is answered 404).
   */
  readonly config?: string | object;
  /** Path of a declarative file, whatever its name. */
  readonly configFile?: string;
  /** Node settings by Kong's names, such as `proxy_listen`; they win over every other source. */
  readonly settings?: Readonly<Record<string, SettingValue | undefined>>;
  /** Path of a settings file in kong.conf form. */
  readonly confFile?: string;
  /** Plugins beside those of the setting `plugins` (by default the bundled ones). */
  readonly plugins?: readonly AnyPlugin[];
  /**
   * Proxy-Wasm filters by name: bytes, a path, a URL, or one of them with options of the host. They
   * are loaded beside those of `wasm_filters_path`, and win over them.
   */
  readonly filters?: Readonly<Record<string, FilterInput>>;
  /** Functions that filters may call by name (`proxy_call_foreign_function`). */
  readonly filterFunctions?: Readonly<Record<string, ForeignFunction>>;
  /** A pino-like logger; default pino to standard output at `log_level`. */
  readonly logger?: Logger;
  /**
   * Environment: `KONG_*` and `HEADGATE_*` are settings, `${NAME}` in configuration files is
   * replaced. Default process.env.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the system's clocks. */
  readonly clock?: Clock;
}

export interface GatewayAddress {
  readonly address: string;
  /** 0 for Unix sockets. */
  readonly port: number;
  readonly kind: 'proxy' | 'admin';
  readonly ssl: boolean;
}

export interface Loaded {
  readonly snapshot: Snapshot;
  /** Number of the table in use. */
  readonly generation: number;
}

export interface Gateway extends AsyncDisposable {
  /**
   * Resolves settings, loads the configuration, binds every listener.
   * @throws GatewayError of side `config`, also GW_E_PLUGIN_DEFINITION; nothing is left running
   */
  start(): Promise<void>;
  /**
   * Loads a configuration (default: the source of the start, read again; filters are read again,
   * too) and swaps it in. All or
   * nothing: on an error the one in use stays. Calls are carried out one after the other.
   * @throws GatewayError GW_E_CONFIG_INVALID, GW_E_CONFIG_PARSE, GW_E_CONFIG_READ,
   * GW_E_CONFIG_LIMIT
   */
  reload(config?: string | object): Promise<Loaded>;
  /**
   * Fails readiness, stops accepting, lets exchanges end and log queues empty for at most
   * `drain_timeout`, then closes. Idempotent.
   * @returns exchanges and tunnels that were cut
   */
  drain(): Promise<number>;
  /** Resets every connection at once. Idempotent. */
  close(): Promise<void>;
  /** Opens log files again after a rotation. */
  reopenLogs(): Promise<void>;
  /** Addresses that were really bound; ports filled in. */
  readonly addresses: readonly GatewayAddress[];
  /** The configuration in use. */
  readonly snapshot: Snapshot;
  /** Resolves when the gateway has closed: null, or the failure that made it close. */
  readonly closed: Promise<Error | null>;
  readonly state: 'new' | 'starting' | 'running' | 'draining' | 'closed';
}
