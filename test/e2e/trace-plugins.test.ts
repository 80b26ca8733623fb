import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ajv } from 'ajv';
import protobuf from 'protobufjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';

const waitMs = 25_000;
const schema = (name: string) =>
  readFileSync(new URL(`../support/schemas/${name}`, import.meta.url), 'utf8');

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

interface Post {
  readonly url: string;
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
}

/** A collector that keeps what it is sent; `statuses` are answered first, then `status`. */
async function startCollector(status = 202, statuses: number[] = []) {
  const posts: Post[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { url = '', headers } = request;
      posts.push({ url, headers, body: Buffer.concat(chunks) });
      response.writeHead(statuses.shift() ?? status).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posts };
}

async function withTracer(name: string, config: object, settings = {}, more: object[] = []) {
  const upstream = await startUpstream();
  const given = oneService(upstream.url, [{ name, config }, ...more]);
  const running = await startGateway({ config: given, settings });
  const sent = (name: string) => upstream.requests.at(-1)?.headers[name] as string | undefined;
  return { ...running, upstream, sent };
}

const get = async (url: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url, { headers });
  await response.arrayBuffer();
  return response;
};

describe('zipkin', () => {
  const ajv = new Ajv({ strict: false });
  ajv.addSchema(JSON.parse(schema('zipkin2-api.json')), 'zipkin');
  const isValid = ajv.compile({ $ref: 'zipkin#/definitions/ListOfSpans' });

  /** The spans of all posts; each post must be a list of valid spans. */
  function spansOf(posts: readonly Post[]) {
    return posts.flatMap(({ body, headers }) => {
      // Kong sends null for an endpoint that nothing is known of; servers take it as absent.
      const spans = JSON.parse(body.toString('utf8'), (key, value) =>
        key === 'remoteEndpoint' && value === null ? undefined : value,
      );
      expect(isValid(spans), JSON.stringify(isValid.errors)).toBe(true);
      expect(headers['content-type']).toBe('application/json');
      return spans;
    });
  }

  test('sends tries, the proxy span and the request span, and continues the trace', async () => {
    const collector = await startCollector();
    const config = {
      http_endpoint: `${collector.url}/api/v2/spans?x=1`,
      sample_ratio: 1,
      static_tags: [{ name: 'env', value: 'test' }],
      http_response_header_for_traceid: 'X-Trace',
    };
    const { proxy, sent, upstream } = await withTracer('zipkin', config);
    const response = await get(`${proxy}/a/b?c=d`, { 'zipkin-tags': 'one=1; two = 2;bad' });
    await until(() => collector.posts.length > 0, waitMs);
    const [one, proxySpan, request] = spansOf(collector.posts);
    expect(collector.posts[0].url).toBe('/api/v2/spans?x=1');
    expect(request).toMatchObject({
      kind: 'SERVER',
      name: 'GET',
      traceId: response.headers.get('x-trace'),
      localEndpoint: { serviceName: 'kong' },
      remoteEndpoint: { ipv4: '127.0.0.1' },
      tags: {
        lc: 'kong',
        env: 'test',
        one: '1',
        two: '2',
        'http.method': 'GET',
        'http.host': '127.0.0.1',
        'http.path': '/a/b',
        'http.protocol': 'HTTP/1.1',
        'http.status_code': '200',
      },
    });
    expect(request.parentId).toBeUndefined();
    expect(request.annotations.map(({ value }: { value: string }) => value)).toEqual([
      'krs',
      'krf',
    ]);
    expect(proxySpan).toMatchObject({
      kind: 'CLIENT',
      name: 'GET (proxy)',
      parentId: request.id,
      remoteEndpoint: { serviceName: 'one', ipv4: '127.0.0.1', port: upstream.port },
      tags: { 'kong.service_name': 'one', 'kong.route_name': 'all', 'peer.hostname': '127.0.0.1' },
    });
    expect(one).toMatchObject({
      kind: 'CLIENT',
      name: 'GET (balancer try 1)',
      parentId: request.id,
      tags: { 'kong.balancer.try': '1', 'kong.service_name': 'one' },
    });
    expect(sent('x-b3-traceid')).toBe(request.traceId);
    expect(sent('x-b3-spanid')).toBe(proxySpan.id);
    expect(sent('x-b3-parentspanid')).toBe(request.id);
    expect(sent('x-b3-sampled')).toBe('1');
  });

  test('respects the decision and the ids of the client', async () => {
    const collector = await startCollector();
    const config = { http_endpoint: collector.url, sample_ratio: 1, phase_duration_flavor: 'tags' };
    const { proxy, sent } = await withTracer('zipkin', {
      ...config,
      http_span_name: 'method_path',
    });
    await get(`${proxy}/no`, { b3: '0' });
    expect(sent('b3')).toMatch(/^[0-9a-f]{32}-[0-9a-f]{16}-0-[0-9a-f]{16}$/);
    await get(`${proxy}/yes`, { b3: `${traceId}-${spanId}-1-${'1'.repeat(16)}` });
    expect(sent('b3')).toMatch(new RegExp(`^${traceId}-[0-9a-f]{16}-1-${spanId}$`));
    await until(() => collector.posts.length > 0, waitMs);
    const spans = spansOf(collector.posts);
    const request = spans.find(({ kind }) => kind === 'SERVER');
    expect(request).toMatchObject({ name: 'GET /yes', traceId, id: spanId });
    expect(request.parentId).toBe('1'.repeat(16));
    expect(request.tags['kong.rewrite.duration_ms']).toBe('0');
    expect(request.annotations).toBeUndefined();
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  });

  test('traces of 8 bytes, without an endpoint, and of requests without a route', async () => {
    const { proxy, sent } = await withTracer('zipkin', { sample_ratio: 1, traceid_byte_count: 8 });
    await get(`${proxy}/x`);
    expect(sent('x-b3-traceid')).toMatch(/^[0-9a-f]{16}$/);
    const collector = await startCollector();
    const { proxy: other } = await startGateway({
      config: {
        _format_version: '3.0',
        plugins: [{ name: 'zipkin', config: { http_endpoint: collector.url, sample_ratio: 1 } }],
      },
    });
    await get(`${other}/nowhere`, { traceparent: `00-${traceId}-${spanId}-01` });
    await until(() => collector.posts.length > 0, waitMs);
    const [, request] = spansOf(collector.posts);
    expect(request).toMatchObject({ traceId, parentId: spanId });
    expect(request.tags['http.status_code']).toBe('404');
  });

  test('a failing server gets the batch again', async () => {
    const collector = await startCollector(200, [500, 301]);
    const config = { http_endpoint: collector.url, sample_ratio: 1 };
    const { proxy, lines } = await withTracer('zipkin', config);
    await get(`${proxy}/x`);
    await until(() => collector.posts.length === 3, waitMs);
    expect(collector.posts[2].body).toEqual(collector.posts[0].body);
    const said = lines.filter(({ msg }) => msg?.includes('zipkin server responded unexpectedly'));
    expect(said).toHaveLength(2);
  });
});

