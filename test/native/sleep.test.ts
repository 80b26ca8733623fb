/**
 * The engine sleeps in place of libuv where it is alone in its thread: whatever else the loop has
 * to do must end that sleep, and several engines must not keep each other from waking.
 */
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { oneService, startGateway, startUpstream } from '../support/gateway.js';

const settings = { driver: 'native' } as const;

async function started() {
  const upstream = await startUpstream((_request, response) => response.end('served'));
  return startGateway({ config: oneService(upstream.url), settings });
}

const text = async (url: string) => (await fetch(url)).text();

test('timers, immediates, threads of the pool and ports go on beside an idle gateway', async () => {
  const gateway = await started();
  expect(await text(gateway.proxy)).toBe('served');
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    setTimeout(() => resolve(void order.push('later')), 30);
    setTimeout(() => order.push('sooner'), 5);
    setImmediate(() => order.push('at once'));
  });
  expect(order).toEqual(['at once', 'sooner', 'later']);
  expect((await lookup('localhost')).address).toMatch(/127\.0\.0\.1|::1/);
  expect(await readFile(new URL(import.meta.url), 'utf8')).toContain('beside an idle gateway');
  const { port1, port2 } = new MessageChannel();
  const heard = new Promise((resolve) => port2.once('message', resolve));
  port1.postMessage('over a port');
  expect(await heard).toBe('over a port');
  port1.close();
  expect(await text(gateway.proxy)).toBe('served');
});

test('a timer that a request starts fires while nothing else happens', async () => {
  const fired: string[] = [];
  const upstream = await startUpstream((_request, response) => {
    setTimeout(() => fired.push('timer'), 10);
    response.end('served');
  });
  const gateway = await startGateway({ config: oneService(upstream.url), settings });
  expect(await text(gateway.proxy)).toBe('served');
  await expect.poll(() => fired).toEqual(['timer']);
});

test('gateways of one thread all serve, and one goes on when the others close', async () => {
  const gateways = [await started(), await started(), await started()];
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(gateways.map((gateway) => text(gateway.proxy)));
    expect(answers).toEqual(['served', 'served', 'served']);
  }
  await gateways[0].gateway.close();
  await gateways[2].gateway.close();
  await expect(text(gateways[0].proxy)).rejects.toThrow();
  expect(await text(gateways[1].proxy)).toBe('served');
  const another = await started();
  expect(await Promise.all([text(gateways[1].proxy), text(another.proxy)])).toEqual([
    'served',
    'served',
  ]);
});
