/** What one thread tells, all others are told. */
import { BroadcastChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { joinThreads, nodeChannel } from '../../../src/workers/node-channel.js';

test('nothing is sent before there are threads; then both directions work', async () => {
  const received: unknown[] = [];
  const early = nodeChannel<number>('early', (message) => received.push(message));
  const other = new BroadcastChannel('headgate early');
  const heard: unknown[] = [];
  const next = () =>
    new Promise<void>((resolve) => {
      other.onmessage = (event) => {
        heard.push((event as { data: unknown }).data);
        resolve();
      };
    });
  early.post(1);
  joinThreads();
  const told = next();
  early.post(2);
  await told;
  expect(heard).toEqual([2]);
  const late = new Promise<unknown>((resolve) => {
    nodeChannel('late', resolve);
  });
  const sender = new BroadcastChannel('headgate late');
  sender.postMessage('x');
  expect(await late).toBe('x');
  other.close();
  sender.close();
});
