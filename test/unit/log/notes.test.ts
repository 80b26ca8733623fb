import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/limits.js';
import { NoteStore, withNotes } from '../../../src/log/notes.js';

const entry = { request: { id: 'r' }, response: { status: 200 }, service: { name: 's' } };
const consumer = { id: 'c', username: 'bob' } as never;

describe('notes for log records', () => {
  test('values and the client are put into the record of their request only', () => {
    const store = new NoteStore();
    const faults: string[] = [];
    const made = (id: string) => withNotes(entry, store.find(id), (e) => faults.push(e.message));
    store.setValue('r', 'extra.one', { deep: [1, null] });
    store.setValue('r', 'service.name', 'other', 'add');
    store.setValue('r', 'response.status', 299, 'replace');
    store.setValue('r', 'response.status.x', 1);
    store.setClient('r', consumer, { id: 'k' });
    expect(made('other')).toBe(entry);
    expect(made('r')).toEqual({
      ...entry,
      response: { status: 299 },
      extra: { one: { deep: [1, null] } },
      authenticated_entity: { id: 'k', consumer_id: 'c' },
      consumer,
    });
    expect(faults).toEqual([expect.stringContaining('response.status is not an object')]);
    expect(entry.response.status).toBe(200);
  });

  test('what is set is a copy', () => {
    const store = new NoteStore();
    const value = { list: [1] };
    store.setValue('r', 'v', value);
    value.list.push(2);
    expect(withNotes(entry, store.find('r'), () => {}).v).toEqual({ list: [1] });
  });

  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  test.each<[string, unknown]>([
    ['a function', () => {}],
    ['a symbol', Symbol('s')],
    ['not a number', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a bigint', 1n],
    ['a cycle', cyclic],
  ])('%s is refused', (_, value) => {
    expect(() => new NoteStore().setValue('r', 'v', value)).toThrow(/value must be/);
  });

  test('keys, modes and sizes are checked', () => {
    const store = new NoteStore();
    expect(() => store.setValue('r', '', 1)).toThrow(/key/);
    expect(() => store.setValue('r', 'v', 1, 'append' as never)).toThrow(/set, add, replace/);
    const half = 'x'.repeat(limits.noteBytes.value / 2);
    store.setValue('r', 'v', half);
    expect(() => store.setValue('r', 'v', half)).toThrow(/more than/);
    store.setValue('other', 'v', half);
  });

  test('the oldest notes go, by number and by bytes', () => {
    const store = new NoteStore();
    for (let i = 0; i < limits.notedRequests.value * 2; i++) store.setOwn(`r${i}`, 'p', i);
    expect(store.size).toBeLessThanOrEqual(limits.notedRequests.value);
    expect(store.find('r0')).toBeUndefined();
    const last = limits.notedRequests.value * 2 - 1;
    expect(store.find(`r${last}`)?.own.get('p')).toBe(last);
    const heavy = new NoteStore();
    const value = 'x'.repeat(60_000);
    for (let i = 0; i < 2000; i++) heavy.setValue(`r${i}`, 'v', value);
    expect(heavy.size * value.length).toBeLessThanOrEqual(limits.notesBytes.value + 2 * 60_000);
    expect(heavy.find('r1999')).toBeDefined();
  });
});
