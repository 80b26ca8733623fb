import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { parseConf } from '../../../src/config/conf-file.js';
import { parseListen } from '../../../src/config/listen.js';
import { resolveSettings, type SettingSources } from '../../../src/config/settings.js';
import { ContentType, TokenFlag } from '../../../src/core/layout.js';
import { GatewayError } from '../../../src/errors.js';

function failure(sources: SettingSources): GatewayError {
  try {
    resolveSettings(sources);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('no error');
}

describe('resolveSettings', () => {
  test('defaults', () => {
    expect(resolveSettings()).toMatchObject({
      proxyListen: [{ host: '0.0.0.0', port: 8000, unix: false, ssl: false, backlog: 16384 }],
      adminListen: [{ host: '127.0.0.1', port: 8001 }],
      driver: 'auto',
      workers: 1,
      accessLog: 'off',
      logLevel: 'info',
      declarativeConfig: null,
      plugins: ['bundled'],
      routerFlavor: 'traditional_compatible',
      trustedIps: [],
      trustUnix: false,
      realIpHeader: 'x-real-ip',
      tokens:
        TokenFlag.SERVER |
        TokenFlag.VIA |
        TokenFlag.PROXY_LATENCY |
        TokenFlag.UPSTREAM_LATENCY |
        TokenFlag.RESPONSE_LATENCY |
        TokenFlag.REQUEST_ID |
        TokenFlag.UPSTREAM_REQUEST_ID,
      errorDefaultType: ContentType.PLAIN,
      clientMaxBodyBytes: 0,
      adminMaxBodyBytes: 10 * 1024 * 1024,
      upstreamKeepalivePoolSize: 512,
      upstreamKeepaliveMaxRequests: 10000,
      upstreamKeepaliveIdleMs: 60000,
      clientHeaderTimeoutMs: 60000,
      clientBodyTimeoutMs: 60000,
      clientBodyMinRate: 0,
      keepaliveTimeoutMs: 75000,
      keepaliveRequests: 10000,
      sendTimeoutMs: 60000,
      drainTimeoutMs: 10000,
      ignored: [],
    });
  });

  test('later sources win: file, KONG_*, HEADGATE_*, options', () => {
    const sources = {
      confText:
        'send_timeout = 1\nclient_header_timeout = 1\ndrain_timeout = 1\nkeepalive_timeout=1',
      env: {
        KONG_CLIENT_HEADER_TIMEOUT: '2',
        KONG_DRAIN_TIMEOUT: '2',
        KONG_KEEPALIVE_TIMEOUT: '2',
        HEADGATE_DRAIN_TIMEOUT: '3',
        HEADGATE_KEEPALIVE_TIMEOUT: '3',
      },
      options: { keepalive_timeout: 4, workers: undefined },
    };
    expect(resolveSettings(sources)).toMatchObject({
      sendTimeoutMs: 1000,
      clientHeaderTimeoutMs: 2000,
      drainTimeoutMs: 3000,
      keepaliveTimeoutMs: 4000,
    });
  });

  test.each<[string, string, object]>([
    ['send_timeout', '0.25', { sendTimeoutMs: 250 }],
    ['send_timeout', '250ms', { sendTimeoutMs: 250 }],
    ['send_timeout', '2m', { sendTimeoutMs: 120000 }],
    ['keepalive_timeout', '0', { keepaliveTimeoutMs: 0, keepaliveRequests: 0 }],
    ['client_max_body_size', '10m', { clientMaxBodyBytes: 10485760 }],
    ['nginx_http_client_max_body_size', '1G', { clientMaxBodyBytes: 1073741824 }],
    ['nginx_http_keepalive_requests', '5', { keepaliveRequests: 5 }],
    ['upstream_keepalive_max_requests', '0', { upstreamKeepaliveMaxRequests: 0xffffffff }],
    ['workers', 'auto', { workers: availableParallelism() }],
    ['headers', 'off', { tokens: TokenFlag.UPSTREAM_REQUEST_ID }],
    [
      'headers',
      'Via, X-Kong-Upstream-Status',
      { tokens: TokenFlag.VIA | TokenFlag.UPSTREAM_STATUS | TokenFlag.UPSTREAM_REQUEST_ID },
    ],
    ['log_level', 'crit', { logLevel: 'fatal' }],
    ['error_default_type', 'application/json', { errorDefaultType: ContentType.JSON }],
    [
      'port_maps',
      '80:8000, 443:8443',
      {
        portMaps: new Map([
          [8000, 80],
          [8443, 443],
        ]),
      },
    ],
    ['plugins', 'off', { plugins: [] }],
    ['plugins', 'bundled,mine', { plugins: ['bundled', 'mine'] }],
    ['real_ip_header', 'X-Forwarded-For', { realIpHeader: 'x-forwarded-for' }],
    ['proxy_listen', 'off', { proxyListen: [] }],
    ['prefix', '/usr/local/kong', { ignored: ['prefix'] }],
  ])('%s = %s', (name, value, expected) => {
    expect(resolveSettings({ options: { [name]: value } })).toMatchObject(expected);
    expect(resolveSettings({ env: { [`KONG_${name.toUpperCase()}`]: value } })).toMatchObject(
      expected,
    );
  });

  test('options may be booleans, numbers and lists', () => {
    const options = { allow_debug_header: true, workers: 2, headers: ['server', 'via'] };
    const { tokens, workers, allowDebugHeader } = resolveSettings({ options });
    expect([workers, allowDebugHeader]).toEqual([2, true]);
    expect(tokens & (TokenFlag.DEBUG | TokenFlag.SERVER)).toBe(TokenFlag.DEBUG | TokenFlag.SERVER);
  });

  test('trusted addresses are 16 bytes with the host bits zero', () => {
    const { trustedIps, trustUnix } = resolveSettings({
      options: { trusted_ips: ['10.1.2.3/8', 'fd00::1', 'unix:'] },
    });
    expect(trustUnix).toBe(true);
    expect(trustedIps.map(({ prefixBits }) => prefixBits)).toEqual([104, 128]);
    expect([...trustedIps[0].address]).toEqual([...Array(10).fill(0), 255, 255, 10, 0, 0, 0]);
    expect([...trustedIps[1].address]).toEqual([0xfd, ...Array(14).fill(0), 1]);
  });

  test('empty values count as not given', () => {
    expect(resolveSettings({ env: { KONG_WORKERS: '' }, confText: 'drain_timeout =' })).toEqual(
      resolveSettings(),
    );
  });

  test('variables of others are left alone', () => {
    const env = {
      PATH: 'x',
      KONGO: 'x',
      HEADGATE_CORE: 'checked',
      KONG_SERVICE_HOST: '10.0.0.1',
      KONG_PORT: 'tcp://10.0.0.1:80',
      HEADGATE_PORT_8000_TCP_ADDR: '10.0.0.1',
      HEADGATE_PROXY_SERVICE_PORT_HTTP: '80',
    };
    expect(resolveSettings({ env })).toEqual(resolveSettings());
  });

  test('every problem comes at once, unknown names with the nearest one', () => {
    const error = failure({
      confText: 'proxy_listn = off\nworkers = 0\nfoo\nworkers = 1',
      confFile: 'my.conf',
      env: { KONG_LOG_LEVEL: 'inf', HEADGATE_SSL_ECDH_CURVE: 'x' },
      options: { proxyListen: 'off', client_max_body_size: 1, nginx_http_client_max_body_size: 2 },
    });
    expect(error.code).toBe('GW_E_SETTING_UNKNOWN');
    expect(error.message.split('\n')).toEqual([
      "my.conf:3: expected 'name = value'",
      "my.conf:4: 'workers' was set before, at line 2",
      "my.conf:1: unknown setting 'proxy_listn'; did you mean 'proxy_listen'?",
      "environment variable HEADGATE_SSL_ECDH_CURVE: 'ssl_ecdh_curve' is a setting of Kong " +
        'that is not ' +
        'supported yet',
      "options: unknown setting 'proxyListen'; did you mean 'proxy_listen'?",
      "options: 'nginx_http_client_max_body_size' and 'client_max_body_size' are the same setting",
      "my.conf:2: workers: expected an integer between 1 and 1024, not '0'",
      'environment variable KONG_LOG_LEVEL: log_level: expected one of: debug, info, notice, ' +
        "warn, error, crit, alert, emerg; did you mean 'info'?, not 'inf'",
    ]);
    expect(error.details).toEqual({ problems: error.message.split('\n') });
  });

  test.each([
    ['database', 'postgres'],
    ['send_timeout', '0'],
    ['send_timeout', '-1'],
    ['send_timeout', '1w'],
    ['nginx_http_client_max_body_size', '10mb'],
    ['allow_debug_header', 'yes'],
    ['headers', 'server, off'],
    ['headers_upstream', 'via'],
    ['trusted_ips', '10.0.0.0/33'],
    ['trusted_ips', 'example.com'],
    ['trusted_ips', Array(700).fill('10.0.0.1').join()],
    ['port_maps', '80'],
    ['port_maps', '0:80'],
    ['port_maps', '80:8000,81:8000'],
    ['real_ip_header', 'a b'],
    ['real_ip_header', 'proxy_protocol'],
    ['real_ip_header', 'x'.repeat(65)],
    ['error_default_type', 'text/css'],
    ['stream_listen', '0.0.0.0:9000'],
    ['workers', '1.5'],
    ['proxy_listen', 'localhost:80'],
  ])('%s refuses %s', (name, value) => {
    const error = failure({ options: { [name]: value } });
    expect(error.code).toBe('GW_E_SETTING_VALUE');
    expect(error.message).toMatch(new RegExp(`^options: ${name}: `));
  });
});

describe('parseListen', () => {
  const plain = { unix: false, ssl: false, http2: false, proxyProtocol: false, reuseport: false };
  const spec = (more: object) => ({ ...plain, backlog: 16384, ...more });

  test.each([
    ['off', []],
    ['OFF', []],
    ['127.0.0.1:0', [spec({ host: '127.0.0.1', port: 0 })]],
    [
      '0.0.0.0:80 reuseport backlog=10, [::]:443  http2 ssl proxy_protocol',
      [
        spec({ host: '0.0.0.0', port: 80, reuseport: true, backlog: 10 }),
        spec({ host: '::', port: 443, http2: true, ssl: true, proxyProtocol: true }),
      ],
    ],
    ['unix:/run/a.sock', [spec({ host: '/run/a.sock', port: 0, unix: true })]],
    [
      '0.0.0.0:1 deferred bind ipv6only=on so_keepalive=30m::10',
      [spec({ host: '0.0.0.0', port: 1 })],
    ],
    ['127.0.0.1:0, 127.0.0.1:0', Array(2).fill(spec({ host: '127.0.0.1', port: 0 }))],
  ])('%s', (text, expected) => {
    expect(parseListen(text)).toEqual(expected);
  });

  test.each([
    ['', 'an empty address'],
    ['0.0.0.0:1,', 'an empty address'],
    ['off, 0.0.0.0:1', "'off' stands alone"],
    ['8000', 'expected address:port'],
    ['0.0.0.0:', 'expected address:port'],
    ['0.0.0.0:65536', 'between 0 and 65535'],
    ['[::1:80', 'expected address:port'],
    ['[1.2.3.4]:80', 'not an IPv6 address'],
    ['::1:80', 'expected address:port'],
    ['a.test:80', 'not an IP address'],
    ['unix:a', 'must be absolute'],
    ['0.0.0.0:1 sll', "unknown flag 'sll'; did you mean 'ssl'?"],
    ['0.0.0.0:1 backlog', "unknown flag 'backlog'"],
    ['0.0.0.0:1 ssl=on', "unknown flag 'ssl='"],
    ['0.0.0.0:1 backlog=0', 'invalid backlog=0'],
    ['0.0.0.0:1 ipv6only=yes', 'invalid ipv6only=yes'],
    ['0.0.0.0:1 ssl ssl', 'ssl is given twice'],
    ['0.0.0.0:1, 0.0.0.0:1 ssl', "'0.0.0.0:1' is given twice"],
  ])('refuses %j', (text, message) => {
    expect(() => parseListen(text)).toThrow(message);
  });
});

describe('parseConf', () => {
  test('values, comments and quotes', () => {
    const text = '# all\r\na = 1 # one\n\n  b=x#y\nc = "d e"\nf = \\#g\n#h = 1\ni =\n';
    expect(parseConf(text)).toEqual({
      entries: [
        { name: 'a', value: '1', line: 2 },
        { name: 'b', value: 'x#y', line: 4 },
        { name: 'c', value: 'd e', line: 5 },
        { name: 'f', value: '#g', line: 6 },
        { name: 'i', value: '', line: 8 },
      ],
      problems: [],
    });
  });

  test('problems have lines', () => {
    expect(parseConf('a\n= 1\nb = 1\nb = 2').problems).toEqual([
      { line: 1, message: "expected 'name = value'" },
      { line: 2, message: "expected 'name = value'" },
      { line: 4, message: "'b' was set before, at line 3" },
    ]);
  });
});
