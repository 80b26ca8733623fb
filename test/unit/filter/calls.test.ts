import { createServer as createHttp, type Server } from 'node:http';
import { createServer as createHttp2, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { CallTarget } from '../../../src/filter/calls/client.js';
import { cell, createHost, exchange, given, type Host, load, statuses } from './harness.js';
import { pairs, type Step } from './wat.js';

const out = (index: number) => ({ out: index });
const pause: Step = { result: 1 };
const servers: (Server | Http2Server)[] = [];
const hosts: Host[] = [];

afterEach(async () => {
  await Promise.all(hosts.splice(0).map(({ services }) => services.calls.close()));
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server | Http2Server): Promise<CallTarget> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, authority: `127.0.0.1:${port}` };
}

function hostFor(target: CallTarget): Host {
  const host = createHost({ resolve: (name) => (name === 'known' ? target : null) });
  hosts.push(host);
  return host;
}

const call = (
  upstream: string,
  fields: readonly (readonly [string, string])[],
  timeoutMs = 0,
  body = '',
): Step => ['proxy_http_call', upstream, pairs(fields), body, '', timeoutMs, out(0)];
const basic = [
  [':method', 'POST'],
  [':path', '/call?x'],
  ['content-length', '99'],
  ['x-own', 'yes'],
] as const;
const goOn: Step[] = [
  ['proxy_set_effective_context', 2],
  ['proxy_continue_stream', 0],
];
const arguments_: Step = {
  raw: `(i32.store (i32.const 0x1080) (local.get 2)) (i32.store (i32.const 0x1088) (local.get 3))
        (i32.store (i32.const 0x1090) (local.get 1)) (i32.store (i32.const 0x1098) (local.get 0))`,
};

describe('HTTP calls', () => {
  test('send what the filter gave and bring the whole answer to the root', async () => {
    let seen: Record<string, unknown> = {};
    const target = await listen(
      createHttp((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const { method, url, headers } = request;
          seen = { method, url, headers, body: String(Buffer.concat(chunks)) };
          response.setHeader('Set-Cookie', ['a', 'b']).writeHead(418).end('short');
        });
      }),
    );
    const filter = load(hostFor(target), {
      on: {
        proxy_on_request_headers: [call('known', basic, 5000, 'payload'), pause],
        proxy_on_http_call_response: [
          arguments_,
          ['proxy_get_header_map_value', 6, ':status', out(2), out(3)],
          ['proxy_get_header_map_value', 6, 'set-cookie', out(4), out(5)],
          ['proxy_get_buffer_bytes', 4, 0, -1, out(6), out(7)],
          ['proxy_get_status', out(8), out(9), out(10)],
          ['proxy_get_header_map_value', 7, 'x', out(2), out(3)],
          ...goOn,
        ],
      },
    });
    expect((await exchange(filter.chain)).received?.status).toBe(200);
    expect(seen).toMatchObject({ method: 'POST', url: '/call?x', body: 'payload' });
    expect(seen.headers).toMatchObject({ 'content-length': '7', 'x-own': 'yes' });
    expect(seen.headers).toMatchObject({ host: target.authority });
    expect(statuses(filter).slice(0, 6)).toEqual([0, 0, 0, 0, 0, 1]);
    expect(given(filter, 4)).toBe('a');
    expect(given(filter, 6)).toBe('short');
    expect(cell(filter, 17)).toBe(5);
    expect([cell(filter, 18), cell(filter, 19)]).toEqual([cell(filter, 0), 1]);
  });

  test('a failure is zeros, with a reason', async () => {
    const target = await listen(createHttp((request) => request.socket.destroy()));
    const filter = load(hostFor(target), {
      on: {
        proxy_on_request_headers: [call('known', basic), pause],
        proxy_on_http_call_response: [
          arguments_,
          ['proxy_get_header_map_value', 6, ':dispatch_status', out(2), out(3)],
          ['proxy_get_status', out(8), out(9), out(10)],
          ...goOn,
        ],
      },
    });
    await exchange(filter.chain);
    expect([cell(filter, 16), cell(filter, 17)]).toEqual([0, 0]);
    expect(given(filter, 2)).toBe('broken connection');
    expect(cell(filter, 8)).toBe(14);
  });

  test('a time-out is a failure', async () => {
    const target = await listen(createHttp(() => {}));
    const filter = load(hostFor(target), {
      on: {
        proxy_on_request_headers: [call('known', basic, 30), pause],
        proxy_on_http_call_response: [
          ['proxy_get_header_map_value', 6, ':dispatch_status', out(2), out(3)],
          ...goOn,
        ],
      },
    });
    await exchange(filter.chain);
    expect(given(filter, 2)).toBe('timeout');
  });

  test('a call needs a known upstream, a method and a path', async () => {
    const filter = load(hostFor({ origin: 'http://127.0.0.1:1', authority: '' }), {
      on: {
        proxy_on_request_headers: [
          call('unknown', basic),
          call('known', [[':path', '/']]),
          call('known', [[':method', 'GET']]),
          call('known', [
            [':method', 'GET'],
            [':path', 'no slash'],
          ]),
          call('known', [
            [':method', 'G T'],
            [':path', '/'],
          ]),
          call('known', [...basic, ['a', 'b\r\nc: d']]),
          ['proxy_http_call', 'known', '\x07\0\0\0', '', '', 0, out(0)],
          ['proxy_http_call', 'known', pairs(basic), '', '', 0, 0x1fffe],
          ['proxy_get_status', out(8), out(9), out(10)],
        ],
      },
    });
    await exchange(filter.chain);
    expect(statuses(filter).slice(0, 9)).toEqual([2, 2, 2, 2, 2, 2, 2, 6, 0]);
  });

  test('the end of the exchange cancels its calls', async () => {
    let closed = 0;
    const target = await listen(createHttp((request) => request.on('close', () => closed++)));
    const host = hostFor(target);
    const filter = load(host, {
      on: {
        proxy_on_request_headers: [call('known', basic)],
        proxy_on_http_call_response: [['proxy_log', 2, 'answer']],
      },
    });
    await exchange(filter.chain);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(host.messages()).not.toContain('answer');
  });
});

