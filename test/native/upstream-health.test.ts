/** What one worker finds out about a target, the others know. */
import { expect, test } from 'vitest';
import { startGateway, startUpstream, until } from '../support/gateway.js';

test('a target that fails one worker is left out by all, until it is set healthy', async () => {
  let failing = true;
  let hits = 0;
  const bad = await startUpstream((_request, response) => {
    hits++;
    response.statusCode = failing ? 500 : 200;
    response.end('bad');
  });
  const good = await startUpstream((_request, response) => response.end('good'));
  const target = `127.0.0.1:${bad.port}`;
  const { proxy, admin } = await startGateway({
    settings: { workers: 2, driver: 'native' },
    config: {
      _format_version: '3.0',
      upstreams: [
        {
          name: 'up',
          targets: [{ target }, { target: `127.0.0.1:${good.port}` }],
          healthchecks: { passive: { unhealthy: { http_failures: 1 } } },
        },
      ],
      services: [{ name: 's', host: 'up', routes: [{ name: 'r', paths: ['/'] }] }],
    },
  });
  const ask = async () => {
    const response = await fetch(`${proxy}/`, { headers: { connection: 'close' } });
    return response.text();
  };
  const health = async () => {
    const { data } = (await (await fetch(`${admin}/upstreams/up/health`)).json()) as {
      data: { target: string; health: string }[];
    };
    return data.find((one) => one.target === target)?.health;
  };
  while (hits === 0) await ask();
  await until(async () => (await health()) === 'UNHEALTHY');
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = hits;
  for (let i = 0; i < 20; i++) expect(await ask()).toBe('good');
  expect(hits).toBe(before);
  failing = false;
  const answer = await fetch(`${admin}/upstreams/up/targets/${target}/healthy`, { method: 'PUT' });
  expect(answer.status).toBe(204);
  const texts: string[] = [];
  for (let i = 0; i < 20; i++) texts.push(await ask());
  expect(texts).toContain('bad');
});
