/**
 * The settings of a node, resolved from defaults, a kong.conf file, the environment and options.
 */

import { TokenFlag } from '../core/layout.js';
import type { ListenSpec } from '../driver/contract.js';
import { GatewayError } from '../errors.js';
import type { TlsSettings } from '../tls/settings.js';
import type { TracingSettings } from '../trace/settings.js';
import { parseConf } from './conf-file.js';
import { didYouMean } from './nearest.js';
import {
  type SettingName,
  type SettingRow,
  type SettingValues,
  settingNames,
  settingTable,
  unsupportedSettings,
} from './setting-table.js';
import { settingTexts } from './setting-texts.js';
import { tlsSettings } from './tls-settings.js';

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
  readonly netHandles: 'auto' | 'off';
  readonly workers: number;
  /** 0: never. */
  readonly workerHangTimeoutMs: number;
  /** `off`, `stdout`, or the path of a file. */
  readonly accessLog: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  readonly declarativeConfig: string | null;
  readonly declarativeConfigString: string | null;
  /** As given: `bundled`, names; empty for `off`. */
  readonly plugins: readonly string[];
  /** Folder of filters; null where `wasm` is off or no folder is named. */
  readonly filtersPath: string | null;
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
  /** Run function bodies of the configuration. */
  readonly untrustedJs: boolean;
  /** Whether the core runs plugins of routes where it can run all of them. */
  readonly compiledPlugins: boolean;
  readonly tls: TlsSettings;
  /** Listener port to the port that clients see. */
  readonly portMaps: ReadonlyMap<number, number>;
  /** 0: unlimited. */
  readonly clientMaxBodyBytes: number;
  /** What plugins may read of a request, and what is kept of an answer for them. */
  readonly clientBodyBufferBytes: number;
  readonly responseBufferBytes: number;
  readonly adminMaxBodyBytes: number;
  readonly upstreamKeepalivePoolSize: number;
  /** At least 1; no limit is 0xffffffff. */
  readonly upstreamKeepaliveMaxRequests: number;
  /** 0: no limit. */
  readonly upstreamKeepaliveIdleMs: number;
  /** The node's own tracer, for the plugin opentelemetry. */
  readonly tracing: TracingSettings;
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
  /** Every setting by Kong's name as Kong would print it; what is secret is left out. */
  readonly texts: ReadonlyMap<string, string>;
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

interface Given {
  readonly text: string;
  /** Where it came from, for messages. */
  readonly origin: string;
}

interface SettingProblem {
  readonly unknown: boolean;
  readonly message: string;
}

/** Names of Kubernetes for a service called `kong` or `headgate`; they are no settings. */
const serviceLink = /_SERVICE_(HOST|PORT)(_|$)|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$/;
/** Read elsewhere: the build of the core that a test wants. */
const internalVariables = ['HEADGATE_CORE', 'HEADGATE_NATIVE_DIR'];

/**
 * Resolves the settings of a node: defaults, then the file, then KONG_*, then HEADGATE_*, then
 * options. A value that is empty counts as not given.
 * @throws GatewayError GW_E_SETTING_UNKNOWN where a name is unknown, else GW_E_SETTING_VALUE; the
 * message lists every problem, `details.problems` holds them as a list
 */
export function resolveSettings(sources: SettingSources = {}): Settings {
  const problems: SettingProblem[] = [];
  const given = new Map<SettingName, Given>();
  for (const layer of layersOf(sources, problems)) {
    const own = new Map<SettingName, Given & { name: string }>();
    for (const { name, text, origin } of layer) {
      const known = settingNames.get(name);
      if (known === undefined) {
        problems.push({ unknown: true, message: `${origin}: ${unknownSetting(name)}` });
        continue;
      }
      const other = own.get(known);
      if (other) problems.push(contradiction(origin, name, other.name));
      else if (text !== '') own.set(known, { name, text, origin });
    }
    for (const [name, value] of own) given.set(name, value);
  }
  const values = parseValues(given, problems);
  if (problems.length > 0) throw settingsError(problems);
  const ignored = [...given.keys()].filter((name) => {
    const { ignored }: SettingRow<unknown> = settingTable[name];
    return ignored === true;
  });
  return toSettings(
    values,
    ignored,
    settingTexts((name) => given.get(name)?.text),
  );
}

type Layer = Iterable<Given & { readonly name: string }>;

function layersOf(sources: SettingSources, problems: SettingProblem[]): Layer[] {
  const { confText, confFile = 'kong.conf', env = {}, options = {} } = sources;
  const file = parseConf(confText ?? '');
  for (const { line, message } of file.problems) {
    problems.push({ unknown: false, message: `${confFile}:${line}: ${message}` });
  }
  const fromFile = file.entries.map(({ name, value, line }) => {
    return { name, text: value, origin: `${confFile}:${line}` };
  });
  const fromOptions = Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, text: textOf(value), origin: 'options' }],
  );
  return [fromFile, fromEnv(env, 'KONG_'), fromEnv(env, 'HEADGATE_'), fromOptions];
}

