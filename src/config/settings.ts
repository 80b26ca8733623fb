/** The settings of a node, resolved from defaults, a kong.conf file, the environment and options. */
import type { ListenSpec } from '../driver/contract.js';

export interface TrustedRange {
  /** 16 bytes; IPv4 is mapped into ::ffff:0:0/96. Host bits are zero. */
  readonly address: Uint8Array;
  /** 0 to 128. */
  readonly prefixBits: number;
}

export interface Settings {
  /** Empty: `off`. */
  readonly proxyListen: readonly ListenSpec[];
  readonly adminListen: readonly ListenSpec[];
  readonly driver: 'auto' | 'net' | 'native';
  readonly workers: number;
  /** `off`, `stdout`, or the path of a file. */
  readonly accessLog: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  readonly declarativeConfig: string | null;
  readonly declarativeConfigString: string | null;
  /** As given: `bundled`, names; empty for `off`. */
  readonly plugins: readonly string[];
  readonly routerFlavor: 'traditional_compatible' | 'traditional' | 'expressions';
  readonly trustedIps: readonly TrustedRange[];
  /** `unix:` is in trusted_ips: peers of Unix sockets are trusted. */
  readonly trustUnix: boolean;
  /** Lower case. */
  readonly realIpHeader: string;
  readonly realIpRecursive: boolean;
  /** TokenFlag bits of src/core/layout.ts, DEBUG and REAL_IP_RECURSIVE included. */
  readonly tokens: number;
  /** ContentType code of src/core/layout.ts. */
  readonly errorDefaultType: number;
  readonly allowDebugHeader: boolean;
  /** Listener port to the port that clients see. */
  readonly portMaps: ReadonlyMap<number, number>;
  /** 0: unlimited. */
  readonly clientMaxBodyBytes: number;
  readonly adminMaxBodyBytes: number;
  readonly upstreamKeepalivePoolSize: number;
  readonly upstreamKeepaliveMaxRequests: number;
  /** 0: no limit. */
  readonly upstreamKeepaliveIdleMs: number;
  readonly clientHeaderTimeoutMs: number;
  readonly clientBodyTimeoutMs: number;
  /** Bytes per second, 0: off. */
  readonly clientBodyMinRate: number;
  readonly clientBodyMinRateGraceMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly keepaliveRequests: number;
  readonly sendTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** Settings that were given, are accepted for Kong's sake and have no effect; to be logged. */
  readonly ignored: readonly string[];
}

export type SettingValue = string | number | boolean | readonly (string | number)[];

export interface SettingSources {
  /** Contents of a file in kong.conf form, and its name for messages. */
  readonly confText?: string;
  readonly confFile?: string;
  /** Variables named KONG_* and HEADGATE_*; the latter win. Default: none. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Kong's names in snake_case, such as `proxy_listen`; these win over everything. */
  readonly options?: Readonly<Record<string, SettingValue | undefined>>;
}

/**
 * Resolves the settings of a node.
 * @throws GatewayError GW_E_SETTING_UNKNOWN or GW_E_SETTING_VALUE; the message lists every problem
 */
export function resolveSettings(sources: SettingSources = {}): Settings {
  throw new Error(`not there yet: ${sources.confFile}`);
}
