import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogFlag } from '../../../src/core/layout.js';
import { decodeLogRecord } from '../../../src/log/entry.js';
import { entryText } from '../../../src/log/entry-text.js';
import { logRecord, type RecordParts, resolver } from '../../support/log-record.js';

function same(parts: RecordParts): void {
  const record = logRecord(parts);
  expect(String(entryText(record, resolver))).toBe(
    JSON.stringify(decodeLogRecord(record, resolver)),
  );
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
    ['cut', { ...get('Host: a', 'X-Cut: half'), fields: { flags: LogFlag.HEAD_CUT } }],
    ['repeated field', get('Host: a', 'X-A: 1', 'x-a: 2')],
    ['credentials', get('Host: a', 'Authorization: Basic eDp5', 'proxy-authorization: z')],
    ['quotes', get('Host: a', 'ETag: "abc"', 'X-B: a\\b')],
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

  test('what is no record is an error in both', () => {
    expect(() => entryText(Buffer.alloc(10), resolver)).toThrow();
  });
});
