import { describe, expect, test } from 'vitest';
import type { FieldList } from '../../../src/filter/memory-exchange.js';
import { cell, createHost, exchange, given, load, statuses } from './harness.js';
import { pairs, type Step } from './wat.js';

const out = (index: number) => ({ out: index });

/** Runs host calls in on_request_headers, and more in other callbacks. */
async function run(steps: readonly Step[], on: Record<string, readonly Step[]> = {}, abi?: string) {
  const host = createHost();
  const filter = load(host, { abi, on: { proxy_on_request_headers: steps, ...on } });
  const result = await exchange(filter.chain);
  return { host, filter, result, statuses: statuses(filter) };
}

const get = (map: number, name: string): Step => [
  'proxy_get_header_map_value',
  map,
  name,
  out(0),
  out(1),
];

describe('reading values', () => {
  test('names compare without case, the first of several fields is given', async () => {
    const ran = await run([get(0, 'x-TWICE')]);
    expect(ran.statuses[0]).toBe(0);
    expect(given(ran.filter, 0)).toBe('one');
  });

  test.each([
    [':method', 'GET'],
    [':path', '/path?query=1'],
    [':scheme', 'http'],
    [':authority', 'example.test'],
    ['host', 'example.test'],
  ])('the pseudo-header %s is there', async (name, value) => {
    const ran = await run([get(0, name)]);
    expect(given(ran.filter, 0)).toBe(value);
  });

  test('an empty value is OK with size 0 and no address', async () => {
    const ran = await run([get(0, 'x-empty')]);
    expect([ran.statuses[0], cell(ran.filter, 0), cell(ran.filter, 1)]).toEqual([0, 0, 0]);
  });

  test('a missing field is NotFound from 0.2.0 on, and empty in 0.1.0', async () => {
    expect((await run([get(0, 'no')])).statuses[0]).toBe(1);
    expect((await run([get(0, 'no')], {}, '0.2.0')).statuses[0]).toBe(1);
    expect((await run([get(0, 'no')], {}, '0.1.0')).statuses[0]).toBe(0);
  });

  test('lists that are not there are NotFound, unknown ones BadArgument', async () => {
    const maps = [1, 2, 3, 4, 5, 6, 7, 8, -1].map((map) => get(map, 'x'));
    expect((await run(maps)).statuses.slice(0, 9)).toEqual([1, 1, 1, 1, 1, 1, 1, 2, 2]);
  });

  test('a key or an output address outside the memory is InvalidMemoryAccess', async () => {
    const ran = await run([
      ['proxy_get_header_map_value', 0, 0x20000, 1, out(0), out(1)],
      ['proxy_get_header_map_value', 0, -1, 2, out(0), out(1)],
      ['proxy_get_header_map_value', 0, 'host', 0x1fffe, out(1)],
      ['proxy_get_header_map_value', 0, 'host', out(0), -4],
      ['proxy_get_header_map_value', 0, 16, -1, out(0), out(1)],
    ]);
    expect(ran.statuses.slice(0, 5)).toEqual([6, 6, 6, 6, 6]);
    expect(cell(ran.filter, 0)).toBe(0);
  });
});

describe('reading lists', () => {
  test('pseudo-headers come first, names in lower case, repeated fields apart', async () => {
    const ran = await run([['proxy_get_header_map_pairs', 0, out(0), out(1)]]);
    const expected = pairs([
      [':method', 'GET'],
      [':path', '/path?query=1'],
      [':scheme', 'http'],
      [':authority', 'example.test'],
      ['host', 'example.test'],
      ['user-agent', 'test'],
      ['x-twice', 'one'],
      ['x-twice', 'two'],
      ['x-empty', ''],
    ]);
    expect(given(ran.filter, 0)).toBe(Buffer.from(expected).toString('latin1'));
  });

  test('the size is that of the serialised form', async () => {
    const ran = await run([
      ['proxy_get_header_map_size', 0, out(2)],
      ['proxy_get_header_map_pairs', 0, out(0), out(1)],
      ['proxy_get_header_map_size', 9, out(2)],
    ]);
    expect(ran.statuses.slice(0, 3)).toEqual([0, 0, 2]);
    expect(cell(ran.filter, 2)).toBe(given(ran.filter, 0).length);
  });

  test('a list that is not there is empty: OK, 0, 0', async () => {
    const ran = await run([['proxy_get_header_map_pairs', 3, out(0), out(1)]]);
    expect([ran.statuses[0], cell(ran.filter, 0), cell(ran.filter, 1)]).toEqual([0, 0, 0]);
  });
});

