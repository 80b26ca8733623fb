import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';

/** An upstream that answers when told to. */
async function heldUpstream() {
  const waiting: (() => void)[] = [];
  const upstream = await startUpstream((request, response) => {
    waiting.push(() => response.end(`late ${request.url}`));
  });
  return { upstream, waiting };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
    onTestFinished(() => void socket.destroy());
  });
}

const refuses = (port: number) =>
  open(port).then(
    () => false,
    () => true,
  );

test('what is in flight is answered, with Connection: close, and nothing is lost', async () => {
  const { upstream, waiting } = await heldUpstream();
  const { gateway, proxy, proxyPort } = await startGateway({ config: oneService(upstream.url) });
  const answers = Array.from({ length: 40 }, (_, i) => fetch(`${proxy}/${i}`));
  await until(() => waiting.length === 40);
  const drained = gateway.drain();
  expect(gateway.state).toBe('draining');
  expect(gateway.drain()).toBe(drained);
  await until(() => refuses(proxyPort));
  for (const answer of waiting) answer();
  for (const [i, answer] of (await Promise.all(answers)).entries()) {
    expect(answer.headers.get('connection')).toBe('close');
    expect(await answer.text()).toBe(`late /${i}`);
  }
  expect(await drained).toBe(0);
  expect(gateway.state).toBe('closed');
});

test('new connections are refused, idle ones closed, and readiness fails meanwhile', async () => {
  const { upstream, waiting } = await heldUpstream();
  const running = await startGateway({ config: oneService(upstream.url) });
  const { gateway, proxy, proxyPort, admin } = running;
  const idle = await open(proxyPort);
  const idleClosed = new Promise((resolve) => idle.once('close', resolve).resume());
  idle.write('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => waiting.length === 1);
  const firstAnswer = new Promise((resolve) => idle.once('data', resolve));
  waiting[0]();
  await firstAnswer;
  const answer = fetch(`${proxy}/held`);
  await until(() => waiting.length === 2);
  const drained = gateway.drain();
  await idleClosed;
  await expect(open(proxyPort)).rejects.toThrow('ECONNREFUSED');
  const ready = await fetch(`${admin}/status/ready`);
  expect([ready.status, await ready.json()]).toEqual([503, { message: 'draining' }]);
  waiting[1]();
  expect(await (await answer).text()).toBe('late /held');
  await drained;
});

test('a connection that was accepted in time still gets its first request answered', async () => {
  const { url } = await startUpstream();
  const { gateway, proxyPort } = await startGateway({ config: oneService(url) });
  const fresh = await open(proxyPort);
  const drained = gateway.drain();
  await until(() => refuses(proxyPort));
  fresh.write('GET /fresh HTTP/1.1\r\nHost: a\r\n\r\n');
  const parts: Buffer[] = [];
  for await (const part of fresh) parts.push(part as Buffer);
  expect(Buffer.concat(parts).toString()).toMatch(/^HTTP\/1.1 200 .*\r\nConnection: close\r\n/s);
  expect(await drained).toBe(0);
});

test('an answer that a slow client still reads arrives whole', async () => {
  const size = 4 * 1024 * 1024;
  const upstream = await startUpstream((_, response) => response.end(Buffer.alloc(size, 'x')));
  const { gateway, proxyPort } = await startGateway({ config: oneService(upstream.url) });
  const client = await open(proxyPort);
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => upstream.requests.length === 1);
  const drained = gateway.drain();
  await until(() => refuses(proxyPort));
  let bytes = 0;
  for await (const part of client) bytes += (part as Buffer).length;
  expect(bytes).toBeGreaterThan(size);
  expect(await drained).toBe(0);
});

test('a parked request is waited for', async () => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let parked = false;
  const park = definePlugin({
    name: 'park',
    version: '1.0.0',
    priority: 1,
    schema: { fields: {} },
    async access(ctx) {
      parked = true;
      await gate;
      ctx.response.exit(200, 'in time');
    },
  });
  const { url } = await startUpstream();
  const config = oneService(url, [{ name: 'park' }]);
  const { gateway, proxy } = await startGateway({ config, plugins: [park] });
  const answer = fetch(proxy);
  await until(() => parked);
  const drained = gateway.drain();
  release();
  expect(await (await answer).text()).toBe('in time');
  expect(await drained).toBe(0);
});

test('drain_timeout cuts what does not end, and says how many', async () => {
  const { upstream, waiting } = await heldUpstream();
  const settings = { drain_timeout: 0.05 };
  const running = await startGateway({ config: oneService(upstream.url), settings });
  const cut = expect(fetch(running.proxy)).rejects.toThrow();
  await until(() => waiting.length === 1);
  expect(await running.gateway.drain()).toBe(1);
  await cut;
  expect(running.lines.some((line) => line.msg === 'drain_timeout is over')).toBe(true);
});

test('close during a drain stops at once', async () => {
  const { upstream, waiting } = await heldUpstream();
  const { gateway, proxy } = await startGateway({ config: oneService(upstream.url) });
  const cut = expect(fetch(proxy)).rejects.toThrow();
  await until(() => waiting.length === 1);
  const drained = gateway.drain();
  const before = performance.now();
  await gateway.close();
  await cut;
  await drained;
  expect(performance.now() - before).toBeLessThan(2000);
});

test('log entries are sent before the end', async () => {
  const bodies: string[] = [];
  const sink = await startUpstream((request, response) => {
    request.on('data', (part) => bodies.push(String(part)));
    request.on('end', () => response.end());
  });
  const { url } = await startUpstream();
  const plugin = {
    name: 'http-log',
    config: {
      http_endpoint: sink.url,
      queue: { max_batch_size: 100, max_coalescing_delay: 60 },
    },
  };
  const { gateway, proxy } = await startGateway({ config: oneService(url, [plugin]) });
  for (let i = 0; i < 5; i++) await (await fetch(`${proxy}/${i}`)).text();
  await gateway.drain();
  const entries = JSON.parse(bodies.join('')) as { request: { uri: string } }[];
  expect(entries.map((entry) => entry.request.uri)).toEqual(['/0', '/1', '/2', '/3', '/4']);
});
