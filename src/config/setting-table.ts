/** Every setting of a node, once: what reads it, its default, and its line in the documentation. */
import { availableParallelism } from 'node:os';

import { parseInstrumentations } from '../trace/settings.js';
import { parseListen } from './listen.js';
import {
  contentType,
  files,
  headerName,
  integer,
  names,
  oneOf,
  onOff,
  optionalText,
  portMaps,
  responseTokens,
  type SettingType,
  seconds,
  size,
  text,
  tlsProtocols,
  trusted,
  upstreamTokens,
} from './setting-types.js';

export interface SettingRow<T> {
  readonly type: SettingType<T>;
  /** As it would stand in a file. */
  readonly default: string;
  readonly doc: string;
  /** Other names that Kong or nginx users know it by. */
  readonly aliases?: readonly string[];
  /** True: accepted, without effect. */
  readonly ignored?: boolean;
}

function row<T>(
  type: SettingType<T>,
  fallback: string,
  doc: string,
  more: Pick<SettingRow<T>, 'aliases' | 'ignored'> = {},
): SettingRow<T> {
  return { type, default: fallback, doc, ...more };
}

const listen = { unit: 'addresses', parse: parseListen };
const nginx = (name: string) => ({ aliases: [`nginx_http_${name}`] });
const count = (max = 0x7fffffff) => integer(0, max);

const workers: SettingType<number> = {
  unit: 'count or auto',
  parse: (value) => (value === 'auto' ? availableParallelism() : integer(1, 1024).parse(value)),
};

/** A number from 0 to 1. */
const share: SettingType<number> = {
  unit: '0 to 1',
  parse(value) {
    const number = Number(value);
    if (/^\d*\.?\d+$/.test(value) && number <= 1) return number;
    throw new Error('expected a number between 0 and 1');
  },
};
const instrumentations = { unit: 'off, all or a list', parse: parseInstrumentations };