describe('opentelemetry', () => {
  const types = protobuf.parse(schema('opentelemetry.proto'), { keepCase: true }).root;
  const traces = types.lookupType('otlp.ExportTraceServiceRequest');
  const on = { tracing_instrumentations: 'all', tracing_sampling_rate: '1' };

  type Attribute = { key: string; value: Record<string, unknown> };
  const plain = (attributes: Attribute[]) =>
    Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

  function decode(post: Post) {
    const message = traces.toObject(traces.decode(post.body), { longs: Number, bytes: String });
    const hex = (text: string) => Buffer.from(text, 'base64').toString('hex');
    // biome-ignore lint/suspicious/noExplicitAny: decoded messages
    return (message.resource_spans as any[]).map(({ resource, scope_spans: scopes }) => ({
      resource: plain(resource.attributes),
      scope: scopes[0].scope,
      // biome-ignore lint/suspicious/noExplicitAny: decoded messages
      spans: (scopes[0].spans as any[]).map((span) => ({
        ...span,
        trace_id: hex(span.trace_id),
        span_id: hex(span.span_id),
        parent_span_id: hex(span.parent_span_id ?? ''),
        attributes: plain(span.attributes ?? []),
      })),
    }));
  }

  test('sends spans as protobuf and continues the trace', async () => {
    const collector = await startCollector(200);
    const config = {
      endpoint: `${collector.url}/v1/traces`,
      headers: { 'X-Token': 'secret' },
      resource_attributes: { 'service.name': 'edge', team: 't-$(headers["x-team"])' },
      http_response_header_for_traceid: 'x-trace',
      queue: { max_coalescing_delay: 0.1 },
    };
    const { proxy, sent, upstream } = await withTracer('opentelemetry', config, on);
    const headers = { traceparent: `00-${traceId}-${spanId}-01`, 'x-team': 'blue' };
    const response = await get(`${proxy}/a?b=c`, headers);
    expect(response.headers.get('x-trace')).toBe(traceId);
    await until(() => collector.posts.length > 0, waitMs);
    const [post] = collector.posts;
    expect(post.url).toBe('/v1/traces');
    expect(post.headers).toMatchObject({
      'content-type': 'application/x-protobuf',
      'x-token': 'secret',
    });
    const [{ resource, scope, spans }] = decode(post);
    expect(resource).toMatchObject({ 'service.name': 'edge', team: 't-blue' });
    expect(resource['service.instance.id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(scope).toEqual({ name: 'kong-internal', version: '0.1.0' });
    const [root, router, balancer] = spans;
    expect(root).toMatchObject({
      name: 'kong',
      kind: 2,
      trace_id: traceId,
      parent_span_id: spanId,
    });
    expect(root.attributes).toMatchObject({
      'http.method': 'GET',
      'http.flavor': '1.1',
      'http.scheme': 'http',
      'http.status_code': 200,
      'http.route': '/',
      'http.client_ip': '127.0.0.1',
      'net.peer.ip': '127.0.0.1',
    });
    expect(root.attributes['http.url']).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/a\?b=c$/);
    expect(router).toMatchObject({ name: 'kong.router', kind: 1, parent_span_id: root.span_id });
    expect(balancer).toMatchObject({ name: 'kong.balancer', kind: 3, trace_id: traceId });
    expect(balancer.attributes).toMatchObject({ try_count: 1, 'net.peer.port': upstream.port });
    expect(root.end_time_unix_nano).toBeGreaterThanOrEqual(root.start_time_unix_nano);
    expect(sent('traceparent')).toBe(`00-${traceId}-${balancer.span_id}-01`);
  });

  test('with the tracer off nothing is sent, and headers are still written', async () => {
    const collector = await startCollector(200);
    const config = { traces_endpoint: collector.url, sampling_rate: 1 };
    const { proxy, sent } = await withTracer('opentelemetry', config);
    await get(`${proxy}/a`);
    expect(sent('traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    await get(`${proxy}/b`, { traceparent: `00-${traceId}-${spanId}-01` });
    expect(sent('traceparent')).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    expect(collector.posts).toEqual([]);
  });

  test('a negative decision of the client stands, a rate decides the rest', async () => {
    const collector = await startCollector(200);
    const config = { traces_endpoint: collector.url, sampling_rate: 0 };
    const { proxy, sent } = await withTracer('opentelemetry', config, on);
    await get(`${proxy}/a`, { traceparent: `00-${traceId}-${spanId}-01` });
    expect(sent('traceparent')?.endsWith('-00')).toBe(true);
    const other = await withTracer('opentelemetry', { ...config, sampling_rate: 1 }, on);
    await get(`${other.proxy}/a`, { traceparent: `00-${traceId}-${spanId}-00` });
    expect(other.sent('traceparent')?.endsWith('-00')).toBe(true);
    expect(collector.posts).toEqual([]);
  });

  test('only 200 is success; log records of other plugins carry the trace id', async () => {
    const collector = await startCollector(200, [202]);
    const logs = await startCollector(200);
    const config = { traces_endpoint: collector.url, queue: { max_coalescing_delay: 0.1 } };
    const more = [{ name: 'http-log', config: { http_endpoint: logs.url } }];
    const { proxy, lines } = await withTracer('opentelemetry', config, on, more);
    await get(`${proxy}/a`, { traceparent: `00-${traceId}-${spanId}-01` });
    await until(() => collector.posts.length === 2 && logs.posts.length === 1, waitMs);
    expect(lines.some(({ msg }) => msg?.includes('response error: 202, body: '))).toBe(true);
    expect(JSON.parse(logs.posts[0].body.toString()).trace_id).toEqual({ w3c: traceId });
  });

  test("the gateway's log lines go to the collector of logs", async () => {
    const collector = await startCollector(200);
    const speaker = definePlugin({
      name: 'speaker',
      version: '1.0.0',
      priority: 1,
      schema: { fields: {} },
      access: (ctx) => ctx.log.warn('said while a request runs'),
    });
    const upstream = await startUpstream();
    const config = {
      logs_endpoint: `${collector.url}/v1/logs`,
      queue: { max_coalescing_delay: 0.1 },
    };
    const plugins = [{ name: 'opentelemetry', config }, { name: 'speaker' }];
    const { proxy } = await startGateway({
      config: oneService(upstream.url, plugins),
      plugins: [speaker],
    });
    const response = await get(`${proxy}/a`, { traceparent: `00-${traceId}-${spanId}-01` });
    await until(() => collector.posts.length > 0, waitMs);
    const [{ url, body }] = collector.posts;
    expect(url).toBe('/v1/logs');
    const logs = types.lookupType('otlp.ExportLogsServiceRequest');
    const message = logs.toObject(logs.decode(body), { longs: Number, bytes: Array });
    const [{ resource, scope_logs: scopes }] = message.resource_logs;
    expect(plain(resource.attributes)['service.name']).toBe('kong');
    const records = scopes[0].log_records as Record<string, unknown>[];
    const said = records.filter((one) => 'trace_id' in one);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatchObject({
      severity_number: 13,
      severity_text: 'WARN',
      body: { string_value: 'said while a request runs' },
      trace_id: [...Buffer.from(traceId, 'hex')],
    });
    const id = plain(said[0].attributes as Attribute[])['request.id'];
    expect(id).toBe(response.headers.get('x-kong-request-id') ?? id);
    const others = records.filter((one) => !('trace_id' in one));
    expect(others.map((one) => plain([{ key: 'k', value: one.body as never }]).k)).toContain(
      'gateway started',
    );
  });

  test('other formats in and out', async () => {
    const collector = await startCollector(200);
    const propagation = {
      extract: ['jaeger', 'aws'],
      inject: ['w3c', 'datadog', 'preserve'],
      clear: ['uber-trace-id', 'x-old'],
      default_format: 'ot',
    };
    const config = { traces_endpoint: collector.url, propagation };
    const { proxy, sent } = await withTracer('opentelemetry', config, on);
    await get(`${proxy}/a`, { 'uber-trace-id': `${traceId}:${spanId}:0:1`, 'x-old': '1' });
    expect(sent('x-old')).toBeUndefined();
    expect(sent('uber-trace-id')).toMatch(new RegExp(`^${traceId}:[0-9a-f]{16}:[0-9a-f]{16}:01$`));
    expect(sent('traceparent')).toContain(traceId);
    const id = BigInt(`0x${traceId.slice(16)}`).toString();
    expect(sent('x-datadog-trace-id')).toBe(id);
    await get(`${proxy}/b`, { traceparent: `00-${traceId}-${spanId}-01` });
    expect(sent('ot-tracer-traceid')).toMatch(/^[0-9a-f]{16}$/);
    expect(sent('ot-tracer-sampled')).toBe('1');
  });
});
