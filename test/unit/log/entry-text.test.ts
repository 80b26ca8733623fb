import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Consumer } from '../../../src/config/model.js';
import { createCore } from '../../../src/core/instance.js';
import { LogFlag } from '../../../src/core/layout.js';
import { arrayOf, LogTexts, recycle } from '../../../src/core/log-text.js';
import { RingTable } from '../../../src/core/ring.js';
import { clientText, notedText } from '../../../src/log/client-text.js';
import { decodeLogRecord } from '../../../src/log/entry.js';
import { entitiesText, entryText, peerText } from '../../../src/log/entry-text.js';
import { NoteStore, withNotes } from '../../../src/log/notes.js';
import { tlsText } from '../../../src/log/tls-text.js';
import type { LogEntry } from '../../../src/plugin/log-types.js';
import { tlsSessionNumber } from '../../../src/tls/session-names.js';
import { logRecord, type RecordParts, resolver } from '../../support/log-record.js';

const core = createCore();
const ring = new RingTable(core).open('texts', { maxEntries: 2000 });
/** Records that the core left to the shell. */
let left = 0;
const noted = new Map<string, Uint8Array | null>();
const texts = new LogTexts(core, {
  entities: (generation, route) => entitiesText(resolver.route(generation, route), resolver),
  peer: (target) => peerText(target, resolver),
  fallback(record) {
    left++;
    return entryText(record, resolver);
  },
  tls: tlsText,
  credential: (_generation, place) => {
    return clientText(found[place] ?? { consumer: null, credential: null });
  },
  client(id) {
    const text = noted.get(id);
    return text === undefined ? new Uint8Array(0) : text;
  },
  get hasNotes() {
    return noted.size > 0;
  },
});

/** Clients that policies found, by place. */
const found = ['jane', 'joe'].map((username) => {
  const consumer = { id: `c-${username}`, username } as unknown as Consumer;
  return { consumer, credential: { id: `k-${username}`, consumer } };
});

const session = tlsSessionNumber('TLSv1.3', 'TLS_AES_256_GCM_SHA384');

const take = (max = 10) => {
  left = 0;
  return texts.take(ring, max, (error) => expect(error).toBeUndefined()).map(String);
};

function same(parts: RecordParts): void {
  const record = logRecord(parts);
  const expected = JSON.stringify(decodeLogRecord(record, resolver));
  expect(String(entryText(record, resolver))).toBe(expected);
  ring.push(record);
  expect(take()).toEqual([expected]);
}

const get = (...fields: string[]) => ({
  requestHead: ['GET /shop?a=1&b HTTP/1.1', ...fields, '', ''].join('\r\n'),
});

