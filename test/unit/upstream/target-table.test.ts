import { expect, test } from 'vitest';
import { limits } from '../../../src/limits.js';
import { systemClock } from '../../../src/time.js';
import { TargetTable } from '../../../src/upstream/target-table.js';

function tableAt(idleMs: number) {
  const time = { nowMs: 0 };
  const clock = { ...systemClock, now: () => time.nowMs };
  return { time, table: new TargetTable({ clock, idleMs }) };
}

test('an address keeps its number over releases and new uses', () => {
  const { table } = tableAt(1000);
  const a = table.acquire('a', 80);
  const b = table.acquire('b', 80);
  table.release(a);
  expect(table.acquire('a', 80)).toBe(a);
  expect(table.acquire('b', 80)).toBe(b);
  expect(table.acquire('a', 81)).not.toBe(a);
  expect(table.address(a)).toEqual({ host: 'a', port: 80 });
});

test('counts addresses in use', () => {
  const { table } = tableAt(1000);
  const index = table.acquire('a', 80);
  table.acquire('a', 80);
  table.release(index);
  expect(table.size).toBe(1);
  table.release(index);
  expect(table.size).toBe(0);
});

test('a number goes to another address only after pooled connections have run out', () => {
  const { table, time } = tableAt(5000);
  const first = table.acquire('host-0', 80);
  for (let i = 1; i < limits.targets.value; i++) table.acquire(`host-${i}`, 80);
  const oneMore = () => table.acquire('new', 80);
  expect(oneMore).toThrow(expect.objectContaining({ code: 'GW_E_CONFIG_LIMIT' }));
  table.release(first);
  time.nowMs = 5000;
  expect(oneMore).toThrow('more than');
  time.nowMs = 6001;
  expect(oneMore()).toBe(first);
  expect(table.address(first)).toEqual({ host: 'new', port: 80 });
});

test('without an idle limit a number is never given to another address', () => {
  const { table, time } = tableAt(0);
  for (let i = 0; i < limits.targets.value; i++) table.release(table.acquire(`host-${i}`, 80));
  time.nowMs = 1e12;
  expect(() => table.acquire('new', 80)).toThrow('more than');
});