function fromEnv(env: Readonly<Record<string, string | undefined>>, prefix: string): Layer {
  return Object.entries(env).flatMap(([variable, text]) => {
    if (!variable.startsWith(prefix) || text === undefined) return [];
    if (internalVariables.includes(variable)) return [];
    const name = variable.slice(prefix.length).toLowerCase();
    if (!settingNames.has(name) && serviceLink.test(variable)) return [];
    return [{ name, text: text.trim(), origin: `environment variable ${variable}` }];
  });
}

function textOf(value: SettingValue): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return Array.isArray(value) ? value.join(',') : String(value).trim();
}

function unknownSetting(name: string): string {
  if (unsupportedSettings.some((pattern) => pattern.test(name))) {
    return `'${name}' is a setting of Kong that is not supported yet`;
  }
  const hint = didYouMean(name, settingNames.keys());
  return `unknown setting '${name}'${hint === undefined ? '' : `; ${hint}`}`;
}

function contradiction(origin: string, name: string, other: string): SettingProblem {
  const message = `${origin}: '${name}' and '${other}' are the same setting`;
  return { unknown: false, message };
}

function parseValues(
  given: ReadonlyMap<SettingName, Given>,
  problems: SettingProblem[],
): SettingValues {
  const values: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(settingTable)) {
    const source = given.get(name as SettingName);
    try {
      values[name] = row.type.parse(source?.text ?? row.default);
    } catch (error) {
      const where = source ? `${source.origin}: ` : '';
      const message = `${where}${name}: ${(error as Error).message}, not '${source?.text}'`;
      problems.push({ unknown: false, message });
    }
  }
  return values as unknown as SettingValues;
}

function settingsError(problems: readonly SettingProblem[]): GatewayError {
  const unknown = problems.some((problem) => problem.unknown);
  const messages = problems.map((problem) => problem.message);
  return new GatewayError(
    unknown ? 'GW_E_SETTING_UNKNOWN' : 'GW_E_SETTING_VALUE',
    messages.join('\n'),
    { details: { problems: messages } },
  );
}

const pinoLevels = {
  debug: 'debug',
  info: 'info',
  notice: 'info',
  warn: 'warn',
  error: 'error',
  crit: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
} as const;

function toSettings(
  values: SettingValues,
  ignored: readonly string[],
  texts: Settings['texts'],
): Settings {
  return Object.freeze({
    proxyListen: values.proxy_listen,
    adminListen: values.admin_listen,
    driver: values.driver,
    netHandles: values.net_handles,
    workers: values.workers,
    workerHangTimeoutMs: values.worker_hang_timeout,
    accessLog: values.access_log,
    logLevel: pinoLevels[values.log_level],
    declarativeConfig: values.declarative_config,
    declarativeConfigString: values.declarative_config_string,
    plugins: values.plugins,
    filtersPath: values.wasm && values.wasm_filters_path !== '' ? values.wasm_filters_path : null,
    routerFlavor: values.router_flavor,
    trustedIps: values.trusted_ips.ranges,
    trustUnix: values.trusted_ips.unix,
    realIpHeader: values.real_ip_header,
    realIpRecursive: values.real_ip_recursive,
    tokens:
      values.headers |
      values.headers_upstream |
      (values.allow_debug_header ? TokenFlag.DEBUG : 0) |
      (values.real_ip_recursive ? TokenFlag.REAL_IP_RECURSIVE : 0),
    errorDefaultType: values.error_default_type,
    allowDebugHeader: values.allow_debug_header,
    untrustedJs: values.untrusted_js,
    compiledPlugins: values.compiled_plugins,
    tls: tlsSettings(values),
    portMaps: values.port_maps,
    clientMaxBodyBytes: values.nginx_http_client_max_body_size,
    clientBodyBufferBytes: values.nginx_http_client_body_buffer_size,
    responseBufferBytes: values.response_buffer_size,
    adminMaxBodyBytes: values.nginx_admin_client_max_body_size,
    upstreamKeepalivePoolSize: values.upstream_keepalive_pool_size,
    upstreamKeepaliveMaxRequests: values.upstream_keepalive_max_requests || 0xffffffff,
    upstreamKeepaliveIdleMs: values.upstream_keepalive_idle_timeout,
    tracing: {
      instrumentations: values.tracing_instrumentations,
      samplingRate: values.tracing_sampling_rate,
    },
    clientHeaderTimeoutMs: values.client_header_timeout,
    clientBodyTimeoutMs: values.client_body_timeout,
    clientBodyMinRate: values.client_body_min_rate,
    clientBodyMinRateGraceMs: values.client_body_min_rate_grace,
    keepaliveTimeoutMs: values.keepalive_timeout,
    keepaliveRequests: values.keepalive_timeout === 0 ? 0 : values.keepalive_requests,
    sendTimeoutMs: values.send_timeout,
    drainTimeoutMs: values.drain_timeout,
    ignored,
    texts,
  });
}
