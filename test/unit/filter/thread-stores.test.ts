/** What filters of several threads share: the stores in shared memory. */
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeLedgerMemory } from '../../../src/filter/shared/hang-ledger.js';
import { abandonLock, makeSharedMemory } from '../../../src/filter/shared/shared-memory.js';
import { openStores } from '../../../src/filter/shared/stores.js';
import type { SharedValues } from '../../../src/filter/shared-data.js';
import { limits } from '../../../src/limits.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const OK = 0;
const NOT_FOUND = 1;
const CAS_MISMATCH = 8;
const INTERNAL_FAILURE = 10;

let nextChannel = 1;

function stores(memory = makeSharedMemory(), worker = 0, channel = `test ${nextChannel++}`) {
  const opened = openStores({ memory, running: makeLedgerMemory(), channel }, worker);
  onTestFinished(() => opened.queues.close());
  return { ...opened, memory, channel };
}

const kinds = [
  ['one thread', () => openStores(null, 0).shared],
  ['several threads', () => stores().shared],
] as const;

describe.each(kinds)('shared data of %s', (_name, open: () => SharedValues) => {
  test('compare-and-set decides, and numbers never come back', () => {
    const shared = open();
    expect(shared.get('', 'k')).toBeUndefined();
    expect(shared.set('', 'k', bytes('one'), 7)).toBe(CAS_MISMATCH);
    expect(shared.set('', 'k', bytes('one'), 0)).toBe(OK);
    const first = shared.get('', 'k');
    expect(first?.value).toEqual(bytes('one'));
    expect(first?.cas).toBeGreaterThan(0);
    expect(shared.set('', 'k', bytes('two'), first?.cas ?? 0)).toBe(OK);
    expect(shared.set('', 'k', bytes('three'), first?.cas ?? 0)).toBe(CAS_MISMATCH);
    expect(shared.set('', 'k', null, 0)).toBe(OK);
    expect(shared.get('', 'k')).toBeUndefined();
    expect(shared.set('', 'k', bytes('two'), 0)).toBe(OK);
    expect(shared.get('', 'k')?.cas).toBeGreaterThan(first?.cas ?? 0);
  });

  test('scopes and keys of any bytes stay apart', () => {
    const shared = open();
    const places = [
      ['', 'k'],
      ['a', 'k'],
      ['', 'ak'],
      ['a', ''],
      ['', '\xff\x00'],
      ['é', 'k'],
    ];
    for (const [i, [scope, key]] of places.entries()) {
      expect(shared.set(scope, key, bytes(`${i}`), 0)).toBe(OK);
    }
    for (const [i, [scope, key]] of places.entries()) {
      expect(shared.get(scope, key)?.value, `${scope} ${key}`).toEqual(bytes(`${i}`));
    }
  });

  test('bytes and keys are bounded, and what is removed makes room', () => {
    const shared = open();
    const large = new Uint8Array(limits.filterSharedBytes.value / 4);
    const fits = ['a', 'b', 'c'].map((key) => shared.set('', key, large, 0));
    expect(fits).toEqual([OK, OK, OK]);
    expect(shared.set('', 'd', large, 0)).toBe(INTERNAL_FAILURE);
    expect(shared.set('', 'a', null, 0)).toBe(OK);
    expect(shared.set('', 'd', large, 0)).toBe(OK);
    expect(shared.get('', 'd')?.value.length).toBe(large.length);
  });

  test('agrees with a map over many random writes', () => {
    const shared = open();
    const known = new Map<string, Uint8Array>();
    let seed = 1;
    let refused = 0;
    let different = 0;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return seed % below;
    };
    for (let i = 0; i < 4000; i++) {
      const key = `key ${random(100)}`;
      if (random(4) === 0) {
        shared.set('', key, null, 0);
        known.delete(key);
      } else {
        const value = new Uint8Array(random(random(20) === 0 ? 5000 : 60)).fill(i);
        if (shared.set('', key, value, 0) !== OK) refused++;
        known.set(key, value);
      }
    }
    for (let i = 0; i < 100; i++) {
      const value = known.get(`key ${i}`);
      const found = shared.get('', `key ${i}`)?.value;
      if (Buffer.compare(found ?? bytes('none'), value ?? bytes('none')) !== 0) different++;
    }
    expect([refused, different]).toEqual([0, 0]);
  });
});

describe('shared queues of several threads', () => {
  test('keep order, are bounded, and have one id for a name', () => {
    const one = stores();
    const other = stores(one.memory, 1, one.channel);
    const id = one.queues.register('', 'q', () => {});
    expect(id).toBeGreaterThan(0);
    expect(other.queues.register('', 'q', () => {})).toBe(id);
    expect(other.queues.resolve('', 'q')).toBe(id);
    expect(other.queues.resolve('other', 'q')).toBe(0);
    expect(other.queues.enqueue(99, bytes('x'))).toBe(NOT_FOUND);
    expect(other.queues.dequeue(0)).toBeUndefined();
    for (const text of ['a', '', 'c']) expect(other.queues.enqueue(id, bytes(text))).toBe(OK);
    expect([1, 2, 3].map(() => one.queues.dequeue(id))).toEqual(['a', '', 'c'].map(bytes));
    expect(one.queues.dequeue(id)).toBeNull();
    const large = new Uint8Array(limits.filterQueueBytes.value);
    expect(one.queues.enqueue(id, large)).toBe(OK);
    expect(one.queues.enqueue(id, bytes('x'))).toBe(INTERNAL_FAILURE);
    expect(one.queues.dequeue(id)?.length).toBe(large.length);
  });

  test('tell the worker that registered last, later', async () => {
    const one = stores();
    const other = stores(one.memory, 1, one.channel);
    const told: string[] = [];
    const id = one.queues.register('', 'q', () => told.push('one'));
    const news = new Promise<void>((resolve) => {
      other.queues.register('', 'q', (queue) => {
        told.push(`other ${queue}`);
        resolve();
      });
    });
    one.queues.enqueue(id, bytes('x'));
    expect(told).toEqual([]);
    await news;
    expect(told).toEqual([`other ${id}`]);
  });

  test('tell nobody where the root that registered has gone', async () => {
    const { queues } = stores();
    let told = 0;
    const ready = () => {
      told++;
    };
    const id = queues.register('', 'q', ready);
    queues.forget(ready);
    queues.enqueue(id, bytes('x'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toBe(0);
  });
});

describe('threads', () => {
  const stepsOfEach = 500;
  /** Adds 1 to a counter by compare-and-set, again and again. */
  const adder = new URL('../../support/shared-adder.mjs', import.meta.url);

  test('lose no increment of a counter', async () => {
    const { memory, channel, shared } = stores();
    const threads = [1, 2, 3].map((worker) => {
      const workerData = { memory, channel, worker, steps: stepsOfEach };
      return new Worker(adder, { workerData });
    });
    const ends = threads.map((thread) => new Promise((resolve) => thread.on('exit', resolve)));
    expect(await Promise.all(ends)).toEqual([0, 0, 0]);
    const { value } = shared.get('', 'counter') ?? { value: bytes('none') };
    expect(Buffer.from(value).toString()).toBe(String(3 * stepsOfEach));
  });

  test('the lock of one that ended is given back', () => {
    const { memory, shared } = stores();
    new Int32Array(memory)[0] = 2;
    abandonLock(memory, 0);
    expect(new Int32Array(memory)[0]).toBe(2);
    abandonLock(memory, 1);
    expect(shared.set('', 'k', bytes('v'), 0)).toBe(OK);
  });
});
