import { describe, expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import { RingTable } from '../../../src/core/ring.js';
import type { BatchHandler } from '../../../src/log/delivery.js';
import { type QueueParameters, queueDefaults } from '../../../src/log/params.js';
import { inSeconds } from '../../../src/log/queue-clock.js';
import { QueueManager } from '../../../src/log/queue-manager.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const core = createCore();
const bytes = (text: string) => Buffer.from(text);

function setUp(parameters: Partial<QueueParameters> = {}) {
  const clock = new VirtualClock();
  const logs: string[] = [];
  const calls: string[][] = [];
  const manager = new QueueManager({
    clock: inSeconds(clock),
    log: (level, text) => logs.push(`${level} ${text}`),
  });
  const ring = new RingTable(core).open('q', { maxEntries: parameters.max_entries ?? 10_000 });
  const handler: BatchHandler<Buffer> = (batch) => {
    calls.push(batch.map(String));
    return true;
  };
  const all = { ...queueDefaults, ...parameters };
  return { clock, logs, calls, manager, ring, handler, parameters: all };
}

describe('a queue over a ring of the core', () => {
  test('collects a batch and sends it when it is full or its time is over', async () => {
    const t = setUp({ max_batch_size: 3, max_coalescing_delay: 1 });
    t.manager.open('q', t.parameters, t.handler, t.ring);
    for (const text of ['a', 'b', 'c', 'd']) t.ring.push(bytes(text));
    t.manager.pollAll();
    expect(t.calls).toEqual([]);
    await t.clock.moveTo(1);
    expect(t.calls).toEqual([['a', 'b', 'c']]);
    await t.clock.moveTo(999);
    expect(t.calls).toHaveLength(1);
    await t.clock.moveTo(1001);
    expect(t.calls[1]).toEqual(['d']);
    expect(t.clock.pending).toBe(0);
    expect(t.manager.metrics()).toEqual([
      {
        name: 'q',
        entries: 0,
        bytes: 0,
        inFlight: 0,
        delivered: 4,
        dropped: 0,
        retried: 0,
        lost: 0,
        kept: 0,
        ageSeconds: 0,
        journalBytes: 0,
        spilled: 0,
      },
    ]);
    t.ring.take(9);
  });

  test('polls without news set no timers', async () => {
    const t = setUp({ max_batch_size: 100, max_coalescing_delay: 60 });
    t.manager.open('q', t.parameters, t.handler, t.ring);
    for (let i = 0; i < 50; i++) {
      t.ring.push(bytes('x'));
      t.manager.pollAll();
      expect(t.clock.pending).toBe(1);
    }
    await t.clock.runOut();
    expect(t.calls).toEqual([Array(50).fill('x')]);
  });

  test('says once that the ring drops, and that it goes on, and counts every drop', async () => {
    const t = setUp({ max_entries: 2 });
    t.manager.open('q', t.parameters, t.handler, t.ring, { tag: 'http-log plugin 1' });
    for (let i = 0; i < 10; i++) {
      t.ring.push(bytes(String(i)));
      t.manager.pollAll();
    }
    await t.clock.runOut();
    expect(t.calls).toEqual([['8'], ['9']]);
    const label = '[http-log plugin 1] queue q: ';
    expect(t.logs).toEqual([
      `warn ${label}queue at 80% capacity`,
      `error ${label}queue full, dropping old entries until processing is successful again`,
      `info ${label}queue resumed processing`,
    ]);
    expect(t.manager.metrics()[0]).toMatchObject({ delivered: 2, dropped: 8, lost: 0 });
  });

  test('a key opened again gets the newest handler, also for repetitions', async () => {
    const t = setUp({ initial_retry_delay: 1 });
    const failing = () => [false, 'down'];
    t.manager.open('q', t.parameters, failing, t.ring);
    t.ring.push(bytes('a'));
    t.manager.pollAll();
    await t.clock.moveTo(500);
    t.manager.open('q', t.parameters, t.handler, t.ring);
    await t.manager.release('q');
    await t.clock.runOut();
    expect(t.calls).toEqual([['a']]);
    expect(t.manager.metrics()[0]).toMatchObject({ delivered: 1, retried: 1 });
  });

  test('the last release sends what waits without its delay and forgets the queue', async () => {
    const t = setUp({ max_batch_size: 10, max_coalescing_delay: 60 });
    t.manager.open('q', t.parameters, t.handler, t.ring);
    t.ring.push(bytes('a'));
    t.manager.pollAll();
    await t.clock.moveTo(10);
    t.ring.push(bytes('b'));
    const released = t.manager.release('q');
    await t.clock.runOut(20);
    await released;
    expect(t.calls).toEqual([['a', 'b']]);
    expect(t.manager.metrics()).toEqual([]);
  });

  test('secrets in a queue name show in no log line and no metric', async () => {
    const t = setUp({ max_retry_time: -1 });
    t.manager.open('http://user:secret@log.test/in:POST', t.parameters, () => false, t.ring);
    t.ring.push(bytes('a'));
    t.manager.pollAll();
    await t.clock.runOut();
    expect(t.logs).toHaveLength(3);
    expect(JSON.stringify([t.logs, t.manager.metrics()])).not.toContain('secret');
  });
});

describe('drain', () => {
  test('sends everything at once and tells how much', async () => {
    const t = setUp({ max_batch_size: 2, max_coalescing_delay: 60 });
    t.manager.open('q', t.parameters, t.handler, t.ring);
    for (const text of ['a', 'b', 'c']) t.ring.push(bytes(text));
    const drained = t.manager.drain(10_000);
    await t.clock.runOut(100);
    expect(await drained).toEqual({ delivered: 3, kept: 0, lost: 0 });
    expect(t.calls).toEqual([['a', 'b'], ['c']]);
    expect(t.clock.pending).toBe(0);
  });

  test('aborts at its deadline and counts what is left as lost', async () => {
    const t = setUp();
    let aborted = 0;
    const hanging: BatchHandler<Buffer> = (_batch, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error(`abort ${++aborted}`)));
      });
    t.manager.open('q', t.parameters, hanging, t.ring);
    for (const text of ['a', 'b', 'c']) t.ring.push(bytes(text));
    const drained = t.manager.drain(5000);
    await t.clock.moveTo(4999);
    expect(aborted).toBe(0);
    await t.clock.runOut();
    expect(await drained).toEqual({ delivered: 0, kept: 0, lost: 3 });
    expect([aborted, t.ring.count, t.clock.pending]).toEqual([1, 0, 0]);
    expect(t.manager.metrics()[0]).toMatchObject({ inFlight: 0, lost: 3 });
    expect(() => t.manager.open('r', t.parameters, t.handler, t.ring)).toThrowError(
      expect.objectContaining({ code: 'GW_E_QUEUE_CLOSED' }),
    );
  });

  test('cuts a pause between two attempts at its deadline', async () => {
    const t = setUp({ initial_retry_delay: 50 });
    t.manager.open('q', t.parameters, () => [false, 'down'], t.ring);
    t.ring.push(bytes('a'));
    const drained = t.manager.drain(1000);
    await t.clock.runOut();
    expect(await drained).toEqual({ delivered: 0, kept: 0, lost: 1 });
    expect([t.clock.now(), t.clock.pending]).toEqual([1000, 0]);
  });

  test('of nothing resolves at once', async () => {
    const t = setUp();
    expect(await t.manager.drain(60_000)).toEqual({ delivered: 0, kept: 0, lost: 0 });
    expect(t.clock.pending).toBe(0);
  });
});