const logLevel = oneOf('debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'emerg');
const offOnly = (what: string): SettingType<string> => ({
  unit: 'off',
  parse(value) {
    if (value.toLowerCase() === 'off') return 'off';
    throw new Error(`${what} is not supported yet: only off`);
  },
});

export const settingTable = {
  proxy_listen: row(listen, '0.0.0.0:8000', 'Where clients connect; `off`: nowhere.'),
  admin_listen: row(listen, '127.0.0.1:8001', 'Where the Admin API listens; `off`: nowhere.'),
  driver: row(oneOf('auto', 'net', 'native'), 'auto', 'What moves bytes between sockets and core.'),
  net_handles: row(
    oneOf('auto', 'off'),
    'auto',
    'Whether `driver = net` uses the bare handles of Node, where their check passes.',
  ),
  workers: row(workers, '1', 'Event loops, each with a core of its own; `auto`: one per CPU.'),
  worker_hang_timeout: row(
    seconds(),
    '10',
    'A worker thread whose event loop stands still this long is replaced; 0: never.',
  ),
  database: row(oneOf('off'), 'off', 'Only `off`: the configuration is a file.'),
  declarative_config: row(optionalText, '', 'File with services, routes, plugins and consumers.'),
  declarative_config_string: row(optionalText, '', 'The same as text instead of a file.'),
  plugins: row(names, 'bundled', 'Plugins to load: `bundled`, names, or `off`.'),
  wasm: row(onOff, 'off', 'Whether filters of `wasm_filters_path` are loaded.'),
  wasm_filters_path: row(optionalText, '', 'Folder with filters: `NAME.wasm`.'),
  router_flavor: row(
    oneOf('traditional_compatible', 'traditional', 'expressions'),
    'traditional_compatible',
    'How routes are matched and ordered.',
  ),
  log_level: row(logLevel, 'notice', 'Least level that is logged.'),
  access_log: row(text, 'off', 'One JSON line for each request: `off`, `stdout`, or a file.'),
  headers: row(
    responseTokens,
    'server_tokens, latency_tokens, x-kong-request-id',
    'Headers added to responses; `off`: none.',
  ),
  headers_upstream: row(
    upstreamTokens,
    'x-kong-request-id',
    'Headers added to requests on their way to the upstream; `off`: none.',
  ),
  allow_debug_header: row(
    onOff,
    'off',
    'Answer `Kong-Debug: 1` with the names and ids of the route and the service that matched.',
  ),
  compiled_plugins: row(
    onOff,
    'on',
    'Run the plugins of a route in the core where it can run all of them; `off`: in the shell.',
  ),
  untrusted_js: row(
    onOff,
    'off',
    'Run the JavaScript of `pre-function` and `post-function`, with all that the gateway may do.',
  ),
  error_default_type: row(
    contentType,
    'text/plain',
    'Type of error bodies where the request names none.',
  ),
  trusted_ips: row(
    trusted,
    '',
    'Peers whose forwarding headers are believed: addresses, CIDR ranges, `unix:`.',
  ),
  real_ip_header: row(headerName, 'X-Real-IP', "Where trusted peers put the client's address."),
  real_ip_recursive: row(onOff, 'off', 'Take the last address that is not trusted.'),
  port_maps: row(portMaps, '', 'Ports that clients see for ports listened on: `443:8443`.'),
  client_header_timeout: row(
    seconds(1),
    '60',
    'For a whole request head, from its first byte.',
    nginx('client_header_timeout'),
  ),
  client_body_timeout: row(
    seconds(1),
    '60',
    'Between two reads of a request body.',
    nginx('client_body_timeout'),
  ),
  client_body_min_rate: row(
    integer(0, 0x7fffffff, 'bytes/s'),
    '0',
    'Least rate of a request body after the grace; 0: off.',
  ),
  client_body_min_rate_grace: row(seconds(), '5', 'Before the least rate counts.'),
  keepalive_timeout: row(
    seconds(),
    '75',
    'A client connection may be idle this long; 0: one request per connection.',
    nginx('keepalive_timeout'),
  ),
  keepalive_requests: row(
    count(),
    '10000',
    'Requests on one client connection; 0: no keep-alive.',
    nginx('keepalive_requests'),
  ),
  send_timeout: row(
    seconds(1),
    '60',
    'A client that takes no byte for this long is cut.',
    nginx('send_timeout'),
  ),
  drain_timeout: row(seconds(), '10', 'For requests in flight when the gateway stops.'),
  nginx_http_client_max_body_size: row(size, '0', 'Larger request bodies get 413; 0: no limit.', {
    aliases: ['client_max_body_size'],
  }),
  nginx_http_client_body_buffer_size: row(
    size,
    '1m',
    'How much of a request body plugins may read; nothing is kept on disk.',
    { aliases: ['client_body_buffer_size'] },
  ),
  response_buffer_size: row(size, '8m', 'How much of an answer is kept for `response` handlers.'),
  nginx_admin_client_max_body_size: row(size, '10m', 'The same for the Admin API.'),
  upstream_keepalive_pool_size: row(count(65535), '512', 'Idle connections kept for each target.'),
  upstream_keepalive_max_requests: row(
    count(),
    '10000',
    'Requests on one upstream connection; 0: no limit.',
  ),
  upstream_keepalive_idle_timeout: row(
    seconds(),
    '60',
    'An upstream connection may be idle this long; 0: no limit.',
  ),
  ...tlsRows(),
  tracing_instrumentations: row(
    instrumentations,
    'off',
    'Spans that the plugin `opentelemetry` sends: request, router, balancer.',
  ),
  tracing_sampling_rate: row(
    share,
    '0.01',
    'Share of the traces that are sampled, where a plugin does not say.',
  ),
  stream_listen: row(offOnly('proxying of streams'), 'off', 'Only `off`.'),
  status_listen: row(offOnly('a status listener'), 'off', 'Only `off`: see the Admin API.'),
  admin_gui_listen: row(offOnly('a manager page'), 'off', 'Only `off`.'),
  ...ignoredRows(),
} as const;

/** Certificates and protocols of listeners with `ssl`, and of `https` upstreams. */
function tlsRows() {
  return {
    ssl_cert: row(files, '', 'Certificates: files or PEM texts; none: one that signs itself.'),
    ssl_cert_key: row(files, '', 'Their keys, in the same order.'),
    ssl_cipher_suite: row(
      oneOf('modern', 'intermediate', 'old', 'custom'),
      'intermediate',
      'Ciphers that are offered; `old`: from TLS 1.0 on; `custom`: those of `ssl_ciphers`.',
    ),
    ssl_ciphers: row(optionalText, '', 'OpenSSL cipher list.', {
      aliases: ['nginx_http_ssl_ciphers'],
    }),
    ssl_protocols: row(tlsProtocols, 'TLSv1.2 TLSv1.3', 'Versions of TLS for clients.', {
      aliases: ['nginx_http_ssl_protocols'],
    }),
    ssl_prefer_server_ciphers: row(onOff, 'on', "The gateway's order of ciphers counts."),
    ssl_session_tickets: row(onOff, 'on', 'Clients may resume a session by a ticket.'),
    ssl_session_timeout: row(seconds(), '1d', 'Life of a session.'),
    admin_ssl_cert: row(files, '', 'Certificates of `admin_listen`; none: those of `ssl_cert`.'),
    admin_ssl_cert_key: row(files, '', 'Their keys, in the same order.'),
    client_ssl: row(onOff, 'off', 'Show `client_ssl_cert` to upstreams.'),
    client_ssl_cert: row(files, '', 'Certificate for upstreams: a file or PEM text.'),
    client_ssl_cert_key: row(files, '', 'Its key.'),
    lua_ssl_trusted_certificate: row(
      files,
      'system',
      'Authorities for upstreams with `tls_verify`: files, PEM texts, `system`.',
    ),
    lua_ssl_verify_depth: row(count(64), '1', 'Certificates between an upstream and its root.'),
  } as const;
}

/** Settings of Kong that a file may well hold and that mean nothing here. */
function ignoredRows() {
  const ignored = (doc: string) => row(text, '', doc, { ignored: true });
  return {
    ssl_session_cache_size: ignored('Sessions are kept by tickets.'),
    ssl_dhparam: ignored('Only ciphers with elliptic curves and TLS 1.3 are offered by default.'),
    prefix: ignored('There is no working folder.'),
    anonymous_reports: ignored('Nothing is reported.'),
    nginx_worker_processes: ignored('See `workers`.'),
    nginx_daemon: ignored('Always in the foreground.'),
    mem_cache_size: ignored('There is no entity cache.'),
    worker_consistency: ignored('A new configuration takes effect at once.'),
    worker_state_update_frequency: ignored('A new configuration takes effect at once.'),
    db_update_frequency: ignored('There is no database.'),
    db_cache_ttl: ignored('There is no database.'),
    proxy_access_log: ignored('See `access_log`.'),
    proxy_error_log: ignored('Logs go to the standard error stream.'),
    admin_access_log: ignored('Admin requests are not logged.'),
    admin_error_log: ignored('Logs go to the standard error stream.'),
    vaults: ignored('See the references to the environment.'),
  } as const;
}

export type SettingName = keyof typeof settingTable;

/** Parsed values by setting name. */
export type SettingValues = {
  readonly [K in SettingName]: ReturnType<(typeof settingTable)[K]['type']['parse']>;
};

/** Setting names and their aliases, to the setting name. */
export const settingNames: ReadonlyMap<string, SettingName> = new Map(
  (Object.keys(settingTable) as SettingName[]).flatMap((name) => {
    const { aliases = [] }: SettingRow<unknown> = settingTable[name];
    return [name, ...aliases].map((each) => [each, name] as const);
  }),
);

/** Kong's settings that would change what the gateway does, and do not exist here yet. */
export const unsupportedSettings: readonly RegExp[] = [
  /^(client_)?ssl(_|$)/,
  /^(admin|admin_gui|status)_ssl_/,
  /^(lua|dns|cluster|wasm|vault|opentelemetry|pg|role|error_template)(_|$)/,
  /^(lua|dns|cluster|vault|tracing|opentelemetry|pg|role|error_template)(_|$)/,
  /^resolver_|^new_dns_client$|^untrusted_lua|^request_debug|^nginx_[a-z]+_/,
];
