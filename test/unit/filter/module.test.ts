import { describe, expect, test } from 'vitest';
import { boundMemory } from '../../../src/filter/binary/memory-limit.js';
import { loadModule } from '../../../src/filter/module.js';
import { createHost, exchange, load, statuses } from './harness.js';
import { assemble, filterModule } from './wat.js';

const reasonOf = (bytes: Uint8Array): string => {
  try {
    loadModule('some', bytes);
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
};

const marked = (rest: string) =>
  assemble(`(module (func (export "proxy_abi_version_0_2_1")) ${rest})`);
const allocator = '(func (export "malloc") (param i32) (result i32) (i32.const 0))';
const memory = '(memory (export "memory") 1)';

describe('what is refused at load', () => {
  test('everything that is missing is named in one message', () => {
    const reason = reasonOf(
      assemble(`(module
        (import "env" "proxy_do_magic" (func))
        (import "env" "proxy_do_magic" (func))
        (import "other" "thing" (func))
        (import "env" "table" (table 1 funcref))
        (func (export "proxy_abi_version_0_9_9")))`),
    );
    for (const part of [
      'proxy_abi_version_* of a version known here (0.2.1, 0.2.0, 0.1.0)',
      'proxy_abi_version_0_9_9',
      'exports no memory',
      'exports neither proxy_on_memory_allocate nor malloc',
      'env.proxy_do_magic, other.thing, env.table (table)',
    ]) {
      expect(reason).toContain(part);
    }
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /not a Wasm module/],
    ['text', Buffer.from('(module) ; text'), /not a Wasm module/],
    ['a component', Uint8Array.of(0, 97, 115, 109, 13, 0, 1, 0), /a component/],
    ['another version', Uint8Array.of(0, 97, 115, 109, 2, 0, 0, 0), /unknown version 2/],
    ['a cut module', filterModule({ on: {} }).slice(0, -3), /not a valid module/],
    [
      'bytes of no section',
      Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 99, 1),
      /not a valid module/,
    ],
  ])('%s', (_name, bytes, reason) => {
    expect(reasonOf(bytes)).toMatch(reason);
  });

  test('a module that needs more memory than allowed', () => {
    const bytes = marked(`(memory (export "memory") 3000) ${allocator}`);
    expect(reasonOf(bytes)).toMatch(/needs 3000 pages of memory at start, 2048 are allowed/);
  });
});

describe('what is accepted', () => {
  test.each(['0_1_0', '0_2_0', '0_2_1'])('ABI %s', (version) => {
    const module = loadModule('some', filterModule({ abi: version, on: {} }));
    expect(module.abi).toBe(version.replaceAll('_', '.'));
  });

  test('of several markers the newest known one counts', () => {
    const markers = ['0_1_0', '0_2_0', '0_9_0']
      .map((version) => `(func (export "proxy_abi_version_${version}"))`)
      .join('');
    expect(loadModule('some', assemble(`(module ${markers} ${memory} ${allocator})`)).abi).toBe(
      '0.2.0',
    );
  });

  test('callbacks are found by name', () => {
    const module = loadModule('some', filterModule({ on: { proxy_on_tick: [], other: [] } }));
    expect([...module.callbacks]).toEqual(['proxy_on_tick']);
  });
});

describe('memory limit', () => {
  test('growth beyond it answers -1 inside the filter', async () => {
    const filter = load(
      createHost(),
      {
        on: {
          proxy_on_request_headers: [
            { raw: '(call $note (memory.grow (i32.const 8)))' },
            { raw: '(call $note (memory.grow (i32.const 1)))' },
            { raw: '(call $note (memory.size))' },
          ],
        },
      },
      '',
      { memoryPages: 10 },
    );
    await exchange(filter.chain);
    expect(statuses(filter).slice(0, 3)).toEqual([2, 0xffffffff, 10]);
  });

  test('a smaller maximum of the module itself stays', () => {
    const bytes = marked(`(memory (export "memory") 1 3) ${allocator}`);
    expect(boundMemory(bytes, 10)).toMatchObject({ minPages: 1, maxPages: 3 });
    expect(boundMemory(bytes, 2)).toMatchObject({ minPages: 1, maxPages: 2 });
  });
});
