import { expect, test } from 'vitest';
import type { Context } from '../../../src/filter/context.js';
import { ContextTable } from '../../../src/filter/context-table.js';

const added = (table: ContextTable): Context => {
  const context = { id: table.freeId() } as Context;
  table.add(context);
  return context;
};

test('ids count from 1 and are not used again soon', () => {
  const table = new ContextTable();
  const ids = Array.from({ length: 200 }, () => {
    const context = added(table);
    table.delete(context);
    return context.id;
  });
  expect(ids[0]).toBe(1);
  expect(new Set(ids).size).toBe(200);
});

test('every context is found by its id, however many there are', () => {
  const table = new ContextTable();
  const root = added(table);
  const live = Array.from({ length: 3000 }, () => added(table));
  for (const context of live.splice(0, 1500)) table.delete(context);
  live.push(...Array.from({ length: 2000 }, () => added(table)));
  for (const context of [root, ...live]) expect(table.get(context.id)).toBe(context);
  expect([table.size, table.all().length]).toEqual([3501, 3501]);
});

test('an id that is gone, or never was, finds nothing', () => {
  const table = new ContextTable();
  const context = added(table);
  table.delete(context);
  table.delete(context);
  added(table);
  for (const id of [0, context.id, 64 + context.id, 0xffffffff]) {
    expect(table.get(id)).toBeUndefined();
  }
  expect(table.size).toBe(1);
  table.clear();
  expect([table.size, table.all()]).toEqual([0, []]);
});
