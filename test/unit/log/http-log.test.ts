import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import { LogShipping } from '../../../src/log/shipping.js';
import { HttpSink, type HttpSubmission, parseEndpoint } from '../../../src/log/sink/http.js';
import httpLog, { httpLogBody, httpLogQueueName } from '../../../src/plugin/builtin/http-log.js';
import { systemClock } from '../../../src/time.js';
import { logRecord, resolver } from '../../support/log-record.js';
import { startLogServer } from '../../support/log-server.js';

const sink = new HttpSink();

afterEach(async () => {
  await sink.close();
  await httpLog.logSink?.close?.();
});

const bodyOf = (texts: string[], size: number) =>
  String(
    httpLogBody(
      texts.map((text) => Buffer.from(text)),
      size,
    ),
  );

const submission = (port: number, more: Partial<HttpSubmission> = {}): HttpSubmission => ({
  endpoint: `http://127.0.0.1:${port}/in?dropped=1#too`,
  method: 'POST',
  contentType: 'application/json',
  headers: null,
  timeoutMs: 2000,
  keepaliveMs: 60_000,
  body: '{"a":1}',
  ...more,
});

describe('http sink', () => {
  test('sends the body to the path, without the query', async () => {
    await using server = await startLogServer();
    await sink.submit(submission(server.port, { method: 'PUT' }));
    expect(server.requests).toEqual([
      expect.objectContaining({ method: 'PUT', url: '/in', body: '{"a":1}' }),
    ]);
    expect(server.requests[0].headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '7',
      host: `127.0.0.1:${server.port}`,
    });
  });

  test('turns user info into basic authorization and keeps its own fields', async () => {
    await using server = await startLogServer();
    const endpoint = `http://us%40er:p%3Aw@127.0.0.1:${server.port}`;
    const headers = { Authorization: 'no', 'Content-Type': 'no', Host: 'no', 'X-Tag': 'yes' };
    await sink.submit(submission(server.port, { endpoint, headers }));
    const [request] = server.requests;
    expect(request.url).toBe('/');
    expect(request.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('us%40er:p%3Aw').toString('base64')}`,
      'content-type': 'application/json',
      host: `127.0.0.1:${server.port}`,
      'x-tag': 'yes',
    });
  });

  test('a configured Authorization is sent where the URL has no user info', async () => {
    await using server = await startLogServer();
    await sink.submit(submission(server.port, { headers: { Authorization: 'Bearer x' } }));
    expect(server.requests[0].headers.authorization).toBe('Bearer x');
  });

  test('uses one connection for batches that follow each other', async () => {
    await using server = await startLogServer();
    server.answer = (response) => void response.end('x'.repeat(100_000));
    for (let i = 0; i < 5; i++) await sink.submit(submission(server.port));
    expect([server.requests.length, server.connections()]).toEqual([5, 1]);
  });

  test.each([200, 201, 204, 299])('status %i is success', async (status) => {
    await using server = await startLogServer();
    server.answer = (response) => void response.writeHead(status).end();
    await sink.submit(submission(server.port));
  });

  test.each([301, 400, 404, 500, 503])('status %i is a failure with its text', async (status) => {
    await using server = await startLogServer();
    server.answer = (response) => void response.writeHead(status, { location: '/x' }).end('nope');
    await expect(sink.submit(submission(server.port))).rejects.toMatchObject({
      code: 'GW_E_SUBMIT',
      message: `request to 127.0.0.1:${server.port} returned status code ${status} and body nope`,
    });
    expect(server.requests).toHaveLength(1);
  });

  test('a server that is down, one that hangs up and one that is silent are failures', async () => {
    const server = await startLogServer();
    const { port } = server;
    const failure = {
      code: 'GW_E_SUBMIT',
      message: expect.stringContaining(`failed request to 127.0.0.1:${port}: `),
    };
    server.answer = (response) => void response.destroy();
    await expect(sink.submit(submission(port))).rejects.toMatchObject(failure);
    server.answer = () => {};
    await expect(sink.submit(submission(port, { timeoutMs: 100 }))).rejects.toMatchObject(failure);
    await server[Symbol.asyncDispose]();
    await expect(sink.submit(submission(port))).rejects.toMatchObject(failure);
  });

  test('a body that the server left unread is not given back', async () => {
    await using server = await startLogServer();
    expect(await sink.submit(submission(server.port))).toBe(true);
    const early = createServer((socket) => {
      socket.once('data', () => {
        socket.pause();
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => early.listen(0, '127.0.0.1', resolve));
    const { port: earlyPort } = early.address() as AddressInfo;
    const body = new Uint8Array(64 * 1024 * 1024);
    const outcome = await sink.submit(submission(earlyPort, { body })).catch(() => 'refused');
    expect(outcome).not.toBe(true);
    early.close();
  });

  test('errors name host and port, never user info', async () => {
    const endpoint = 'http://user:secret@127.0.0.1:9/in';
    const error = await sink.submit(submission(9, { endpoint })).catch((one) => String(one));
    expect(error).toContain('failed request to 127.0.0.1:9');
    expect(error).not.toContain('secret');
  });

  test('the signal ends a submission', async () => {
    await using server = await startLogServer();
    server.answer = () => {};
    const abort = new AbortController();
    const sent = sink.submit(submission(server.port, { signal: abort.signal }));
    await server.received(1);
    abort.abort();
    await expect(sent).rejects.toMatchObject({ code: 'GW_E_SUBMIT' });
  });
});

interface HttpLogCase {
  name: string;
  kind: string;
  plugins: (Parameters<typeof httpLogQueueName>[0] & { queue?: { max_batch_size?: number } })[];
  batch?: string[];
  response_status?: number;
  expect: {
    same_queue?: boolean;
    body?: string;
    content_length?: number;
    success?: boolean;
    connect_port?: number;
    request_target?: string;
  };
}

describe('http-log behaves like that of Kong', () => {
  const { scenarios } = JSON.parse(
    readFileSync(new URL('../../compat/queue.json', import.meta.url), 'utf8'),
  ) as { scenarios: HttpLogCase[] };
  const cases = scenarios.filter((one) => one.kind === 'http-log');
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const { same_queue, body, content_length, success, connect_port, request_target } = one.expect;
    if (same_queue !== undefined) {
      const names = one.plugins.map((config) => httpLogQueueName(config));
      expect(new Set(names).size === 1).toBe(same_queue);
    }
    if (body !== undefined) {
      const batch = (one.batch ?? []).map((text) => Buffer.from(text));
      const sent = httpLogBody(batch, one.plugins[0].queue?.max_batch_size ?? 1);
      expect([String(sent), sent.byteLength]).toEqual([body, content_length]);
    }
    if (success !== undefined) {
      await using server = await startLogServer();
      const status = one.response_status ?? 200;
      server.answer = (response) => void response.writeHead(status).end();
      const sent = sink.submit(submission(server.port)).then(() => true);
      expect(await sent.catch(() => false)).toBe(success);
    }
    if (connect_port !== undefined) {
      const { url, authority } = parseEndpoint(one.plugins[0].http_endpoint);
      expect([Number(authority.split(':').pop()), url.pathname]).toEqual([
        connect_port,
        request_target,
      ]);
    }
  });

  test('bodies: an object for batches of one, else an array, even of one', () => {
    expect(bodyOf(['{"a":1}'], 1)).toBe('{"a":1}');
    expect(bodyOf(['{"a":1}'], 2)).toBe('[{"a":1}]');
    expect(bodyOf(['{"a":1}', '{"b":2}'], 2)).toBe('[{"a":1},{"b":2}]');
    expect(() => bodyOf(['{}', '{}'], 1)).toThrow('more than one entry');
  });
});

const statusOf = (entry: { response: { status: number } }) => entry.response.status;

describe('from the core to the log server', () => {
  const plugin = (port: number, config: object = {}) => ({
    id: '90000000-0000-4000-8000-000000000001',
    tags: null,
    created_at: 1,
    updated_at: 1,
    name: 'http-log',
    instance_name: null,
    enabled: true,
    protocols: ['http' as const],
    config: {
      http_endpoint: `http://127.0.0.1:${port}/in`,
      method: 'POST',
      content_type: 'application/json',
      timeout: 2000,
      keepalive: 60_000,
      ...config,
    },
    service: null,
    route: null,
    consumer: null,
  });

  function setUp() {
    const logs: string[] = [];
    const events = new EventEmitter();
    const log = (level: string, text: string) => {
      logs.push(`${level} ${text}`);
      events.emit(String(logs.length));
    };
    const core = createCore();
    return { logs, events, shipping: new LogShipping({ core, clock: systemClock, log, resolver }) };
  }

  test('records of one exchange each, then the rest in batches at the drain', async () => {
    await using server = await startLogServer();
    const { shipping, logs } = setUp();
    const queue = { max_batch_size: 4, max_coalescing_delay: 60 };
    const { key } = shipping.attach(plugin(server.port, { queue }), httpLog.logSink!);
    const ring = shipping.rings.open(key, { maxEntries: 100 });
    for (let i = 0; i < 6; i++) ring.push(logRecord({ fields: { status: 200 + i } }));
    shipping.pollAll();
    await server.received(1);
    expect(await shipping.drain(2000)).toEqual({ delivered: 6, kept: 0, lost: 0 });
    const batches = server.requests.map(({ body }) => JSON.parse(body));
    expect(batches.map((batch) => batch.map(statusOf))).toEqual([
      [200, 201, 202, 203],
      [204, 205],
    ]);
    expect(logs).toEqual([]);
  });

  test('a server that comes up late gets everything once, in order', async () => {
    const first = await startLogServer();
    const { port } = first;
    await first[Symbol.asyncDispose]();
    const { shipping, events } = setUp();
    const { key } = shipping.attach(plugin(port), httpLog.logSink!);
    const ring = shipping.rings.open(key, { maxEntries: 100 });
    for (let i = 0; i < 3; i++) ring.push(logRecord({ fields: { status: 200 + i } }));
    const failedTwice = once(events, '2');
    shipping.pollAll();
    await failedTwice;
    await using server = await startLogServer(port);
    await server.received(3);
    expect(await shipping.drain(2000)).toMatchObject({ lost: 0 });
    expect(server.requests.map(({ body }) => statusOf(JSON.parse(body)))).toEqual([200, 201, 202]);
    const [metrics] = shipping.metrics();
    expect(metrics).toMatchObject({ delivered: 3, kept: 0, lost: 0, dropped: 0 });
    expect(metrics.retried).toBeGreaterThanOrEqual(2);
  });

  test('answers of 500 are repeated until one succeeds', async () => {
    await using server = await startLogServer();
    server.answer = (response, count) => void response.writeHead(count < 3 ? 500 : 200).end('busy');
    const { shipping, logs } = setUp();
    const { key } = shipping.attach(plugin(server.port), httpLog.logSink!);
    shipping.rings.open(key, { maxEntries: 100 }).push(logRecord());
    expect(await shipping.drain(5000)).toEqual({ delivered: 1, kept: 0, lost: 0 });
    expect(server.requests).toHaveLength(3);
    expect(logs).toHaveLength(2);
    expect(logs[0]).toContain('handler could not process entries: request to 127.0.0.1');
    expect(logs[0]).toContain('[http-log plugin 90000000-0000-4000-8000-000000000001]');
  });

  test('a server that never answers loses what a drain cannot send in its time', async () => {
    await using server = await startLogServer();
    server.answer = () => {};
    const { shipping } = setUp();
    const { key } = shipping.attach(plugin(server.port), httpLog.logSink!);
    const ring = shipping.rings.open(key, { maxEntries: 100 });
    for (let i = 0; i < 3; i++) ring.push(logRecord());
    expect(await shipping.drain(200)).toEqual({ delivered: 0, kept: 0, lost: 3 });
  });

  test('a journal is refused without a concurrency limit, and missed where none is kept', () => {
    const { shipping, logs } = setUp();
    const sink = httpLog.logSink!;
    const both = plugin(1, { queue: { journal: 'somewhere', concurrency_limit: -1 } });
    expect(() => shipping.attach(both, sink)).toThrow(
      expect.objectContaining({
        code: 'GW_E_QUEUE_JOURNAL',
        message: expect.stringContaining('journal: not together with concurrency_limit -1'),
      }),
    );
    expect(shipping.rings.size).toBe(0);
    const kept = plugin(1, { queue: { journal: 'somewhere' } });
    shipping.attach(kept, { ...sink, decode: () => ({}) });
    expect(logs).toEqual([expect.stringContaining('queue.journal has no effect')]);
  });

  test('a reload keeps the ring and what waits; the last detach closes it', async () => {
    await using server = await startLogServer();
    const { shipping } = setUp();
    const old = shipping.attach(plugin(server.port), httpLog.logSink!);
    const other = { queue: { max_entries: 50 }, headers: { 'X-Generation': '2' } };
    const next = shipping.attach(plugin(server.port, other), httpLog.logSink!);
    expect(next.ring).toBe(old.ring);
    const ring = shipping.rings.open(next.key, { maxEntries: 100 });
    ring.push(logRecord());
    shipping.rings.close(ring);
    await shipping.detach(old);
    expect(shipping.rings.size).toBe(1);
    await shipping.detach(next);
    expect([shipping.rings.size, shipping.metrics()]).toEqual([0, []]);
    expect(server.requests[0].headers['x-generation']).toBe('2');
  });
});
