import { describe, expect, test } from 'vitest';
import { cell, createHost, exchange, given, load, statuses } from './harness.js';
import { assemble, type Step } from './wat.js';

const out = (index: number) => ({ out: index });
const get = (path: string, index = 0): Step => [
  'proxy_get_property',
  path,
  out(index),
  out(index + 1),
];

describe('properties', () => {
  const properties = { 'request.size': 300, 'request.id': 'abc', 'connection.mtls': true };

  test('paths are segments joined by NUL, or one with dots', async () => {
    const filter = load(createHost(), {
      on: {
        proxy_on_request_headers: [
          get('request\0size'),
          get('request.id', 2),
          get('connection\0mtls\0', 4),
        ],
      },
    });
    await exchange(filter.chain, { properties });
    expect([given(filter, 0), given(filter, 2), given(filter, 4)]).toEqual(['300', 'abc', 'true']);
  });

  test('can have the binary forms of Envoy', async () => {
    const on = { proxy_on_request_headers: [get('request.size'), get('connection.mtls', 2)] };
    const filter = load(createHost(), { on }, '', { properties: 'binary' });
    await exchange(filter.chain, { properties });
    expect(given(filter, 0)).toBe('\x2c\x01\0\0\0\0\0\0');
    expect(given(filter, 2)).toBe('\x01');
  });

  test('unknown, empty and outside paths; roots see only what is theirs', async () => {
    const filter = load(
      createHost(),
      {
        on: {
          proxy_on_configure: [get('request.size'), get('plugin_name'), get('plugin_root_id', 2)],
          proxy_on_request_headers: [
            get('no.such'),
            get(''),
            get('\0'),
            get('...'),
            ['proxy_get_property', 0x1ffff, 2, out(0), out(1)],
            ['proxy_get_property', 'request.id', out(0), -1],
          ],
        },
      },
      '',
      { name: 'named', rootId: 'root' },
    );
    await exchange(filter.chain, { properties });
    expect(statuses(filter).slice(0, 9)).toEqual([1, 0, 0, 1, 1, 1, 1, 6, 6]);
    expect([given(filter, 0), given(filter, 2)]).toEqual(['named', 'root']);
  });

  test('storage of the exchange can be set, facts cannot', async () => {
    const set = (path: string, value: string): Step => ['proxy_set_property', path, value];
    const filter = load(createHost(), {
      on: {
        proxy_on_request_headers: [
          set('wasmx\0mine', 'kept'),
          get('wasmx.mine'),
          set('request.id', 'other'),
          set('plugin_name', 'other'),
          ['proxy_set_property', 'wasmx.mine', 0, 0],
          get('wasmx.mine', 2),
        ],
      },
    });
    await exchange(filter.chain, { properties });
    expect(statuses(filter).slice(0, 6)).toEqual([0, 0, 1, 1, 0, 1]);
    expect(given(filter, 0)).toBe('kept');
  });
});

describe('log, time, level', () => {
  test('levels, bounds and control characters', async () => {
    const host = createHost({ logLevel: 'info' });
    const filter = load(host, {
      on: {
        proxy_on_request_headers: [
          ['proxy_log', 0, 'trace'],
          ['proxy_log', 2, 'one\ntwo\x1b[31m'],
          ['proxy_log', 5, 'critical'],
          ['proxy_log', 6, 'x'],
          ['proxy_log', -1, 'x'],
          ['proxy_log', 2, 0x1ffff, 2],
          ['proxy_log', 3, 'x'.repeat(9000)],
          ['proxy_get_log_level', out(0)],
          ['proxy_get_log_level', -1],
          ['proxy_get_current_time_nanoseconds', out(2)],
          ['proxy_get_current_time_nanoseconds', 0x1fffc],
        ],
      },
    });
    await exchange(filter.chain);
    expect(statuses(filter).slice(0, 11)).toEqual([0, 0, 0, 2, 2, 6, 0, 0, 6, 0, 6]);
    const lines = host.lines.map(({ level, message }) => [level, message.slice(0, 20)]);
    expect(lines.slice(0, 2)).toEqual([
      ['info', 'one\\ntwo\\x1b[31m'],
      ['fatal', 'critical'],
    ]);
    expect(host.lines[2].message.length).toBeLessThan(8300);
    expect(cell(filter, 0)).toBe(2);
  });
});

describe('foreign functions', () => {
  test('answer at once, later, or not at all', async () => {
    const host = createHost({
      foreign: {
        double: (args) => Buffer.concat([args, args]),
        later: async (args) => Buffer.from(`later ${Buffer.from(args)}`),
        broken: () => {
          throw new Error('broken');
        },
      },
    });
    const call = (name: string, index: number): Step => [
      'proxy_call_foreign_function',
      name,
      'ab',
      out(index),
      out(index + 1),
    ];
    const filter = load(host, {
      on: {
        proxy_on_request_headers: [
          call('double', 0),
          call('later', 4),
          call('broken', 4),
          call('no', 4),
          { result: 1 },
        ],
        proxy_on_foreign_function: [
          ['proxy_get_buffer_bytes', 8, 0, -1, out(2), out(3)],
          ['proxy_set_effective_context', 2],
          ['proxy_continue_stream', 0],
        ],
      },
    });
    await exchange(filter.chain);
    expect(statuses(filter).slice(0, 5)).toEqual([0, 0, 10, 1, 0]);
    expect([given(filter, 0), given(filter, 2)]).toEqual(['abab', 'later ab']);
  });
});

