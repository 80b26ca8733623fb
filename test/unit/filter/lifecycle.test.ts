import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/limits.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { advance, createHost, exchange, type Host, load, statuses } from './harness.js';
import type { Step } from './wat.js';

const log = (message: string): Step => ['proxy_log', 2, message];
const said = (host: Host) =>
  host.lines.filter(({ level }) => level === 'info').map(({ message }) => message);
const trap: Step = { raw: '(unreachable)' };
const pause: Step = { result: 1 };
/** Runs the rest only where the request's path has `/trap` as its first characters. */
const onlyTrapPath = (then: string): Step => ({
  raw: `(drop (call $proxy_get_header_map_value (i32.const 0) (i32.const 0x1ff0) (i32.const 5)
          (i32.const 0x1000) (i32.const 0x1008)))
        (if (i32.eq (i32.load (i32.add (i32.load (i32.const 0x1000)) (i32.const 1)))
                    (i32.const 0x70617274)) (then ${then}))`,
});
const pathText = '(data (i32.const 0x1ff0) ":path")';
const readPath: Step = ['proxy_get_header_map_value', 0, ':path', { out: 8 }, { out: 9 }];

const all: Record<string, readonly Step[]> = {
  proxy_on_context_create: [log('create')],
  proxy_on_vm_start: [log('vm start')],
  proxy_on_configure: [log('configure')],
  proxy_on_request_headers: [log('request headers')],
  proxy_on_request_body: [log('request body')],
  proxy_on_response_headers: [log('response headers')],
  proxy_on_response_body: [log('response body')],
  proxy_on_done: [log('done')],
  proxy_on_log: [log('log')],
  proxy_on_delete: [log('delete')],
};

describe('order of callbacks', () => {
  test('the instance is configured, then each exchange passes, then it is given back', async () => {
    const host = createHost();
    const filter = load(host, { on: all }, 'config');
    const body = [Buffer.from('x')];
    await exchange(filter.chain, { request: { method: 'POST', body } });
    filter.chain.release();
    expect(said(host)).toEqual([
      'create',
      'vm start',
      'configure',
      'create',
      'request headers',
      'request body',
      'response headers',
      'response body',
      'done',
      'log',
      'delete',
      'done',
      'delete',
    ]);
  });

  test('an instance is started by _initialize and main, or by _start, never both', () => {
    const host = createHost();
    const message = (text: string, at: number) =>
      `(drop (call $proxy_log (i32.const 2) (i32.const ${at}) (i32.const ${text.length})))`;
    const starts = (names: string[]) =>
      names
        .map((name, index) => {
          const at = 0x7000 + 64 * index;
          const params = name === 'main' ? '(param i32 i32) (result i32)' : '';
          const tail = name === 'main' ? '(i32.const 0)' : '';
          return `(data (i32.const ${at}) "${name}")
            (func (export "${name}") ${params} ${message(name, at)} ${tail})`;
        })
        .join('\n');
    const on = { proxy_on_configure: [log('configure')] };
    load(host, { on, more: starts(['_start', 'main', '_initialize']) });
    load(host, { on, more: starts(['_start']) });
    expect(said(host)).toEqual(['_initialize', 'main', 'configure', '_start', 'configure']);
  });

  test('configurations are readable, an empty one is OK with size 0', () => {
    const host = createHost();
    const get = (type: number): Step => [
      'proxy_get_buffer_bytes',
      type,
      0,
      99,
      { out: 0 },
      { out: 1 },
    ];
    const filter = load(host, { on: { proxy_on_configure: [get(6), get(7)] } }, '', {
      vmConfig: 'vm',
    });
    expect(statuses(filter).slice(0, 2)).toEqual([0, 0]);
  });

  test('false from vm_start or configure refuses the configuration', () => {
    const refuse = (name: string) => () =>
      load(createHost(), { on: { [name]: [{ result: 0 }] } }, '', { name: 'choosy' });
    expect(refuse('proxy_on_vm_start')).toThrow("filter 'choosy' refuses to start");
    expect(refuse('proxy_on_configure')).toThrow("filter 'choosy' refuses this configuration");
  });

  test('a further configuration that is refused leaves the others alone', async () => {
    const once = `(global.set $n (i32.add (global.get $n) (i32.const 1)))
      (return (i32.eq (global.get $n) (i32.const 1)))`;
    const on = {
      proxy_on_configure: [{ raw: once }],
      proxy_on_response_headers: [['proxy_add_header_map_value', 2, 'x-filter', 'lives'] as Step],
    };
    const more = '(global $n (mut i32) (i32.const 0))';
    const filter = load(createHost(), { on, more }, 'one');
    const config = Buffer.from('two');
    filter.vm.rehearse(config);
    expect(() => filter.vm.bind(config)).toThrow('refuses this configuration');
    const { received } = await exchange(filter.chain);
    expect(received?.headers).toContainEqual(['x-filter', 'lives']);
  });

  test('a configuration that comes while the instance is dead waits for the next one', async () => {
    const clock = new VirtualClock();
    const filter = load(createHost({ clock }), { on: { proxy_on_request_headers: [trap] } }, 'one');
    await exchange(filter.chain);
    const binding = filter.vm.bind(Buffer.from('two'));
    expect(binding.root).toBeNull();
    await advance(clock, 100);
    expect(binding.root?.config).toEqual(Buffer.from('two'));
    expect(binding.root?.instance).toBe(filter.binding.root?.instance);
  });

  test('a trap while configuring refuses the configuration and names the callback', () => {
    expect(() => load(createHost(), { on: { proxy_on_configure: [trap] } })).toThrow(
      /failed in proxy_on_configure of context 1: unreachable/,
    );
  });

  test('on_done 0 delays log and delete until proxy_done, or for a bounded time', async () => {
    const clock = new VirtualClock();
    const host = createHost({ clock });
    const on = {
      proxy_on_done: [log('done'), { result: 0 } as Step],
      proxy_on_log: [log('log')],
      proxy_on_delete: [log('delete')],
      proxy_on_configure: [
        ['proxy_set_tick_period_milliseconds', 10] as Step,
        ['proxy_done'] as Step,
      ],
      proxy_on_tick: [['proxy_set_effective_context', 2] as Step, ['proxy_done'] as Step],
    };
    const filter = load(host, { on });
    await exchange(filter.chain);
    expect(said(host)).toEqual(['done']);
    await advance(clock, 10);
    expect(said(host)).toEqual(['done', 'log', 'delete']);
    expect(statuses(filter)[1]).toBe(1);
    const silent = load(host, { on: { ...on, proxy_on_tick: [] } });
    await exchange(silent.chain);
    await advance(clock, limits.filterDoneMs.value);
    expect(said(host).slice(3)).toEqual(['done', 'log', 'delete']);
  });
});

