/** Bodies that no plugin changes keep their length, and what plugins do with spans. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';

const large = 'x'.repeat(400_000);

async function withPlugin(name: string, config: object, type = 'text/plain') {
  const upstream = await startUpstream((_request, response) => {
    response.setHeader('content-type', type);
    response.setHeader('content-length', large.length);
    response.write(large.slice(0, 1000));
    setTimeout(() => response.end(large.slice(1000)), 30);
  });
  const { proxy } = await startGateway({ config: oneService(upstream.url, [{ name, config }]) });
  return async (method = 'GET') => {
    const response = await fetch(proxy, { method });
    const { headers } = response;
    const bytes = (await response.text()).length;
    return { length: headers.get('content-length'), bytes, status: headers.get('x-cache-status') };
  };
}

const whole = { length: String(large.length), bytes: large.length };

test('a body that is not for a filter goes past it', async () => {
  const ask = await withPlugin('response-transformer', { add: { json: ['a:1'] } });
  expect(await ask()).toMatchObject(whole);
  expect(await ask('HEAD')).toMatchObject({ ...whole, bytes: 0 });
});

test('a body that a filter may change is sent in chunks', async () => {
  const config = { add: { json: ['a:1'] } };
  const ask = await withPlugin('response-transformer', config, 'application/json');
  expect(await ask()).toMatchObject({ length: null, bytes: large.length });
});

test('a body that is only looked at keeps its length', async () => {
  const ask = await withPlugin('proxy-cache', { strategy: 'memory', content_type: ['text/plain'] });
  expect(await ask()).toEqual({ ...whole, status: 'Miss' });
  expect(await ask()).toEqual({ ...whole, status: 'Hit' });
  expect(await ask('POST')).toEqual({ ...whole, status: 'Bypass' });
});

const spanning = definePlugin({
  name: 'spanning',
  version: '1.0.0',
  priority: 500,
  schema: { fields: {} },
  access(ctx) {
    const span = ctx.tracing.startSpan('look-up-of-mine', { cold: true, none: null });
    span.addEvent('asked-somebody', { times: 2 });
    span.recordError(new Error('not-there'));
    span.setAttribute('key-of-mine', 'v');
    span.end();
    span.setAttribute('too-late', 1);
  },
});

test('spans of plugins are exported with those of the gateway', async () => {
  const bodies: string[] = [];
  const collector = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      bodies.push(Buffer.concat(parts).toString('latin1'));
      response.end();
    });
  });
  await new Promise<void>((resolve) => {
    collector.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    collector.closeAllConnections();
    collector.close();
  });
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
  const config = { endpoint, queue: { max_coalescing_delay: 0.1 } };
  const upstream = await startUpstream();
  const plugins = [{ name: 'opentelemetry', config }, { name: 'spanning' }];
  const { proxy } = await startGateway({
    config: oneService(upstream.url, plugins),
    settings: { tracing_instrumentations: 'all', tracing_sampling_rate: '1' },
    plugins: [spanning],
  });
  await (await fetch(proxy)).text();
  await until(() => bodies.length > 0, 25_000);
  const [body] = bodies;
  for (const text of ['look-up-of-mine', 'asked-somebody', 'not-there', 'key-of-mine', 'cold']) {
    expect(body).toContain(text);
  }
  expect(body).not.toContain('too-late');
});