describe('edits', () => {
  test('add appends, replace leaves one, remove takes all', async () => {
    const ran = await run([
      ['proxy_add_header_map_value', 0, 'x-new', 'a'],
      ['proxy_add_header_map_value', 0, 'x-new', 'b'],
      ['proxy_replace_header_map_value', 0, 'X-Twice', 'three'],
      ['proxy_remove_header_map_value', 0, 'User-Agent'],
      ['proxy_remove_header_map_value', 0, 'x-not-there'],
    ]);
    expect(ran.statuses.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(ran.result.sent?.headers).toEqual([
      ['x-twice', 'three'],
      ['x-empty', ''],
      ['x-new', 'a'],
      ['x-new', 'b'],
    ]);
  });

  test('pseudo-headers change the request line', async () => {
    const ran = await run([
      ['proxy_replace_header_map_value', 0, ':path', '/other?x'],
      ['proxy_replace_header_map_value', 0, ':method', 'POST'],
      ['proxy_replace_header_map_value', 0, ':authority', 'other.test'],
      ['proxy_replace_header_map_value', 0, ':path', ''],
      get(0, 'host'),
    ]);
    expect(ran.statuses.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(given(ran.filter, 0)).toBe('other.test');
    expect(ran.result.sent).toMatchObject({
      method: 'POST',
      path: '/other?x',
      authority: 'other.test',
    });
  });

  test('bytes that would break the message are refused', async () => {
    const ran = await run([
      ['proxy_add_header_map_value', 0, 'x-a', 'b\r\nx-c: d'],
      ['proxy_add_header_map_value', 0, 'x a', 'b'],
      ['proxy_add_header_map_value', 0, '', 'b'],
      ['proxy_replace_header_map_value', 0, ':path', '/a b'],
      ['proxy_replace_header_map_value', 0, ':path', '/a\r\nHost: x'],
      ['proxy_replace_header_map_value', 0, ':method', 'GET /'],
      ['proxy_replace_header_map_value', 0, ':status', '200'],
      ['proxy_replace_header_map_value', 0, ':unknown', '200'],
      ['proxy_set_header_map_pairs', 0, pairs([['x-a', 'b\0c']])],
    ]);
    expect(ran.statuses.slice(0, 9)).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 2]);
    expect(ran.result.sent?.headers).toHaveLength(4);
  });

  test('setting a whole list keeps pseudo-headers and repeated fields', async () => {
    const list = pairs([
      ['set-cookie', 'a'],
      ['set-cookie', 'b'],
      [':path', '/set'],
    ]);
    const ran = await run([['proxy_set_header_map_pairs', 0, list]]);
    expect(ran.result.sent).toMatchObject({ method: 'GET', path: '/set' });
    expect(ran.result.sent?.headers).toEqual([
      ['set-cookie', 'a'],
      ['set-cookie', 'b'],
    ]);
  });

  test.each([[''], ['\0'], ['\0\0\0\0']])(
    'an empty list (%j) removes every field',
    async (text) => {
      const ran = await run([['proxy_set_header_map_pairs', 0, text]]);
      expect(ran.statuses[0]).toBe(0);
      expect(ran.result.sent?.headers).toEqual([]);
    },
  );

  test('a damaged list is BadArgument and changes nothing', async () => {
    const cut = pairs([['name', 'value']]).slice(0, 15);
    const ran = await run([
      ['proxy_set_header_map_pairs', 0, cut],
      ['proxy_set_header_map_pairs', 0, '\xff\xff\xff\xff'],
      ['proxy_set_header_map_pairs', 0, 0x1ffff, 2],
    ]);
    expect(ran.statuses.slice(0, 3)).toEqual([2, 2, 6]);
    expect(ran.result.sent?.headers).toHaveLength(4);
  });

  test('response headers set in the request phase are merged into the answer', async () => {
    const ran = await run(
      [
        ['proxy_add_header_map_value', 2, 'x-early', '1'],
        ['proxy_replace_header_map_value', 2, 'content-type', 'text/html'],
        get(2, ':status'),
      ],
      { proxy_on_response_headers: [get(2, 'x-early'), get(2, ':status')] },
    );
    expect(ran.statuses.slice(0, 5)).toEqual([0, 0, 1, 0, 0]);
    expect(given(ran.filter, 0)).toBe('200');
    expect(ran.result.received?.headers).toEqual([
      ['content-type', 'text/html'],
      ['x-early', '1'],
    ]);
  });

  test('the status of an answer can be changed to one that exists', async () => {
    const ran = await run([], {
      proxy_on_response_headers: [
        ['proxy_replace_header_map_value', 2, ':status', '404'],
        ['proxy_replace_header_map_value', 2, ':status', '99'],
        ['proxy_replace_header_map_value', 2, ':status', '0'],
        ['proxy_replace_header_map_value', 2, ':status', '1000'],
      ],
    });
    expect(ran.statuses.slice(0, 4)).toEqual([0, 2, 2, 2]);
    expect(ran.result.received?.status).toBe(404);
  });

  test('a list whose message has gone on can be changed, without effect', async () => {
    const late = (map: number): Step[] => [
      ['proxy_replace_header_map_value', map, 'x-late', '1'],
      ['proxy_remove_header_map_value', map, 'user-agent'],
      get(map, 'x-late'),
    ];
    const ran = await run([], {
      proxy_on_response_headers: late(0),
      proxy_on_log: [...late(0), ...late(2)],
    });
    expect(ran.statuses.slice(0, 9)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const names = (fields: FieldList = []) => fields.map(([name]) => name.toLowerCase());
    expect(names(ran.result.sent?.headers)).toContain('user-agent');
    expect(names(ran.result.sent?.headers)).not.toContain('x-late');
  });

  test('edits outside an exchange are NotFound', async () => {
    const ran = await run([], {
      proxy_on_configure: [['proxy_add_header_map_value', 0, 'x', 'y'], get(0, 'host')],
    });
    expect(ran.statuses.slice(0, 2)).toEqual([1, 1]);
  });
});