describe('allocator', () => {
  test.each([
    ['0 is InternalFailure', '(i32.const 0)', 10],
    ['an address outside is InvalidMemoryAccess', '(i32.const -8)', 6],
    ['growing inside it is survived', '(drop (memory.grow (i32.const 1))) (i32.const 0x9000)', 0],
  ])('%s', async (_name, allocate, status) => {
    const filter = load(createHost(), {
      allocate,
      on: { proxy_on_request_headers: [['proxy_get_header_map_value', 0, 'host', out(0), out(1)]] },
    });
    await exchange(filter.chain);
    expect(statuses(filter)[0]).toBe(status);
    if (status === 0) expect(given(filter, 0)).toBe('example.test');
  });
});

/** Space, name, parameters; each gives an errno. */
const wasiImports = [
  ['wasi_snapshot_preview1', 'fd_write', 'i32 i32 i32 i32'],
  ['wasi_unstable', 'fd_prestat_get', 'i32 i32'],
  ['wasi_snapshot_preview1', 'clock_time_get', 'i32 i64 i32'],
  ['wasi_snapshot_preview1', 'random_get', 'i32 i32'],
  ['wasi_snapshot_preview1', 'environ_sizes_get', 'i32 i32'],
  ['wasi_snapshot_preview1', 'environ_get', 'i32 i32'],
  ['wasi_snapshot_preview1', 'args_sizes_get', 'i32 i32'],
  ['wasi_snapshot_preview1', 'fd_fdstat_get', 'i32 i32'],
  ['wasi_snapshot_preview1', 'poll_oneoff', 'i32 i32 i32 i32'],
] as const;

describe('WASI', () => {
  const imports = wasiImports
    .map(([space, name, params]) => {
      return `(import "${space}" "${name}" (func $${name} (param ${params}) (result i32)))`;
    })
    .concat('(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))')
    .join('\n');

  /** Calls WASI functions while starting, and notes their results at 0. */
  const wasi = (lines: string) =>
    assemble(`(module
      ${imports}
      (memory (export "memory") 1)
      (data (i32.const 0x2000) "printed\\n")
      (data (i32.const 0x3000) "\\00\\20\\00\\00\\08\\00\\00\\00")
      (global $at (mut i32) (i32.const 0))
      (func $note (param i32)
        (i32.store (global.get $at) (local.get 0))
        (global.set $at (i32.add (global.get $at) (i32.const 4))))
      (func (export "proxy_abi_version_0_2_1"))
      (func (export "malloc") (param i32) (result i32) (i32.const 0x8000))
      (func (export "_start") ${lines}))`);
  const note = (call: string) => `(call $note (call ${call}))`;

  test('has output, time, randomness, the environment given, and no files', () => {
    const host = createHost();
    const filter = load(
      host,
      wasi(
        [
          '$fd_write (i32.const 1) (i32.const 0x3000) (i32.const 1) (i32.const 0x1000)',
          '$fd_write (i32.const 3) (i32.const 0x3000) (i32.const 1) (i32.const 0x1000)',
          '$fd_prestat_get (i32.const 3) (i32.const 0x1000)',
          '$clock_time_get (i32.const 0) (i64.const 1) (i32.const 0x1010)',
          '$clock_time_get (i32.const 5) (i64.const 1) (i32.const 0x1010)',
          '$random_get (i32.const 0x1020) (i32.const 8)',
          '$random_get (i32.const 0x1020) (i32.const 65537)',
          '$environ_sizes_get (i32.const 0x1030) (i32.const 0x1034)',
          '$environ_get (i32.const 0x1040) (i32.const 0x1100)',
          '$args_sizes_get (i32.const 0x1050) (i32.const 0x1054)',
          '$fd_fdstat_get (i32.const 1) (i32.const 0x1200)',
          '$fd_fdstat_get (i32.const 3) (i32.const 0x1200)',
          '$poll_oneoff (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0x1300)',
          '$random_get (i32.const 0xfffc) (i32.const 8)',
        ]
          .map(note)
          .concat('(call $exit (i32.const 0))')
          .join(''),
      ),
      '',
      { environment: { NAME: 'value', OTHER: 'x' } },
    );
    expect(statuses(filter).slice(0, 14)).toEqual([0, 8, 8, 0, 58, 0, 28, 0, 0, 0, 0, 8, 0, 21]);
    expect(host.messages()).toEqual(['printed']);
    expect([cell(filter, 6), cell(filter, 10)]).toEqual([2, 0]);
  });

  test('words of a line are one entry, logged at the end of the callback at the latest', () => {
    const host = createHost();
    const word = (at: number, size: number, fd = 2) =>
      `(i32.store (i32.const 0x3000) (i32.const ${at}))
       (i32.store (i32.const 0x3004) (i32.const ${size}))
       (drop (call $fd_write
         (i32.const ${fd}) (i32.const 0x3000) (i32.const 1) (i32.const 0x1000)))`;
    const words = [word(0x2000, 4), word(0x2004, 4), word(0x2000, 2), word(0x2002, 3, 1)];
    load(host, wasi(`${words.join('')} (call $exit (i32.const 0))`));
    expect(host.lines.map(({ level, message }) => [level, message])).toEqual([
      ['error', 'printed'],
      ['error', 'pr'],
      ['info', 'int'],
    ]);
  });

  test('proc_exit with another code is a failed start', () => {
    expect(() => load(createHost(), wasi('(call $exit (i32.const 3))'))).toThrow(
      /failed in start: proc_exit\(3\)/,
    );
  });
});
