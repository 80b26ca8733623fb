/** A head that is looked at where it lies behaves as a list that was read from it. */
import { expect, test } from 'vitest';
import { EditList } from '../../../src/core/exchange-edits.js';
import type { HeadFields } from '../../../src/core/head-fields.js';
import { HeaderEntry } from '../../../src/core/layout.js';
import { privateMemory } from '../../../src/core/phase-copy.js';
import type { StreamAdapter, StreamMap } from '../../../src/filter/adapter.js';
import type { HeaderMap } from '../../../src/filter/header-map.js';
import { StreamHeaders } from '../../../src/filter/stream-headers.js';

const pseudo = {
  0: [
    [':method', 'GET'],
    [':path', '/path'],
    [':scheme', 'http'],
    [':authority', 'example.test'],
  ],
  2: [[':status', '200']],
} as const;

const fields = [
  ['Host', 'example.test'],
  ['X-One', 'first'],
  ['x-one', 'second'],
  ['Content-Length', '5'],
  ['X-Two', ''],
] as const;

/** The fields as the core leaves them; one more that a filter ahead has removed. */
function memory() {
  const head = privateMemory(2048);
  let at = 1024;
  [...fields, ['X-Gone', 'no']].forEach(([name, value], index) => {
    const entry = index * HeaderEntry.size;
    head.buffer.latin1Write(name, at);
    head.u32[(entry + HeaderEntry.name) >> 2] = at;
    at += name.length;
    head.buffer.latin1Write(value, at);
    head.u32[(entry + HeaderEntry.value) >> 2] = at;
    at += value.length;
    head.u16[(entry + HeaderEntry.nameLength) >> 1] = name.length;
    head.u16[(entry + HeaderEntry.valueLength) >> 1] = value.length;
    head.u16[(entry + HeaderEntry.flags) >> 1] = index === fields.length ? 1 : 0;
  });
  return head;
}

function adapter(kind: 0 | 2, shows: boolean): StreamAdapter {
  return {
    load(_: StreamMap, into: HeaderMap): boolean {
      for (const [name, value] of [...pseudo[kind], ...fields]) into.appendText(name, value);
      return true;
    },
    show(_: StreamMap, into: HeadFields): boolean {
      if (shows) into.show(memory(), 0, fields.length + 1);
      return shows;
    },
    property: () => undefined,
    setProperty: () => false,
    wake: () => {},
  };
}

function arrived(kind: 0 | 2, shows: boolean): StreamHeaders {
  const headers = new StreamHeaders(kind, { adapter: adapter(kind, shows) });
  headers.arrive();
  return headers;
}

const names = ['x-one', 'X-TWO', 'x-new', 'host', ':path', ':status', 'content-length', 'x-gone'];
const texts = [...names, 'a b', '', 'x-three'];
const values = ['value', '', 'example.test', '/other?q', '201', 'line\nbreak', 'x'.repeat(70)];

type Operation = (headers: StreamHeaders) => unknown;

const bytes = (text: string): [Uint8Array, number, number] => [
  Buffer.from(`--${text}--`, 'latin1'),
  2,
  text.length,
];

const look =
  (name: string): Operation =>
  (headers) => {
    if (!headers.look(...bytes(name))) return null;
    const { source, valueAt, valueLength } = headers;
    return Buffer.from(source.subarray(valueAt, valueAt + valueLength)).toString('latin1');
  };

const change =
  (op: 'add' | 'replace', name: string, value: string): Operation =>
  (headers) => {
    const memory = Buffer.from(`${name}${value}`, 'latin1');
    return headers[op](memory, 0, name.length, name.length, value.length);
  };

const remove =
  (name: string): Operation =>
  (headers) =>
    headers.remove(...bytes(name));

const all: Operation = (headers) => {
  const map = headers.get();
  return Array.from({ length: map?.count ?? 0 }, (_, i) => [map?.nameText(i), map?.valueText(i)]);
};

const editsOf = (headers: StreamHeaders) => {
  const list = new EditList();
  headers.edits.appendTo(list);
  return Array.from({ length: list.count }, (_, i) => [list.ops[i], list.names[i], list.values[i]]);
};

/** Numbers below `below`, the same ones for a seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x100000000) * below);
  };
}

function operations(next: (below: number) => number): Operation[] {
  const pick = <T>(list: readonly T[]): T => list[next(list.length)];
  return Array.from({ length: 1 + next(24) }, (): Operation => {
    const kind = next(10);
    if (kind < 3) return look(pick(texts));
    if (kind < 5) return change('add', pick(texts), pick(values));
    if (kind < 7) return change('replace', pick(texts), pick(values));
    if (kind < 8) return remove(pick(texts));
    if (kind < 9) return (headers) => headers.count;
    // A whole list seldom, because there is no way back from it.
    return next(4) === 0 ? all : (headers) => headers.count;
  });
}

test.each([0, 2] as const)('any operations on list %i give the same either way', (kind) => {
  for (let seed = 1; seed <= 2000; seed++) {
    const shown = arrived(kind, true);
    const listed = arrived(kind, false);
    for (const [index, operation] of operations(random(seed)).entries()) {
      expect(operation(shown), `seed ${seed}, operation ${index}`).toEqual(operation(listed));
    }
    expect(editsOf(shown), `edits of seed ${seed}`).toEqual(editsOf(listed));
    expect(all(shown), `list of seed ${seed}`).toEqual(all(listed));
  }
});

test('what was edited stays edited when the head moves to another place', () => {
  const headers = arrived(0, true);
  expect(change('replace', 'x-one', 'new')(headers)).toBe(0);
  headers.settle();
  expect(look('x-one')(headers)).toBe('new');
  expect(headers.count).toBe(pseudo[0].length + fields.length - 1);
});

test('an exchange finds nothing of the one before', () => {
  const headers = arrived(2, true);
  change('add', 'x-one', 'third')(headers);
  all(headers);
  headers.reset();
  expect([headers.edits.count, headers.count]).toEqual([0, 0]);
  expect(change('add', 'x-early', 'yes')(headers)).toBe(0);
  headers.arrive();
  expect([look('x-early')(headers), look('x-one')(headers)]).toEqual(['yes', 'first']);
});

test('edits without end are refused at the limit of a list', () => {
  for (const shows of [true, false]) {
    const headers = arrived(0, shows);
    const long = 'x'.repeat(60_000);
    const statuses = new Set<unknown>();
    for (let i = 0; i < 100; i++) statuses.add(change('add', 'x-long', long)(headers));
    expect(statuses).toEqual(new Set([0, 2]));
    expect(headers.edits.size).toBeLessThan(1_048_576 + 61_000);
  }
});