describe('ticks', () => {
  test('run on the root, one period replaces the other, 0 stops them', async () => {
    const clock = new VirtualClock();
    const host = createHost({ clock });
    const filter = load(host, {
      on: {
        proxy_on_configure: [
          ['proxy_set_tick_period_milliseconds', 5],
          ['proxy_set_tick_period_milliseconds', 100],
        ],
        proxy_on_tick: [log('tick')],
      },
    });
    await advance(clock, 99);
    expect(said(host)).toEqual([]);
    await advance(clock, 1);
    await advance(clock, 100);
    expect(said(host)).toEqual(['tick', 'tick']);
    filter.chain.release();
    await advance(clock, 1000);
    expect(said(host)).toEqual(['tick', 'tick']);
  });
});

describe('traps', () => {
  const trapping = {
    more: pathText,
    on: { ...all, proxy_on_request_headers: [readPath, onlyTrapPath('(unreachable)')] },
  };

  test('fail the exchange with 500, and the next one gets a fresh instance', async () => {
    const host = createHost();
    const filter = load(host, trapping, 'config', { name: 'brittle' });
    const failed = await exchange(filter.chain, { request: { path: '/trap' } });
    expect(failed.reply).toMatchObject({ status: 500, failed: true });
    const line = host.lines.find(({ message }) => message === 'a filter trapped');
    expect(line?.fields).toMatchObject({
      filter: 'brittle',
      callback: 'proxy_on_request_headers',
      context: 2,
    });
    const next = await exchange(filter.chain);
    expect(next.received?.status).toBe(200);
    const dead = said(host);
    expect(dead.slice(0, 7)).toEqual([
      'create',
      'vm start',
      'configure',
      'create',
      'create',
      'vm start',
      'configure',
    ]);
  });

  test('are passed over with fail_open', async () => {
    const filter = load(createHost(), trapping, '', { failOpen: true });
    const result = await exchange(filter.chain, { request: { path: '/trap' } });
    expect(result.received?.status).toBe(200);
  });

  test('that repeat are made up for later and later', async () => {
    const clock = new VirtualClock();
    const filter = load(createHost({ clock }), trapping);
    const statusOf = async (path: string) =>
      (await exchange(filter.chain, { request: { path } })).received?.status;
    const seen: unknown[] = [];
    for (let i = 0; i < 6; i++) {
      seen.push(await statusOf('/trap'));
      await advance(clock, 40);
    }
    expect(seen).toEqual([500, 500, 500, 500, 500, 500]);
    expect(await statusOf('/fine')).toBe(500);
    await advance(clock, 60_000);
    expect(await statusOf('/fine')).toBe(200);
    expect(await statusOf('/trap')).toBe(500);
    expect(await statusOf('/fine')).toBe(200);
  });

  test('end exchanges that are paused in the same instance, and no others', async () => {
    const host = createHost();
    const filter = load(host, {
      more: pathText,
      on: {
        proxy_on_request_headers: [readPath, onlyTrapPath('(unreachable)'), pause],
        proxy_on_log: [log('log')],
      },
    });
    const other = load(host, { on: { proxy_on_request_headers: [] } });
    const paused = exchange(filter.chain);
    await exchange(filter.chain, { request: { path: '/trap' } });
    expect((await paused).reply).toMatchObject({ status: 500, failed: true });
    expect((await exchange(other.chain)).received?.status).toBe(200);
    expect(said(host)).toEqual([]);
  });

  test('deep recursion is a trap like others', async () => {
    const filter = load(createHost(), {
      more: '(func $deep (result i32) (i32.add (call $deep) (i32.const 1)))',
      on: { proxy_on_request_headers: [{ raw: '(drop (call $deep))' }] },
    });
    expect((await exchange(filter.chain)).reply?.status).toBe(500);
  });

  test('in on_log change nothing for the client', async () => {
    const filter = load(createHost(), { on: { proxy_on_log: [trap] } });
    expect((await exchange(filter.chain)).received?.status).toBe(200);
  });

  test('contexts that were created are deleted, whatever the end', async () => {
    const host = createHost();
    const filter = load(host, {
      on: {
        proxy_on_context_create: [log('create')],
        proxy_on_delete: [log('delete')],
      },
    });
    for (let i = 0; i < 20; i++) await exchange(filter.chain);
    filter.chain.release();
    const count = (text: string) => said(host).filter((line) => line === text).length;
    expect(count('create')).toBe(21);
    expect(count('delete')).toBe(21);
  });
});
