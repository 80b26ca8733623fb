/** Several workers on one address: they serve, change and end together, and replace each other. */

import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import {
  oneService,
  type Running,
  startGateway,
  startUpstream,
  until,
} from '../support/gateway.js';

const misfortune = fileURLToPath(new URL('../support/plugins/misfortune.mjs', import.meta.url));
const settings = { workers: 2, driver: 'native', plugins: `bundled,${misfortune}` };
const plugins = [{ name: 'misfortune' }];

/** A request over a connection of its own, so that any worker may get it. */
async function ask(proxy: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${proxy}/`, { headers: { connection: 'close', ...headers } });
  return {
    status: response.status,
    thread: response.headers.get('x-thread'),
    text: await response.text(),
  };
}

/** Threads that answered some requests, and how many requests that took. */
async function threadsOf(
  proxy: string,
  atLeast = 2,
): Promise<{ threads: Set<string>; asked: number }> {
  const threads = new Set<string>();
  let asked = 0;
  while (threads.size < atLeast && asked < 500) {
    asked++;
    const { status, thread } = await ask(proxy);
    expect(status).toBe(200);
    threads.add(thread ?? '');
  }
  return { threads, asked };
}

async function status({ admin }: Running) {
  return (await (await fetch(`${admin}/status`)).json()) as {
    workers: { index: number; restarts: number }[];
    server: { total_requests: number };
  };
}

const restarts = async (running: Running): Promise<number> =>
  (await status(running)).workers.reduce((sum, worker) => sum + worker.restarts, 0);

async function counted({ admin }: Running): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  const line = /kong_http_requests_total\{[^}]*code="2xx"[^}]*\} (\d+)/.exec(text);
  return Number(line?.[1] ?? 0);
}

async function twoWorkers(extra: Record<string, string | number> = {}): Promise<Running> {
  const { url } = await startUpstream();
  return startGateway({ config: oneService(url, plugins), settings: { ...settings, ...extra } });
}

test('share an address, and count together', async () => {
  const running = await twoWorkers();
  const { threads, asked } = await threadsOf(running.proxy);
  expect(threads.size).toBe(2);
  expect(await counted(running)).toBe(asked);
  expect((await status(running)).server.total_requests).toBe(asked);
  expect(running.lines.find(({ msg }) => msg === 'gateway started')).toMatchObject({ workers: 2 });
});

test('take a configuration together, or none of them does', async () => {
  const running = await twoWorkers();
  const { url } = await startUpstream((_request, response) => response.end('second'));
  await running.gateway.reload(oneService(url, plugins));
  const seen = new Set<string | null>();
  for (let i = 0; i < 40; i++) {
    const { thread, text } = await ask(running.proxy);
    expect(text).toBe('second');
    seen.add(thread);
  }
  expect(seen.size).toBe(2);
  const bad = oneService('http://127.0.0.1:1', [{ name: 'no-such-plugin' }]);
  await expect(running.gateway.reload(bad)).rejects.toMatchObject({ code: 'GW_E_CONFIG_INVALID' });
  for (let i = 0; i < 10; i++) expect((await ask(running.proxy)).text).toBe('second');
});

test.each(['exit', 'throw'])('one that ends by %s is replaced, the other goes on', async (how) => {
  const running = await twoWorkers();
  const { asked, threads } = await threadsOf(running.proxy);
  await ask(running.proxy, { 'x-misfortune': how }).catch(() => {});
  await until(async () => (await restarts(running)) === 1, 30_000);
  const after = await threadsOf(running.proxy);
  expect(after.threads.size).toBe(2);
  expect([...after.threads].filter((thread) => threads.has(thread))).toHaveLength(1);
  const line = running.lines.find(({ msg }) => msg === 'the core failed and is replaced');
  expect(line?.err).toBeDefined();
  // What the ended worker published last is still counted.
  expect(await counted(running)).toBeGreaterThanOrEqual(after.asked);
  expect(await counted(running)).toBeLessThanOrEqual(asked + after.asked + 1);
});

test('one whose event loop stands still is replaced', async () => {
  const running = await twoWorkers({ worker_hang_timeout: 1 });
  await threadsOf(running.proxy);
  const lost = ask(running.proxy, { 'x-misfortune': 'hang' }).then(
    () => 'answered',
    () => 'lost',
  );
  await until(async () => (await restarts(running)) === 1, 30_000);
  expect(await lost).toBe('lost');
  expect((await threadsOf(running.proxy)).threads.size).toBe(2);
});

test('drain together: what is in flight in any of them is answered', async () => {
  const { url } = await startUpstream((_request, response) => {
    setTimeout(() => response.end('late'), 300);
  });
  const { gateway, proxy } = await startGateway({ config: oneService(url), settings });
  const requests = Array.from({ length: 40 }, () => ask(proxy));
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(await gateway.drain()).toBe(0);
  for (const { status: code, text } of await Promise.all(requests)) {
    expect([code, text]).toEqual([200, 'late']);
  }
});

test('a Unix socket is served by the first of them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'proxy.sock');
  const running = await twoWorkers({ proxy_listen: `unix:${path}` });
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  socket.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect((await status(running)).server.total_requests).toBe(1);
});

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

test.each([
  ['driver net', { driver: 'net' }, [], /only the native driver shares an address/],
  [
    'plugins given as objects',
    {},
    [{ name: 'own', version: '1.0.0', priority: 1, schema: { fields: {} } }],
    /one thread/,
  ],
] as const)(
  'one worker runs with %s, and the log says why',
  async (_name, extra, given, reason) => {
    const { url } = await startUpstream();
    const running = await startGateway({
      config: oneService(url, plugins),
      plugins: given,
      settings: { ...settings, ...extra },
    });
    expect((await status(running)).workers).toHaveLength(1);
    const line = running.lines.find(({ msg }) => msg === 'one worker runs');
    expect(line?.reason).toMatch(reason);
    expect((await ask(running.proxy)).status).toBe(200);
  },
);