describe('the text of a record is that of its decoded form', () => {
  test.each<[string, RecordParts]>([
    ['proxied', {}],
    ['no route', { fields: { generation: 9 } }],
    ['answered by a plugin', { fields: { upstreamStatus: 0, flags: LogFlag.LOCAL, tries: 0 } }],
    ['failed tries', { fields: { tries: 3, upstreamStatus: 0, upstreamMs: 0xffffffff } }],
    ['unknown target', { fields: { target: 0xffffffff } }],
    ['TLS', { fields: { flags: LogFlag.TLS } }],
    ['TLS of a known session', { fields: { flags: LogFlag.TLS, tls: session } }],
    ['cut', { ...get('Host: a', 'X-Cut: half'), fields: { flags: LogFlag.HEAD_CUT } }],
    ['repeated field', get('Host: a', 'X-A: 1', 'x-a: 2')],
    ['credentials', get('Host: a', 'Authorization: Basic eDp5', 'proxy-authorization: z')],
    ['quotes', get('Host: a', 'ETag: "abc"', 'X-B: a\\b', 'X-C: \\"', 'X-D: "')],
    ['a host with quotes', get('Host: a"b')],
    ['a target with quotes', { requestHead: 'GET /"?a="&b=\\ HTTP/1.1\r\nHost: z\r\n\r\n' }],
    ['an upstream target with quotes', { upstreamTarget: '/"a"' }],
    ['escapes', { requestHead: 'GET /a%20b?c=%41+%22%5C&%2e=%7e&d%3De=%2B HTTP/1.1\r\n\r\n' }],
    ['escapes of other text', { requestHead: 'GET /?c=%C3%A9&d=%00&%0a=%7f HTTP/1.1\r\n\r\n' }],
    ['broken escapes', { requestHead: 'GET /?c=%4&d=%zz&e=%&%f=1 HTTP/1.1\r\n\r\n' }],
    ['arguments that meet', { requestHead: 'GET /?a=1&%61=2&A=3&+a=4 HTTP/1.1\r\n\r\n' }],
    ['names like indices, escaped', { requestHead: 'GET /?b=1&%31=2 HTTP/1.1\r\n\r\n' }],
    ['field names of any length', get('Host: a', `${'aB3-'.repeat(9)}: 1`, `${'x'.repeat(16)}: 2`)],
    ['bytes beyond ASCII', get('Host: a', 'X-A: é', 'X-B: \u0001')],
    ['names like indices', get('Host: a', 'b: 1', '7: x', '1: y')],
    ['names of objects', get('Host: a', '__proto__: x', 'constructor: y')],
    ['no host', get()],
    ['host in capitals, with port', get('HOST:  EXAMPLE.com:81 ')],
    ['two hosts', get('Host: a', 'Host: b')],
    ['absolute form', { requestHead: 'GET http://X.y/p?q HTTP/1.1\r\nHost: z\r\n\r\n' }],
    ['asterisk form', { requestHead: 'OPTIONS * HTTP/1.1\r\nHost: z\r\n\r\n' }],
    ['empty values', get('Host:', 'X-A:', 'X-B:  ')],
    ['no answer', { responseHead: '', fields: { status: 0 } }],
    ['nothing at all', { requestHead: '', upstreamTarget: '', responseHead: '' }],
    ['IPv6', { clientAddress: '2001:db8::1' }],
  ])('%s', (_name, parts) => {
    same(parts);
    // A second time: from what was kept of the first.
    same(parts);
  });

  test('for any fields and targets', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9-]{1,6}$/);
    const value = fc.oneof(fc.stringMatching(/^[ -~]{0,12}$/), fc.string({ maxLength: 5 }));
    const clean = (text: string) => text.replace(/[\r\n\0]/g, '');
    const field = fc.tuple(word, value).map(([name, text]) => `${name}: ${clean(text)}`);
    const target = fc.stringMatching(/^\/[!-~]{0,20}$/);
    fc.assert(
      fc.property(target, fc.array(field), fc.array(field), fc.nat(4), (path, up, down, tries) => {
        same({
          requestHead: [`GET ${path} HTTP/1.1`, ...up, '', ''].join('\r\n'),
          responseHead: ['HTTP/1.1 200 OK', ...down, '', ''].join('\r\n'),
          upstreamTarget: path,
          fields: { tries },
        });
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  test('for any times and sizes', () => {
    const time = fc.double({ min: 1e11, max: 8e12, noNaN: true });
    const size = fc.oneof(fc.nat(), fc.double({ min: -1, max: 1e17, noNaN: true }));
    fc.assert(
      fc.property(time, size, fc.nat(), (startWallMs, requestBytes, gatewayMs) => {
        same({ fields: { startWallMs, requestBytes, gatewayMs } });
      }),
      { numRuns: 500, seed: 4 },
    );
  });

  test('what is no record is an error in both', () => {
    expect(() => entryText(Buffer.alloc(10), resolver)).toThrow();
  });
});

describe('texts by the core', () => {
  test('common records never become objects or strings', () => {
    for (const target of ['/a', '/shop?a=1&b&c=', '/?x=1&y=2']) {
      ring.push(logRecord({ requestHead: `GET ${target} HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n\r\n` }));
    }
    for (const target of ['/?q=a%20b+c&%61=%22%5c%7E', '/?a=%2F%3d&b=+&=x&%20=1']) {
      ring.push(logRecord({ requestHead: `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n` }));
    }
    ring.push(logRecord(get('Host: a', 'If-None-Match: "x\\y"', 'sec-ch-ua: "A";v="8", "B"')));
    ring.push(logRecord({ fields: { flags: LogFlag.TLS, tls: session } }));
    ring.push(logRecord({ fields: { tries: 3, upstreamStatus: 0, upstreamMs: 0xffffffff } }));
    ring.push(logRecord({ fields: { generation: 9 } }));
    ring.push(logRecord({ clientAddress: '2001:db8::1' }));
    expect(take()).toHaveLength(10);
    expect(left).toBe(0);
  });

  test('nor do any times of this century', () => {
    const start = fc.double({ min: 1e12, max: 4e12, noNaN: true });
    fc.assert(
      fc.property(start, fc.nat(100_000), (startWallMs, gatewayMs) => {
        same({ fields: { startWallMs, gatewayMs } });
        expect(left).toBe(0);
      }),
      { numRuns: 5000, seed: 5 },
    );
  });

  test('keeps the order, however many fit into the region at once', () => {
    const field = `X-Long: ${'x'.repeat(20_000)}`;
    const heads: string[] = [];
    for (let i = 0; i < 600; i++) {
      heads.push(`GET /${i}${i % 7 === 0 ? '%20' : ''} HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`);
      ring.push(logRecord({ requestHead: heads[i] }));
    }
    const uris = take(1000).map((text) => JSON.parse(text).request.uri as string);
    expect(uris).toEqual(heads.map((head) => head.split(' ')[1]));
    expect(ring.count).toBe(0);
  });

  test('a batch can be taken as one array, whatever its records are', () => {
    const field = `X-Long: ${'x'.repeat(20_000)}`;
    const heads: string[] = [];
    for (let i = 0; i < 400; i++) {
      heads.push(`GET /${i}${i % 90 === 0 ? '%20' : ''} HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`);
      ring.push(logRecord({ requestHead: heads[i] }));
    }
    ring.push(Buffer.alloc(10));
    ring.push(logRecord({ requestHead: 'GET /last HTTP/1.1\r\n\r\n' }));
    const errors: unknown[] = [];
    const batch = texts.takeArray(ring, 1000, (error) => errors.push(error));
    expect(batch).toHaveLength(401);
    expect(errors).toHaveLength(1);
    expect(ring.count).toBe(0);
    const entries = JSON.parse(String(Buffer.from(arrayOf(batch) ?? [])));
    const uris = entries.map((entry: { request: { uri: string } }) => entry.request.uri);
    expect(uris).toEqual([...heads.map((head) => head.split(' ')[1]), '/last']);
  });

  test('an array of common records is that of their texts; of none there is none', () => {
    for (let i = 0; i < 3; i++) ring.push(logRecord({ fields: { status: 200 + i } }));
    ring.push(logRecord({ fields: { status: 207 } }));
    const batch = texts.takeArray(ring, 3, () => {});
    expect(batch).toHaveLength(3);
    const expected = [200, 201, 202].map((status) => {
      return JSON.stringify(decodeLogRecord(logRecord({ fields: { status } }), resolver));
    });
    expect(String(Buffer.from(arrayOf(batch) ?? []))).toBe(`[${expected.join()}]`);
    expect(take()).toHaveLength(1);
    expect(arrayOf(texts.takeArray(ring, 3, () => {}))).toBeNull();
  });

  test('memory of an array is used again once it was given back, and not before', () => {
    const take = (status: number) => {
      ring.push(logRecord({ fields: { status } }));
      const batch = texts.takeArray(ring, 1, () => {});
      return { batch, array: arrayOf(batch) ?? new Uint8Array(0) };
    };
    const first = take(201);
    const second = take(202);
    expect(second.array.buffer).not.toBe(first.array.buffer);
    recycle(first.batch);
    recycle(first.batch);
    const third = take(203);
    expect(third.array.buffer).toBe(first.array.buffer);
    expect(arrayOf(first.batch)).toBeNull();
    expect(JSON.parse(String(Buffer.from(second.array)))[0].response.status).toBe(202);
    expect(JSON.parse(String(Buffer.from(third.array)))[0].response.status).toBe(203);
    // In pieces: not memory of its own.
    ring.push(logRecord({ requestHead: 'GET /?a=%C3%A9 HTTP/1.1\r\n\r\n' }));
    const pieces = texts.takeArray(ring, 1, () => {});
    const { buffer } = arrayOf(pieces) ?? new Uint8Array(0);
    recycle(pieces);
    expect(take(204).array.buffer).not.toBe(buffer);
  });

  test('takes no more than was asked for', () => {
    for (let i = 0; i < 5; i++) ring.push(logRecord({ fields: { status: 200 + i } }));
    expect(take(2).map((text) => JSON.parse(text).response.status)).toEqual([200, 201]);
    expect(take().map((text) => JSON.parse(text).response.status)).toEqual([202, 203, 204]);
  });

  test('of clients that policies know', () => {
    const known = {
      ...resolver,
      credential: (_generation: number, place: number) => found[place].credential,
    } as unknown as typeof resolver;
    for (const credential of [1, 2, 1]) {
      const record = logRecord({ fields: { credential } });
      ring.push(record);
      expect(take()).toEqual([JSON.stringify(decodeLogRecord(record, known))]);
      expect(left).toBe(0);
    }
  });

  test('of clients that plugins know', () => {
    const requestId = 'n'.repeat(32);
    const consumer = { id: 'c0', username: 'jane "é"' } as unknown as Consumer;
    for (const [who, credential] of [
      [consumer, { id: 'k1' }],
      [consumer, null],
      [null, { id: null }],
      [null, null],
    ] as const) {
      const notes = new NoteStore();
      notes.setClient(requestId, who, credential);
      const found = notes.find(requestId);
      noted.set(requestId, notedText(found));
      const record = logRecord({ requestId });
      ring.push(record);
      const entry = withNotes(decodeLogRecord(record, resolver) as LogEntry, found, () => {});
      expect(take()).toEqual([JSON.stringify(entry)]);
      expect(left).toBe(0);
      notes.setValue(requestId, 'a', 1);
      expect(notedText(notes.find(requestId))).toBeNull();
    }
    noted.clear();
  });

  test('records that something was noted for, and broken ones, are left to the shell', () => {
    const requestId = 'n'.repeat(32);
    noted.set(requestId, null);
    ring.push(logRecord({ requestId }));
    ring.push(logRecord());
    expect(take()).toHaveLength(2);
    expect(left).toBe(1);
    noted.clear();
    ring.push(Buffer.alloc(10));
    ring.push(logRecord());
    const errors: unknown[] = [];
    expect(texts.take(ring, 10, (error) => errors.push(error))).toHaveLength(1);
    expect(errors).toHaveLength(1);
  });
});