describe('gRPC calls', () => {
  const grpc = (upstream: string, method = 'Say'): Step => [
    'proxy_grpc_call',
    upstream,
    'demo.Echo',
    method,
    pairs([['x-own', 'yes']]),
    'ping',
    1000,
    out(0),
  ];

  test('bring metadata, message and status in order', async () => {
    const server = createHttp2();
    server.on('stream', (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const path = String(headers[':path']);
        stream.respond({ ':status': 200, 'x-head': path }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-end': 'e' }));
        stream.end(Buffer.concat(chunks));
      });
    });
    const host = hostFor(await listen(server));
    const filter = load(host, {
      on: {
        proxy_on_request_headers: [grpc('known'), pause],
        proxy_on_grpc_receive_initial_metadata: [
          ['proxy_get_header_map_value', 4, 'x-head', out(2), out(3)],
        ],
        proxy_on_grpc_receive: [['proxy_get_buffer_bytes', 5, 0, -1, out(4), out(5)]],
        proxy_on_grpc_receive_trailing_metadata: [
          ['proxy_get_header_map_value', 5, 'x-end', out(6), out(7)],
        ],
        proxy_on_grpc_close: [
          { raw: '(i32.store (i32.const 0x1040) (i32.add (local.get 2) (i32.const 100)))' },
          ...goOn,
        ],
      },
    });
    await exchange(filter.chain);
    expect(given(filter, 2)).toBe('/demo.Echo/Say');
    expect(given(filter, 4)).toBe('ping');
    expect(given(filter, 6)).toBe('e');
    expect(cell(filter, 8)).toBe(100);
  });

  test('what cannot be sent has a status that SDKs know; a later failure is 14', async () => {
    const host = hostFor({ origin: 'http://127.0.0.1:1', authority: 'x' });
    const filter = load(host, {
      on: {
        proxy_on_request_headers: [
          grpc('unknown'),
          grpc('known', 'bad method'),
          ['proxy_grpc_send', 77, '', 1],
          ['proxy_grpc_cancel', 77],
          ['proxy_grpc_close', 77],
          ['proxy_grpc_stream', 'known', 'demo.Echo', 'Chat', '', out(0)],
          pause,
        ],
        proxy_on_grpc_close: [{ raw: '(i32.store (i32.const 0x1040) (local.get 2))' }, ...goOn],
      },
    });
    await exchange(filter.chain);
    expect(statuses(filter).slice(0, 6)).toEqual([4, 4, 1, 1, 1, 0]);
    expect(cell(filter, 8)).toBe(14);
  });
});
