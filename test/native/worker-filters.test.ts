/** Filters in several workers: what they share, what each has, and a loop without end. */
import { expect, test } from 'vitest';
import type { FilterInput } from '../../src/filter/registry.js';
import { startGateway, startUpstream, until } from '../support/gateway.js';
import { filterModule, type Step } from '../unit/filter/wat.js';

const names = 0x7000;
const out = (index: number) => ({ out: index });
const cell = (index: number) => `(i32.load (i32.const ${0x1000 + 8 * index}))`;
/** Adds an answer header whose name lies at `at` and whose value is in two output cells. */
const show = (at: number, size: number, value: number): Step => ({
  raw: `(drop (call $proxy_add_header_map_value (i32.const 2) (i32.const ${at})
    (i32.const ${size}) ${cell(value)} ${cell(value + 1)}))`,
});

async function twoWorkers(filters: Record<string, FilterInput>, extra = {}) {
  const { url } = await startUpstream();
  const chain = { filters: Object.keys(filters).map((name) => ({ name })) };
  const route = { paths: ['/'], filter_chains: [chain] };
  return startGateway({
    filters,
    config: { _format_version: '3.0', services: [{ name: 'one', url, routes: [route] }] },
    settings: { workers: 2, driver: 'native', ...extra },
  });
}

/** A request over a connection of its own, so that any worker may get it. */
async function ask(proxy: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${proxy}/`, { headers: { connection: 'close', ...headers } });
  await response.arrayBuffer();
  return { status: response.status, headers: response.headers };
}

test('workers have numbers of their own, and share what filters keep', async () => {
  const one = filterModule({
    on: {
      proxy_on_request_headers: [
        ['proxy_get_property', 'worker_id', out(0), out(1)],
        ['proxy_get_shared_data', 'k', out(2), out(3), out(4)],
        ['proxy_add_header_map_value', 2, 'x-seen', '1'],
        show(names, 8, 0),
        show(names + 8, 7, 2),
        ['proxy_set_shared_data', 'k', 'kept', 0],
        { raw: '(global.set $heap (i32.const 0x8000)) (global.set $calls (i32.const 0))' },
      ],
    },
    more: `(data (i32.const ${names}) "x-workerx-value")`,
  });
  const { proxy } = await twoWorkers({ one });
  expect((await ask(proxy)).headers.get('x-value')).toBe('');
  const workers = new Set<string | null>();
  for (let i = 0; i < 500 && workers.size < 2; i++) {
    const { headers } = await ask(proxy);
    workers.add(headers.get('x-worker'));
    expect(headers.get('x-value')).toBe('kept');
  }
  expect([...workers].sort()).toEqual(['0', '1']);
});

test('a value of a queue reaches the worker that registered', async () => {
  const one = filterModule({
    on: {
      proxy_on_configure: [['proxy_register_shared_queue', 'q', out(0)]],
      proxy_on_queue_ready: [
        ['proxy_dequeue_shared_queue', 1, out(2), out(3)],
        ['proxy_log', 3, 'taken from the queue'],
      ],
      proxy_on_request_headers: [['proxy_enqueue_shared_queue', 1, 'value']],
    },
  });
  const { proxy, lines } = await twoWorkers({ one });
  for (let i = 0; i < 20; i++) await ask(proxy);
  const taken = () => lines.filter(({ msg }) => msg === 'taken from the queue');
  await until(() => taken().length === 20, 10_000);
  expect(new Set(taken().map(({ worker }) => worker)).size).toBe(1);
});

const loop = filterModule({
  on: {
    proxy_on_request_headers: [
      ['proxy_get_header_map_value', 0, 'x-loop', out(0), out(1)],
      { raw: '(if (i32.load (i32.const 0x1008)) (then (loop $l (br $l))))' },
      { raw: '(global.set $heap (i32.const 0x8000)) (global.set $calls (i32.const 0))' },
    ],
  },
});

test('a filter that never returns fails its exchange and rests; its worker goes on', async () => {
  const { proxy, lines } = await twoWorkers({ one: loop });
  expect((await ask(proxy)).status).toBe(200);
  expect((await ask(proxy, { 'x-loop': 'yes' })).status).toBe(500);
  const line = lines.find(({ msg }) => msg === 'a filter trapped');
  expect(line).toMatchObject({ filter: 'one', exhausted: true });
  const statuses = new Set<number>();
  for (let i = 0; i < 500 && statuses.size < 2; i++) statuses.add((await ask(proxy)).status);
  // The other worker's instance serves, this one's is quarantined.
  expect([...statuses].sort()).toEqual([200, 500]);
});

test('without the watchdog its worker is replaced, and the filter rests there', async () => {
  const one = { module: loop, watchdog: false };
  const { proxy, lines } = await twoWorkers({ one }, { worker_hang_timeout: 1 });
  await expect(ask(proxy, { 'x-loop': 'yes' })).rejects.toThrow();
  const replaced = () => lines.some(({ msg }) => msg === 'the core failed and is replaced');
  await until(replaced, 20_000);
  const rests = () => lines.some(({ msg }) => msg?.startsWith('a thread hung in the filter'));
  await until(rests, 20_000);
  const statuses = new Set<number>();
  await until(async () => statuses.add((await ask(proxy)).status).size === 2, 20_000);
  // The other worker's instance serves; the new worker does not begin with the filter.
  expect([...statuses].sort()).toEqual([200, 500]);
});
