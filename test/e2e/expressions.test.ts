import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { startGateway, startUpstream } from '../support/gateway.js';

const settings = { router_flavor: 'expressions', allow_debug_header: 'on' };
const example = new URL('../../examples/expressions.yml', import.meta.url);

test('the example routes by method, header, address and argument', async () => {
  const [now, next] = [await startUpstream(), await startUpstream()];
  const text = (await readFile(example, 'utf8'))
    .replace('127.0.0.1:9001', `127.0.0.1:${now.port}`)
    .replace('127.0.0.1:9002', `127.0.0.1:${next.port}`);
  const { proxy } = await startGateway({ settings, config: text });
  const ask = async (path: string, init: { method?: string; group?: string } = {}) => {
    const headers: Record<string, string> = { 'kong-debug': '1' };
    if (init.group) headers['x-group'] = init.group;
    const answer = await fetch(proxy + path, { method: init.method ?? 'GET', headers });
    return [answer.headers.get('kong-route-name'), answer.status, await answer.text()];
  };
  expect(await ask('/orders/7?x=1')).toEqual(['reading', 200, 'GET /orders/7?x=1']);
  expect(await ask('/orders/7', { group: 'Testers' })).toEqual([
    'next-for-testers',
    200,
    'GET /orders/7',
  ]);
  expect(next.requests).toHaveLength(1);
  expect((await ask('/orders?dry_run=0', { method: 'POST' }))[0]).toBe('inside');
  expect((await ask('/orders?dry_run=1', { method: 'POST' }))[1]).toBe(404);
  // without the argument the comparison is false, though it asks for another value
  expect((await ask('/orders', { method: 'POST' }))[1]).toBe(404);
});

test('a broken expression is refused in Kong’s form, and nothing changes', async () => {
  const routes = [{ name: 'all', expression: 'http.path ^= "/"' }];
  const { admin, proxy } = await startGateway({
    settings,
    config: { _format_version: '3.0', routes },
  });
  const answer = await fetch(`${admin}/config`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ _format_version: '3.0', routes: [{ expression: 'http.path == 1' }] }),
  });
  expect(answer.status).toBe(400);
  const { fields } = (await answer.json()) as { fields: { routes: unknown[] } };
  const text = expect.stringMatching(/^Router Expression failed validation: Type mismatch .*14\)$/);
  expect(fields.routes).toEqual([{ '@entity': [text] }]);
  expect((await fetch(proxy)).status).toBe(503);
});
