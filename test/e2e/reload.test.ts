import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';

/** A configuration whose only route answers with `text`. */
const answering = (text: string): object => ({
  _format_version: '3.0',
  routes: [
    {
      paths: ['/'],
      plugins: [{ name: 'request-termination', config: { status_code: 200, body: text } }],
    },
  ],
});

const textOf = async (url: string) => (await fetch(url)).text();

test('swaps to a given configuration, and says which generation is in use', async () => {
  const { gateway, proxy } = await startGateway({ config: answering('one') });
  expect(await textOf(proxy)).toBe('one');
  const { generation, snapshot } = await gateway.reload(answering('two'));
  expect(generation).toBe(2);
  expect(gateway.snapshot).toBe(snapshot);
  expect(await textOf(proxy)).toBe('two');
});

test('without an argument reads the file again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'kong.json');
  await writeFile(file, JSON.stringify(answering('one')));
  const { gateway, proxy } = await startGateway({ configFile: file });
  await writeFile(file, JSON.stringify(answering('two')));
  await gateway.reload();
  expect(await textOf(proxy)).toBe('two');
});

test('a configuration with a problem changes nothing', async () => {
  const { gateway, proxy, lines } = await startGateway({ config: answering('one') });
  const { hash } = gateway.snapshot;
  const bad = { _format_version: '3.0', routes: [{ paths: ['/'], secret_value: 'hunter2' }] };
  await expect(gateway.reload(bad)).rejects.toMatchObject({ code: 'GW_E_CONFIG_INVALID' });
  expect(gateway.snapshot.hash).toBe(hash);
  expect(await textOf(proxy)).toBe('one');
  expect(lines.some((line) => line.level === 'error')).toBe(true);
  expect(JSON.stringify(lines)).not.toContain('hunter2');
});

test('reloads that overlap are carried out one after the other', async () => {
  const { gateway, proxy } = await startGateway({ config: answering('start') });
  const bad = gateway.reload('routes: nonsense');
  const all = await Promise.allSettled([
    bad,
    ...['a', 'b', 'c'].map((text) => gateway.reload(answering(text))),
  ]);
  expect(all.map((one) => one.status)).toEqual(['rejected', ...Array(3).fill('fulfilled')]);
  expect(await textOf(proxy)).toBe('c');
});

test('a request in flight ends under the configuration that it began with', async () => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let parked = false;
  const stamp = definePlugin({
    name: 'stamp',
    version: '1.0.0',
    priority: 1,
    schema: { fields: { text: { type: 'string', required: true } } },
    async access(ctx) {
      if (ctx.request.path !== '/slow') return;
      parked = true;
      await gate;
    },
    headerFilter: (ctx) => ctx.response.setHeader('x-stamp', ctx.config.text),
  });
  const { url } = await startUpstream();
  const config = (text: string) => oneService(url, [{ name: 'stamp', config: { text } }]);
  const { gateway, proxy, admin } = await startGateway({ config: config('old'), plugins: [stamp] });
  const slow = fetch(`${proxy}/slow`);
  await until(() => parked);
  await gateway.reload(config('new'));
  expect((await fetch(`${proxy}/fast`)).headers.get('x-stamp')).toBe('new');
  expect(await liveGenerations(admin)).toBe(2);
  release();
  expect((await slow).headers.get('x-stamp')).toBe('old');
  await until(async () => (await liveGenerations(admin)) === 1);
});

async function liveGenerations(admin: string): Promise<number> {
  const status = (await (await fetch(`${admin}/status`)).json()) as { live_generations: number };
  return status.live_generations;
}

test('no request fails over a hundred reloads under load, and old generations go', async () => {
  const upstreams = [await startUpstream(), await startUpstream()];
  const { gateway, proxy, admin } = await startGateway({ config: oneService(upstreams[0].url) });
  const agent = new Agent({ connections: 8 });
  onTestFinished(() => agent.close());
  let stop = false;
  const failures: unknown[] = [];
  let answered = 0;
  const client = async () => {
    while (!stop) {
      const { statusCode, body } = await request(`${proxy}/load`, { dispatcher: agent });
      if (statusCode === 200 && (await body.text()) === 'GET /load') answered++;
      else failures.push(statusCode);
    }
  };
  const clients = Promise.all(Array.from({ length: 8 }, client));
  for (let i = 0; i < 100; i++) {
    await gateway.reload(oneService(upstreams[i % 2].url));
    await new Promise((resolve) => setImmediate(resolve));
  }
  stop = true;
  await clients;
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(100);
  await until(async () => (await liveGenerations(admin)) === 1);
});

test('counters of a route go on over a reload', async () => {
  const { url } = await startUpstream();
  const { gateway, proxy, admin } = await startGateway({ config: oneService(url) });
  await textOf(proxy);
  await gateway.reload();
  await textOf(proxy);
  const metrics = await textOf(`${admin}/metrics`);
  expect(metrics).toContain('service="one",route="all",code="2xx"');
  expect(metrics).toMatch(/kong_http_requests_total\{service="one".*\} 2\n/);
  expect(metrics).toContain('headgate_reloads_total{outcome="succeeded"} 1');
});
