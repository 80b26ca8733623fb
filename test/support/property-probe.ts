/** A filter that logs properties: for each path a line with it, then one with what it is. */
import { outputs, type Step } from '../unit/filter/wat.js';
import type { LogLine } from './gateway.js';

const absent = 'absent';

/** Host calls that log every path and its value. */
export const probe = (paths: readonly string[]): Step[] =>
  paths.flatMap((path): Step[] => [
    ['proxy_get_property', path, { out: 0 }, { out: 1 }],
    { raw: '(local.set $status (i32.load (i32.sub (global.get $calls) (i32.const 4))))' },
    ['proxy_log', 2, `>${path}`],
    {
      raw: `(if (local.get $status)
        (then (drop
          (call $proxy_log (i32.const 2) (i32.const 0x1f00) (i32.const ${absent.length}))))
        (else (drop (call $proxy_log (i32.const 2)
          (i32.load (i32.const ${outputs})) (i32.load (i32.const ${outputs + 8}))))))
        (global.set $calls (i32.const 0)) (global.set $heap (i32.const 0x8000))`,
    },
  ]);

/** Locals come first in a function. */
export const probing = (paths: readonly string[]): Step[] => [
  { raw: '(local $status i32)' },
  ...probe(paths),
];

export const probeData = `(data (i32.const 0x1f00) "${absent}")`;

/** The last value of each path that a filter logged; null: it had none. */
export function probed(lines: readonly LogLine[], filter: string): Record<string, string | null> {
  const values: Record<string, string | null> = {};
  const own = lines.filter((line) => line.filter === filter).map(({ msg }) => msg ?? '');
  for (let i = 0; i + 1 < own.length; i++) {
    if (own[i].startsWith('>')) values[own[i].slice(1)] = own[i + 1] === absent ? null : own[i + 1];
  }
  return values;
}
