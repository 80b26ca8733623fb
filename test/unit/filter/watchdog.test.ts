import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileForeign } from '../../../src/core/foreign-module.js';
import { instrument } from '../../../src/filter/binary/instrument.js';
import { limits } from '../../../src/limits.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { root } from '../../tidy/tree.js';
import { advance, createHost, exchange, load } from './harness.js';
import { assemble } from './wat.js';

test.each([
  ['a loop without end', '(loop (br 0))', ''],
  [
    'a loop of host calls',
    '(loop (drop (call $proxy_log (i32.const 0) (i32.const 0) (i32.const 0))) (br 0))',
    '',
  ],
  [
    'a loop of large copies',
    '(loop (memory.copy (i32.const 0) (i32.const 1) (i32.const 0x1fff0)) (br 0))',
    '',
  ],
  [
    'a recursion without end that never goes deep',
    '(drop (call $tree (i32.const 60)))',
    `(func $tree (param i32) (result i32)
       (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
       (i32.add (call $tree (i32.sub (local.get 0) (i32.const 1)))
                (call $tree (i32.sub (local.get 0) (i32.const 1)))))`,
  ],
])('%s ends, and its filter is not started again for a while', async (_name, raw, more) => {
  const clock = new VirtualClock();
  const host = createHost({ clock, logLevel: 'info' });
  const first = { raw: `(if (i32.eqz (local.get 1)) (then (drop (i32.const 0)))) ${raw}` };
  const filter = load(host, {
    more,
    on: { proxy_on_request_headers: [['proxy_log', 0, ''], first] },
  });
  const result = await exchange(filter.chain);
  expect(result.reply).toMatchObject({ status: 500, failed: true });
  const line = host.lines.find(({ message }) => message === 'a filter trapped');
  expect(line?.fields.reason).toMatch(/ran for too long/);
  expect((await exchange(filter.chain)).reply?.details).toMatch(/not available/);
  await advance(clock, limits.filterQuarantineMs.value);
  expect(filter.binding.root).not.toBeNull();
});

test('a module with and without the counter computes the same', () => {
  const bytes = assemble(`(module
    (global $own (mut i64) (i64.const 7))
    (memory (export "memory") 1)
    (table 2 funcref)
    (elem (i32.const 0) $twice $thrice)
    (type $unary (func (param i32) (result i32)))
    (func $twice (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
    (func $thrice (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
    (func (export "run") (param $n i32) (result i32) (local $i i32) (local $sum i32) (local $v v128)
      (block $out
        (loop $again
          (br_if $out (i32.ge_u (local.get $i) (local.get $n)))
          (local.set $sum (i32.add (local.get $sum)
            (call_indirect (type $unary) (local.get $i) (i32.and (local.get $i) (i32.const 1)))))
          (local.set $v (i32x4.add (v128.const i32x4 1 2 3 4) (i32x4.splat (local.get $i))))
          (v128.store (i32.const 64) (local.get $v))
          (memory.fill (i32.const 256) (local.get $i) (i32.const 100))
          (memory.copy (i32.const 512) (i32.const 256) (i32.const 100))
          (local.set $sum (i32.add (local.get $sum) (i32.load8_u (i32.const 560))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (block $a (block $b (block $c (br_table $a $b $c (local.get $i)))))
          (br $again)))
      (i32.add (local.get $sum)
        (i32.trunc_sat_f64_s (f64.mul (f64.const 1.5) (f64.convert_i32_s (local.get $n)))))))`);
  const changed = instrument(bytes);
  expect(changed).not.toBeNull();
  const run = (module: Uint8Array) => {
    const { handle } = compileForeign(module);
    const { exports } = new WebAssembly.Instance(handle as WebAssembly.Module);
    return (exports.run as (n: number) => number)(1000);
  };
  expect(run(changed as Uint8Array)).toBe(run(bytes));
});

test('the core itself stays valid when it is given a counter', () => {
  const changed = instrument(readFileSync(join(root, 'build/release.wasm')));
  expect(changed && WebAssembly.validate(changed)).toBe(true);
});
