import { expect, test } from 'vitest';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';

async function withFunctions(config: object, name = 'pre-function', others: object[] = []) {
  const upstream = await startUpstream();
  const { proxy, lines } = await startGateway({
    config: oneService(upstream.url, [{ name, config }, ...others]),
    settings: { untrusted_js: 'on' },
  });
  const ask = async (path = '/') => {
    const response = await fetch(`${proxy}${path}`);
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  return { ask, upstream, lines };
}

test('bodies run in every phase, before the upstream and after it', async () => {
  const { ask, upstream, lines } = await withFunctions({
    access: [
      "ctx.service.request.setHeader('x-a', ctx.request.method);",
      "await new Promise((done) => setImmediate(done));\nctx.shared.b = 'waited';",
      "ctx.service.request.setHeader('x-b', ctx.shared.b);",
    ],
    header_filter: [
      "ctx.response.setHeader('x-c', ctx.shared.b); ctx.response.removeHeader('date')",
    ],
    body_filter: ['return Buffer.from(chunk).toString().toUpperCase()'],
    log: ['throw new Error("logged " + entry.response.status)'],
  });
  const { status, headers, body } = await ask('/path');
  expect([status, headers.get('x-c')]).toEqual([200, 'waited']);
  expect(body).toContain('/PATH');
  expect(upstream.requests[0].headers).toMatchObject({ 'x-a': 'GET', 'x-b': 'waited' });
  await until(() => JSON.stringify(lines).includes('logged 200'));
});

test('a body filter may drop what it is given', async () => {
  const { ask } = await withFunctions({ body_filter: ['return null'] });
  expect((await ask()).body).toBe('');
});

test('a body that answers is the last, of both kinds', async () => {
  const next = "throw new Error('not reached');";
  const sync = await withFunctions({ access: ["ctx.response.exit(201, 'made')", next] });
  expect(await sync.ask()).toMatchObject({ status: 201, body: 'made' });
  const waiting = 'await null; ctx.response.error(418, "no");';
  const { ask, upstream } = await withFunctions({ access: [waiting, next] });
  expect((await ask()).status).toBe(418);
  expect(upstream.requests.length).toBe(0);
});

test('a body that gives a function keeps what it set up', async () => {
  const counting = 'let n = 0; return (ctx) => ctx.response.exit(200, String(++n));';
  const { ask } = await withFunctions({ access: [counting] });
  expect([(await ask()).body, (await ask()).body, (await ask()).body]).toEqual(['1', '2', '3']);
});

test('an error is answered 500 and logged with its place', async () => {
  const { ask, lines } = await withFunctions({ access: ['const a = 1;\nnothing.there();'] });
  expect((await ask()).status).toBe(500);
  const text = JSON.stringify(lines);
  expect(text).toContain('pre-function');
  expect(text).toContain('pre-function.access:2');
});

test('post-function runs after the others', async () => {
  const other = { name: 'request-transformer', config: { add: { headers: ['x-a:1'] } } };
  const access = ["ctx.response.exit(200, ctx.service.request.headers()['x-a'])"];
  const { ask } = await withFunctions({ access }, 'post-function', [other]);
  expect((await ask()).body).toBe('1');
});

test.each([
  [{}, 'at least one of these fields must be non-empty'],
  [{ access: ['let a = ;'] }, 'error parsing pre-function: Unexpected token'],
  [{ access: ['kong.response.exit(403)'] }, 'this is Lua'],
  [{ access: ['local a = 1\nif a then return end'] }, 'this is Lua'],
  [{ access: ['return function(conf) return 1 end'] }, 'this is Lua'],
  [{ certificate: ['let a = ;'] }, 'error parsing pre-function'],
])('%j is refused', async (config, reason) => {
  const document = oneService('http://127.0.0.1:1', [{ name: 'pre-function', config }]);
  const start = startGateway({ config: document, settings: { untrusted_js: 'on' } });
  await expect(start).rejects.toThrow(reason);
});

test('without the setting nothing of a configuration is run', async () => {
  const plugin = { name: 'post-function', config: { log: ["const text = 'kong.log'"] } };
  const start = startGateway({ config: oneService('http://127.0.0.1:1', [plugin]) });
  await expect(start).rejects.toThrow('needs the setting untrusted_js=on');
});
