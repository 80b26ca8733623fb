/** Trailers of bodies that go through plugins. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { type AnyPlugin, definePlugin } from '../../src/plugin/define.js';
import { createTestGateway } from '../../src/testing/index.js';
import { oneService, startGateway, startUpstream } from '../support/gateway.js';

type Handlers = Partial<Omit<Parameters<typeof definePlugin>[0], 'name' | 'version' | 'schema'>>;
const plugin = (handlers: Handlers): AnyPlugin =>
  definePlugin({ name: 'one', version: '1.0.0', priority: 1, schema: { fields: {} }, ...handlers });

/** What a client gets of an answer with trailers, through a plugin. */
async function answerThrough(handlers: Handlers) {
  await using gateway = await createTestGateway({
    plugins: [plugin(handlers)],
    upstream: (_, response) => {
      response.writeHead(200, { Trailer: 'X-Sum' });
      response.write('hello ');
      response.addTrailers({ 'X-Sum': 'abc', 'Content-Length': '3', 'Set-Cookie': 'a=b' });
      response.end('world');
    },
  });
  const { body, trailers, headers } = await gateway.inject('/');
  return { body, trailers, length: headers['content-length'] };
}

test('those of an answer follow what filters make of the body', async () => {
  const upper = (chunk: Uint8Array) => Buffer.from(chunk).toString().toUpperCase();
  const filtered = await answerThrough({ bodyFilter: (_, chunk) => upper(chunk) });
  expect(filtered).toEqual({
    body: 'HELLO WORLD',
    trailers: { 'x-sum': 'abc' },
    length: undefined,
  });
});

test('those of an answer that was collected follow it in chunks', async () => {
  const collected = await answerThrough({ response: (ctx) => ctx.response.setHeader('X-A', 'b') });
  expect(collected).toEqual({
    body: 'hello world',
    trailers: { 'x-sum': 'abc' },
    length: undefined,
  });
  const buffered = await answerThrough({ access: (ctx) => ctx.service.request.enableBuffering() });
  expect(buffered.trailers).toEqual({ 'x-sum': 'abc' });
});

test('an answer with a length of its own, or another in its place, has none', async () => {
  const fixed = await answerThrough({
    headerFilter: (ctx) => ctx.response.setHeader('Content-Length', '11'),
    bodyFilter: (_, chunk) => chunk,
  });
  expect(fixed).toEqual({ body: 'hello world', trailers: {}, length: '11' });
  const other = await answerThrough({ response: (ctx) => ctx.response.exit(200, 'mine') });
  expect(other).toEqual({ body: 'mine', trailers: {}, length: '4' });
});

/** The body and trailers that the upstream gets of a request with trailers. */
async function requestThrough(handlers: Handlers): Promise<unknown> {
  const upstream = await startUpstream(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const body = Buffer.concat(parts).toString();
    response.end(JSON.stringify({ body, trailers: request.trailers }));
  });
  const one = plugin(handlers);
  const config = oneService(upstream.url, [{ name: 'one' }]);
  const { proxyPort: port } = await startGateway({ config, plugins: [one] });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = httpRequest({ port, method: 'POST', headers: { Trailer: 'X-Sum' } }, resolve);
    sent.once('error', reject);
    sent.addTrailers([
      ['X-Sum', 'abc'],
      ['Authorization', 'late'],
    ]);
    sent.write('hello ');
    sent.end('world');
  });
  const parts: Buffer[] = [];
  for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

test('those of a request that a plugin has read go on with it', async () => {
  const read = await requestThrough({
    access: async (ctx) => {
      await ctx.request.body();
    },
  });
  expect(read).toEqual({ body: 'hello world', trailers: { 'x-sum': 'abc' } });
});

test('a request with another body has none', async () => {
  const replaced = await requestThrough({ access: (ctx) => ctx.service.request.setBody('mine') });
  expect(replaced).toEqual({ body: 'mine', trailers: {} });
});
