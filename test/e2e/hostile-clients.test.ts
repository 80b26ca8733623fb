/** What clients do on purpose or by failing: nobody else must notice, and the log must not fill. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';
import { rawTalk } from '../support/raw.js';

test('clients that leave while their body is read are no errors', async () => {
  const upstream = await startUpstream();
  const { proxyPort, gateway, lines } = await startGateway({
    config: oneService(upstream.url, [
      { name: 'request-transformer', config: { add: { body: ['a:1'] } } },
    ]),
  });
  const head =
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n' +
    'Content-Length: 100\r\n\r\na=1';
  for (let i = 0; i < 3; i++) {
    const socket = connect(proxyPort, '127.0.0.1');
    await new Promise((resolve) => socket.write(head, resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
  }
  await until(() => lines.filter(({ msg }) => msg?.includes('ended before its body')).length === 3);
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  expect(upstream.requests).toEqual([]);
  await gateway.close();
});

test('answers without a body that were collected name no length', async () => {
  const upstream = await startUpstream((request, response) => {
    response.statusCode = request.url === '/304' ? 304 : 200;
    response.setHeader('Content-Length', 7);
    response.end(request.method === 'HEAD' || request.url === '/304' ? undefined : '{"a":1}');
  });
  const collect = definePlugin({
    name: 'collect',
    version: '1.0.0',
    priority: 1,
    schema: { fields: {} },
    response() {},
  });
  const config = oneService(upstream.url, [{ name: 'collect' }]);
  const { proxyPort } = await startGateway({ config, plugins: [collect] });
  for (const line of ['HEAD /', 'GET /304', 'HEAD /304']) {
    const head = `${line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    const { text } = await rawTalk({ port: proxyPort }, head);
    expect(text).toMatch(/^HTTP\/1\.1 (?:200|304) /);
    expect(text.toLowerCase()).not.toContain('content-length');
  }
});

test('a template that nests too deeply is an error of the configuration', async () => {
  const deep = `$(${'('.repeat(5000)}1${')'.repeat(5000)})`;
  const config = oneService('http://127.0.0.1:1', [
    { name: 'request-transformer', config: { add: { headers: [`a:${deep}`] } } },
  ]);
  await expect(startGateway({ config })).rejects.toThrow(/nested deeper than 64 levels/);
});

test('a Redis that refuses connections is not waited for', async () => {
  const upstream = await startUpstream();
  const redis = { host: '127.0.0.1', port: 1, timeout: 600_000 };
  const config = oneService(upstream.url, [
    { name: 'rate-limiting', config: { minute: 5, policy: 'redis', redis } },
  ]);
  const { proxy } = await startGateway({ config });
  for (let i = 0; i < 3; i++) expect((await fetch(proxy)).status).toBe(200);
});
