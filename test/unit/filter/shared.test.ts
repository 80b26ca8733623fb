import { describe, expect, test } from 'vitest';
import { SharedData } from '../../../src/filter/shared-data.js';
import { limits } from '../../../src/limits.js';
import { cell, createHost, exchange, given, type Host, load, statuses } from './harness.js';
import type { Step } from './wat.js';

const out = (index: number) => ({ out: index });
const said = (host: Host) =>
  host.lines.filter(({ level }) => level === 'info').map(({ message }) => message);
const get = (key: string): Step => ['proxy_get_shared_data', key, out(0), out(1), out(2)];
const set = (key: string, value: string, cas = 0): Step => [
  'proxy_set_shared_data',
  key,
  value,
  cas,
];

describe('shared data', () => {
  test('a value is there for every filter, and compare-and-set decides', async () => {
    const host = createHost();
    const first = load(host, {
      on: { proxy_on_request_headers: [get('k'), set('k', 'one', 7), set('k', 'one')] },
    });
    await exchange(first.chain);
    expect(statuses(first).slice(0, 3)).toEqual([1, 8, 0]);
    const cas = host.services.shared.get('', 'k')?.cas ?? 0;
    expect(cas).toBeGreaterThan(0);
    const second = load(host, {
      on: { proxy_on_request_headers: [get('k'), set('k', 'two', cas), set('k', 'three', cas)] },
    });
    await exchange(second.chain);
    expect(statuses(second).slice(0, 3)).toEqual([0, 0, 8]);
    expect(given(second, 0)).toBe('one');
    expect(cell(second, 2)).toBe(cas);
    expect(host.services.shared.get('', 'k')?.value).toEqual(new Uint8Array(Buffer.from('two')));
  });

  test('address 0 removes, an empty value stays', async () => {
    const host = createHost();
    const filter = load(host, {
      on: {
        proxy_on_request_headers: [
          set('k', 'v'),
          ['proxy_set_shared_data', 'k', 0, 0, 0],
          get('k'),
          ['proxy_set_shared_data', 'k', 8, 0, 0],
          get('k'),
          ['proxy_set_shared_data', 'k', 0x1ffff, 2, 0],
        ],
      },
    });
    await exchange(filter.chain);
    expect(statuses(filter).slice(0, 6)).toEqual([0, 0, 1, 0, 0, 6]);
  });

  test('a vm_id has key spaces of its own', async () => {
    const host = createHost();
    const on = { proxy_on_request_headers: [get('k'), set('k', 'v')] };
    const own = load(host, { on }, '', { vmId: 'a' });
    const other = load(host, { on }, '', { vmId: 'b' });
    await exchange(own.chain);
    await exchange(other.chain);
    expect([statuses(own)[0], statuses(other)[0]]).toEqual([1, 1]);
  });

  test('numbers never come back, also for a key that was removed', () => {
    const data = new SharedData();
    data.set('', 'k', Buffer.from('a'), 0);
    const before = data.get('', 'k')?.cas;
    data.set('', 'k', null, 0);
    data.set('', 'k', Buffer.from('a'), 0);
    expect(data.get('', 'k')?.cas).not.toBe(before);
    expect(data.set('', 'k', Buffer.from('b'), before ?? 0)).toBe(8);
  });

  test('bytes are bounded and counted', () => {
    const data = new SharedData();
    expect(data.set('', 'k', new Uint8Array(limits.filterSharedBytes.value), 0)).toBe(10);
    expect(data.refused).toBe(1);
    expect(data.set('', 'k', new Uint8Array(1000), 0)).toBe(0);
    data.set('', 'k', null, 0);
    expect(data.bytes).toBe(0);
  });
});

describe('shared queues', () => {
  test('first in, first out; empty is 7, unknown 1; the receiver is told later', async () => {
    const host = createHost();
    const filter = load(host, {
      on: {
        proxy_on_configure: [['proxy_register_shared_queue', 'q', out(0)]],
        proxy_on_queue_ready: [
          ['proxy_dequeue_shared_queue', 1, out(2), out(3)],
          ['proxy_log', 2, 'ready'],
        ],
      },
    });
    const sender = load(host, {
      on: {
        proxy_on_request_headers: [
          ['proxy_resolve_shared_queue', '', 'q', out(0)],
          ['proxy_resolve_shared_queue', '', 'unknown', out(1)],
          ['proxy_dequeue_shared_queue', 1, out(2), out(3)],
          ['proxy_dequeue_shared_queue', 9, out(2), out(3)],
          ['proxy_enqueue_shared_queue', 9, 'x'],
          ['proxy_enqueue_shared_queue', 0, 'x'],
          ['proxy_enqueue_shared_queue', 1, 'first'],
          ['proxy_enqueue_shared_queue', 1, 'second'],
        ],
      },
    });
    expect(cell(filter, 0)).toBe(1);
    await exchange(sender.chain);
    expect(statuses(sender).slice(0, 8)).toEqual([0, 1, 7, 1, 1, 1, 0, 0]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(said(host)).toEqual(['ready', 'ready']);
    expect(statuses(filter).slice(0, 2)).toEqual([0, 0]);
    expect(given(filter, 2)).toBe('second');
  });
});

describe('metrics', () => {
  test('counters, gauges and histograms keep to their rules', async () => {
    const host = createHost();
    const value = 2n ** 53n + 1n;
    const filter = load(host, {
      on: {
        proxy_on_request_headers: [
          ['proxy_define_metric', 0, 'c', out(0)],
          ['proxy_define_metric', 1, 'c', out(1)],
          ['proxy_define_metric', 2, 'h', out(2)],
          ['proxy_define_metric', 0, 'c', out(3)],
          ['proxy_define_metric', 3, 'c', out(4)],
          ['proxy_define_metric', 0, '', out(4)],
          ['proxy_define_metric', 0, 'x'.repeat(257), out(4)],
          ['proxy_increment_metric', 1, value],
          ['proxy_increment_metric', 1, -1n],
          ['proxy_increment_metric', 1, 0n],
          ['proxy_record_metric', 2, 5n],
          ['proxy_increment_metric', 2, -2n],
          ['proxy_record_metric', 3, 3n],
          ['proxy_increment_metric', 3, 1n],
          ['proxy_get_metric', 1, out(5)],
          ['proxy_get_metric', 3, out(6)],
          ['proxy_get_metric', 99, out(6)],
          ['proxy_get_metric', 1, 0x1fffc],
        ],
      },
    });
    await exchange(filter.chain);
    expect(statuses(filter).slice(0, 18)).toEqual([
      0, 0, 0, 0, 2, 2, 2, 0, 2, 2, 0, 0, 0, 2, 0, 2, 1, 6,
    ]);
    expect([0, 1, 2, 3].map((index) => cell(filter, index))).toEqual([1, 2, 3, 1]);
    const [counter, gauge, histogram] = host.services.metrics.all();
    expect([counter.value, gauge.value, histogram.sum]).toEqual([value, 3n, 3n]);
    expect(histogram.buckets[2]).toBe(1n);
  });
});
