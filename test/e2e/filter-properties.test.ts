/** Every property by name, over real sockets: in the clear, and over TLS on both sides. */
import { expect, test } from 'vitest';
import { nodeId, version } from '../../src/product.js';
import { startGateway, startUpstream, until } from '../support/gateway.js';
import { probeData, probed, probing } from '../support/property-probe.js';
import { askTls, startTlsUpstream } from '../support/tls.js';
import { filterModule, type Step } from '../unit/filter/wat.js';

type Expected = Readonly<Record<string, string | RegExp | null>>;

const number = /^\d+$/;
const seconds = /^\d+\.\d{3}$/;

function check(seen: Record<string, string | null>, expected: Expected): void {
  for (const [path, value] of Object.entries(expected)) {
    if (value instanceof RegExp) expect(seen[path], path).toMatch(value);
    else expect(seen[path], path).toBe(value);
  }
}

/** Of every request, on its way to the upstream. */
const requestSide: Expected = {
  'request.path': '/a%20b?x=1&y',
  'request.url_path': '/a%20b',
  'request.host': /^127\.0\.0\.1:\d+$/,
  'request.scheme': 'http',
  'request.method': 'POST',
  'request.useragent': 'agent',
  'request.protocol': 'HTTP/1.1',
  'request.query': 'x=1&y',
  'request.id': 'an-id',
  'request.referer': 'http://from.test/',
  'request.time': seconds,
  'request.duration': seconds,
  'request.size': '4',
  'request.total_size': number,
  'request.headers.x-one': 'changed',
  'request.headers.X-Two': '\ufffd',
  'request.headers.x-none': null,
  'response.code': null,
  'response.headers.x-up': null,
  'source.address': '127.0.0.1',
  'source.port': number,
  'destination.address': '127.0.0.1',
  'destination.port': number,
  'connection.id': number,
  'connection.mtls': 'false',
  'connection.tls_version': null,
  'connection.requested_server_name': null,
  'connection.subject_local_certificate': null,
  'connection.subject_peer_certificate': null,
  'connection.sha256_peer_certificate_digest': null,
  'connection.termination_details': null,
  'upstream.address': null,
  plugin_name: 'probe',
  plugin_root_id: '',
  plugin_vm_id: '',
  worker_id: '0',
  route_name: 'all',
  cluster_name: 'one',
  'node.id': nodeId,
  listener_direction: '1',
  'wasmx.mine': 'kept',
  'filter_state.wasm.wasmx.mine': 'kept',
  'kong.client.protocol': 'http',
  'kong.nginx.subsystem': 'http',
  'kong.node.id': nodeId,
  'kong.node.memory_stats': /^\{"rss":\d+/,
  'kong.request.forwarded_host': '127.0.0.1',
  'kong.request.forwarded_port': number,
  'kong.request.forwarded_scheme': 'http',
  'kong.request.port': number,
  'kong.response.source': null,
  'kong.router.route': /"name":"all"/,
  'kong.router.service': /"name":"one"/,
  'kong.route_id': /^[0-9a-f-]{36}$/,
  'kong.route_name': 'all',
  'kong.service_id': /^[0-9a-f-]{36}$/,
  'kong.service_name': 'one',
  'kong.service.response.status': null,
  'kong.version': version,
  'kong.ctx.shared.note': 'shared text',
  'kong.ctx.shared.none': null,
  'kong.configuration.router_flavor': 'traditional_compatible',
  'kong.configuration.wasm': 'false',
  'kong.configuration.plugins': '["bundled"]',
  'kong.configuration.ssl_cert_key': null,
  'kong.configuration.none': null,
  'ngx.request': 'POST /a%20b?x=1&y HTTP/1.1',
  'ngx.uri': '/a b',
  'ngx.args': 'x=1&y',
  'ngx.is_args': '?',
  'ngx.arg_x': '1',
  'ngx.cookie_two': 'b',
  'ngx.http_x_one': 'one',
  'ngx.host': '127.0.0.1',
  'ngx.hostname': /./,
  'ngx.https': '',
  'ngx.pid': String(process.pid),
  'ngx.remote_addr': '127.0.0.1',
  'ngx.realip_remote_addr': '127.0.0.1',
  'ngx.server_port': number,
  'ngx.connection_requests': '1',
  'ngx.content_length': '4',
  'ngx.request_time': seconds,
  'ngx.msec': seconds,
  'ngx.time_iso8601': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/,
  'ngx.none': null,
  'no.such': null,
};

/** With the head of the answer. */
const answerSide: Expected = {
  'request.path': '/a%20b?x=1&y',
  'response.code': '201',
  'response.code_details': 'via_upstream',
  'response.flags': '0',
  'response.size': '5',
  'response.headers.x-up': 'up',
  'response.grpc_status': '7',
  'response.backend_latency': seconds,
  'upstream.address': '127.0.0.1',
  'upstream.port': number,
  'upstream.tls_version': null,
  'upstream.local_address': null,
  'kong.response.source': 'service',
  'kong.service.response.status': '201',
  'ngx.status': '201',
  'ngx.upstream_status': '201',
  'ngx.upstream_addr': /^127\.0\.0\.1:\d+$/,
  'ngx.upstream_http_x_up': 'up',
  'ngx.sent_http_x_up': 'up',
};

/** When all is over. */
const endSide: Expected = {
  'response.size': '5',
  'response.total_size': number,
  'request.total_size': number,
  'ngx.bytes_sent': number,
  'ngx.body_bytes_sent': '5',
  'ngx.request_length': number,
  'ngx.request_completion': 'OK',
};

const callbacks = {
  request: 'proxy_on_request_headers',
  answer: 'proxy_on_response_headers',
  end: 'proxy_on_log',
} as const;

/** A module that logs these properties at one stage. */
const module = (stage: keyof typeof callbacks, expected: Expected, before: readonly Step[] = []) =>
  filterModule({
    on: {
      [callbacks[stage]]: [
        ...probing(Object.keys(expected)).slice(0, 1),
        ...before,
        ...probing(Object.keys(expected)).slice(1),
      ],
    },
    more: probeData,
  });

const chain = (names: readonly string[]) => [{ filters: names.map((name) => ({ name })) }];

test('are what the reference says, in the clear', async () => {
  const upstream = await startUpstream((request, response) => {
    request.resume();
    response.writeHead(201, { 'X-Up': 'up', 'grpc-status': '7', 'Content-Length': 5 });
    response.end('hello');
  });
  const route = { name: 'all', paths: ['/'], filter_chains: chain(['probe', 'answer', 'end']) };
  const { proxyPort, lines } = await startGateway({
    filters: {
      probe: module('request', requestSide, [
        ['proxy_replace_header_map_value', 0, 'x-one', 'changed'],
        ['proxy_set_property', 'wasmx.mine', 'kept'],
        ['proxy_set_property', 'kong.ctx.shared.note', 'shared text'],
      ]),
      answer: module('answer', answerSide),
      end: module('end', endSide),
    },
    config: {
      _format_version: '3.0',
      services: [{ name: 'one', url: upstream.url, routes: [route] }],
    },
  });
  const response = await fetch(`http://127.0.0.1:${proxyPort}/a%20b?x=1&y`, {
    method: 'POST',
    body: 'body',
    headers: {
      'User-Agent': 'agent',
      Referer: 'http://from.test/',
      'X-Request-Id': 'an-id',
      'X-One': 'one',
      'X-Two': '\xff',
      Cookie: 'one=a; two=b',
    },
  });
  expect(await response.text()).toBe('hello');
  await until(() => 'ngx.request_completion' in probed(lines, 'end'));
  check(probed(lines, 'probe'), requestSide);
  check(probed(lines, 'answer'), answerSide);
  check(probed(lines, 'end'), endSide);
});

test('tell of TLS on both sides', async () => {
  const upstream = await startTlsUpstream((_request, response) => response.end('secure'));
  const requestExpected: Expected = {
    'request.scheme': 'https',
    'connection.tls_version': 'TLSv1.3',
    'connection.requested_server_name': 'name.test',
    'connection.subject_local_certificate': 'CN=localhost',
    'connection.dns_san_local_certificate': 'localhost',
    'connection.uri_san_local_certificate': null,
    'connection.mtls': 'false',
    'kong.client.protocol': 'https',
    'ngx.https': 'on',
    'ngx.ssl_protocol': 'TLSv1.3',
    'ngx.ssl_cipher': /^TLS_/,
    'ngx.ssl_server_name': 'name.test',
  };
  const answerExpected: Expected = {
    'connection.requested_server_name': 'name.test',
    'upstream.port': String(upstream.port),
    'upstream.tls_version': 'TLSv1.3',
    'upstream.subject_peer_certificate': 'CN=localhost',
    'upstream.dns_san_peer_certificate': 'localhost',
    'upstream.uri_san_peer_certificate': null,
    'upstream.subject_local_certificate': null,
    'upstream.sha256_peer_certificate_digest': /^[0-9a-f]{64}$/,
  };
  const url = `https://localhost:${upstream.port}`;
  const route = { name: 'all', paths: ['/'], filter_chains: chain(['probe', 'answer']) };
  const { proxyPort, lines } = await startGateway({
    settings: { proxy_listen: '127.0.0.1:0 ssl' },
    filters: {
      probe: module('request', requestExpected),
      answer: module('answer', answerExpected),
    },
    config: { _format_version: '3.0', services: [{ name: 'one', url, routes: [route] }] },
  });
  const { body } = await askTls(proxyPort, '/', { servername: 'name.test' });
  expect(body).toBe('secure');
  check(probed(lines, 'probe'), requestExpected);
  check(probed(lines, 'answer'), answerExpected);
});

test('of the node are there for root contexts, those of exchanges are not', async () => {
  const expected: Expected = {
    'node.id': nodeId,
    'kong.version': version,
    'kong.configuration.log_level': /^\w+$/,
    'ngx.pid': String(process.pid),
    plugin_name: 'root',
    'request.path': null,
    'kong.route_name': null,
    'ngx.remote_addr': null,
  };
  const { url } = await startUpstream();
  const on = { proxy_on_configure: probing(Object.keys(expected)) };
  const { lines } = await startGateway({
    filters: { root: filterModule({ on, more: probeData }) },
    config: {
      _format_version: '3.0',
      services: [{ name: 'one', url, routes: [{ paths: ['/'], filter_chains: chain(['root']) }] }],
    },
  });
  check(probed(lines, 'root'), expected);
});
