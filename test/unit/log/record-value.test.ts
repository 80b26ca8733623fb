import { describe, expect, test } from 'vitest';
import { splitPath, withValue } from '../../../src/log/record-value.js';

const entry = { a: { b: 1, list: [1] }, n: null, t: 'text' };
const change = (path: string, value: unknown, mode: 'set' | 'add' | 'replace' = 'set') =>
  withValue(entry, splitPath(path), value, mode);

describe('values in a log record', () => {
  test.each([
    ['a.b', ['a', 'b']],
    ['a\\.b.c', ['a.b', 'c']],
    ['a\\b', ['a\\b']],
    ['.', ['', '']],
  ])('the path %s', (path, names) => {
    expect(splitPath(path)).toEqual(names);
  });

  test('set always, add only where nothing is, replace only where something is', () => {
    expect(change('a.b', 2)).toEqual({ ...entry, a: { b: 2, list: [1] } });
    expect(change('a.b', 2, 'add')).toBe(entry);
    expect(change('n', 2, 'add')).toEqual({ ...entry, n: 2 });
    expect(change('a.c', 2, 'add')).toEqual({ ...entry, a: { b: 1, list: [1], c: 2 } });
    expect(change('a.b', 2, 'replace')).toEqual({ ...entry, a: { b: 2, list: [1] } });
    expect(change('a.c', 2, 'replace')).toBe(entry);
    expect(change('x.y.z', 2, 'replace')).toBe(entry);
    expect(change('x.y.z', 2)).toEqual({ ...entry, x: { y: { z: 2 } } });
  });

  test('null deletes, and makes no levels', () => {
    expect(change('a.b', null)).toEqual({ ...entry, a: { list: [1] } });
    expect(change('x.y', null)).toBe(entry);
    expect(change('t', undefined)).toEqual({ a: entry.a, n: null });
  });

  test.each(['t.x', 'a.b.c', 'a.list.x'])('%s: what is in the way is an error', (path) => {
    expect(() => change(path, 1)).toThrow(/is not an object/);
  });

  test('the record given is never changed', () => {
    const before = structuredClone(entry);
    change('a.b', 9);
    change('a.list', null);
    expect(entry).toEqual(before);
  });
});
