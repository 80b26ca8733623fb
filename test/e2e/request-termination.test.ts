import { expect, test } from 'vitest';
import { oneService, startGateway, startUpstream } from '../support/gateway.js';

async function terminated(config: object): Promise<string> {
  const upstream = await startUpstream();
  const document = oneService(upstream.url, [{ name: 'request-termination', config }]);
  return (await startGateway({ config: document })).proxy;
}

test.each([
  [{}, 503, '{"message":"Service unavailable"}'],
  [{ status_code: 404 }, 404, '{"message":"Not found"}'],
  [{ status_code: 418 }, 418, ''],
  [{ status_code: 200, message: 'closed' }, 200, '{"message":"closed"}'],
  [{ status_code: 200, body: '<p>closed</p>', content_type: 'text/html' }, 200, '<p>closed</p>'],
])('%j answers %i %s', async (config, status, body) => {
  const response = await fetch(await terminated(config));
  expect(response.status).toBe(status);
  expect(await response.text()).toBe(body);
  const type = response.headers.get('content-type');
  if ('content_type' in config) expect(type).toBe('text/html');
  else expect(type).toBe(body ? 'application/json; charset=utf-8' : null);
});

test('with a trigger only requests that carry it are answered', async () => {
  const proxy = await terminated({ trigger: 'maintenance', status_code: 200, body: 'stop' });
  expect(await (await fetch(`${proxy}/a`)).text()).toBe('GET /a');
  expect(await (await fetch(`${proxy}/a?maintenance`)).text()).toBe('stop');
  expect(await (await fetch(`${proxy}/a`, { headers: { Maintenance: '1' } })).text()).toBe('stop');
});

test('echo answers with what was asked', async () => {
  const proxy = await terminated({ echo: true, status_code: 200 });
  const response = await fetch(`${proxy}/p?q=1`, { headers: { 'x-a': 'b' } });
  const body = (await response.json()) as Record<string, Record<string, unknown>>;
  expect(body.request).toMatchObject({ method: 'GET', path: '/p', query: { q: '1' } });
  expect(body.request.headers).toMatchObject({ 'x-a': 'b' });
  expect(body.matched_route.name).toBe('all');
  expect(body.matched_service.name).toBe('one');
  expect(body.kong.worker_pid).toBe(process.pid);
});

test.each([
  [{ message: 'a', body: 'b' }, 'message cannot be used with content_type or body'],
  [{ content_type: 'text/plain' }, 'content_type requires a body'],
  [{ echo: true, body: 'b' }, 'echo cannot be used with content_type and body'],
  [{ status_code: 99 }, 'value should be between 100 and 599'],
])('%j is refused', async (config, reason) => {
  const document = oneService('http://127.0.0.1:1', [{ name: 'request-termination', config }]);
  await expect(startGateway({ config: document })).rejects.toThrow(reason);
});
