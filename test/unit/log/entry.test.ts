import { describe, expect, test } from 'vitest';
import { LogFlag } from '../../../src/core/layout.js';
import { decodeLogRecord } from '../../../src/log/entry.js';
import { logRecord, type RecordParts, resolver, route, service } from '../../support/log-record.js';

const decode = (parts?: RecordParts) => decodeLogRecord(logRecord(parts), resolver);

describe('log records become the record of Kong', () => {
  test('a proxied request has every field', () => {
    expect(JSON.parse(JSON.stringify(decode()))).toEqual({
      request: {
        id: 'c0ffee00000000000000000000000000',
        method: 'GET',
        uri: '/shop?a=1',
        url: 'http://example.com:8000/shop?a=1',
        size: 61,
        querystring: { a: '1' },
        headers: { host: 'Example.com:8000' },
      },
      upstream_uri: '/base/shop?a=1',
      upstream_status: '200',
      response: { status: 200, size: 77, headers: { 'content-length': '5' } },
      latencies: { kong: 2, proxy: 20, request: 25, receive: 3 },
      tries: [
        {
          ip: '10.0.0.9',
          port: 8080,
          balancer_start: 1_700_000_000_125,
          balancer_start_ns: 1_700_000_000_125_750_000,
          balancer_latency: 0,
        },
      ],
      client_ip: '192.0.2.7',
      route: { ...route, service: { id: service.id } },
      service,
      workspace: resolver.workspace.id,
      workspace_name: 'default',
      source: 'upstream',
      started_at: 1_700_000_000_123,
    });
  });

  test('without a route there are no tries, no route and no service', () => {
    const entry = decode({
      upstreamTarget: '',
      fields: {
        route: 7,
        status: 404,
        upstreamStatus: 0,
        tries: 0,
        target: 0xffffffff,
        upstreamMs: 0xffffffff,
        receiveMs: 0,
        flags: LogFlag.LOCAL,
      },
    });
    expect(Object.keys(entry)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(tries|route|service)$/)]),
    );
    expect(entry.latencies).toEqual({ kong: 2, proxy: -1, request: 25, receive: 0 });
    expect([entry.source, entry.upstream_uri, entry.upstream_status]).toEqual(['kong', '', '']);
  });

  test('a route answered by a plugin has an empty list of tries', () => {
    const entry = decode({
      fields: {
        status: 503,
        upstreamStatus: 0,
        tries: 0,
        target: 0xffffffff,
        flags: LogFlag.LOCAL,
      },
    });
    expect(entry.tries).toEqual([]);
    expect(entry.source).toBe('kong');
  });

  test('failed tries are marked, and all of them when no upstream answered', () => {
    const states = (fields: RecordParts['fields']) => decode({ fields }).tries?.map((t) => t.state);
    expect(states({ tries: 3 })).toEqual(['failed', 'failed', undefined]);
    expect(states({ tries: 2, upstreamStatus: 0, flags: LogFlag.LOCAL })).toEqual([
      'failed',
      'failed',
    ]);
  });

  test('header names are lower-case, repeated fields are arrays, credentials are redacted', () => {
    const { request, response } = decode({
      requestHead:
        'GET / HTTP/1.1\r\nHost: a\r\nX-Tag: one\r\nx-tag:  two \r\nX-TAG: three\r\nEmpty:\r\n' +
        'Authorization: Basic c2VjcmV0\r\nproxy-authorization: Bearer s3cret\r\n' +
        '__proto__: p\r\nconstructor: c\r\n\r\n',
      responseHead: 'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n',
    });
    expect(Object.entries(request.headers)).toEqual([
      ['host', 'a'],
      ['x-tag', ['one', 'two', 'three']],
      ['empty', ''],
      ['authorization', 'REDACTED'],
      ['proxy-authorization', 'REDACTED'],
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ]);
    expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  test.each([
    ['?a=1&a=2&a', { a: ['1', '2', true] }],
    ['?flag&x=', { flag: true, x: '' }],
    ['?a+b=c%20d%2B', { 'a b': 'c d+' }],
    ['?=nameless&&k=v=w', { k: 'v=w' }],
    ['?bad=%zz%41&utf=%C3%A4&cut=%C3', { bad: '%zzA', utf: 'ä', cut: '\ufffd' }],
    ['', {}],
    ['?', {}],
  ])('query %s', (query, expected) => {
    const { querystring } = decode({ requestHead: `GET /p${query} HTTP/1.1\r\n\r\n` }).request;
    expect(JSON.parse(JSON.stringify(querystring))).toEqual(expected);
  });

  test('at most 100 arguments are decoded', () => {
    const query = Array.from({ length: 150 }, (_, i) => `n${i}=1`).join('&');
    const { request } = decode({ requestHead: `GET /?${query} HTTP/1.1\r\n\r\n` });
    expect(Object.keys(request.querystring)).toHaveLength(100);
  });

  test.each([
    ['GET http://U:P@Other.COM:81/x?y HTTP/1.1\r\nHost: a', '/x?y', 'http://other.com:8000/x?y'],
    ['GET http://other.com HTTP/1.1\r\nHost: a', '/', 'http://other.com:8000/'],
    ['GET /p HTTP/1.1\r\nHost: [::1]:9', '/p', 'http://[::1]:8000/p'],
    ['GET /p HTTP/1.0', '/p', 'http://:8000/p'],
    ['OPTIONS * HTTP/1.1\r\nHost: a', '*', 'http://a:8000*'],
  ])('the URL of %j', (head, uri, url) => {
    const { request } = decode({ requestHead: `${head}\r\n\r\n` });
    expect([request.uri, request.url]).toEqual([uri, url]);
  });

  test('TLS shows in the scheme; IPv6 addresses in their short form', () => {
    const entry = decode({
      clientAddress: '2001:db8::1:0:0:1',
      fields: { flags: LogFlag.TLS, localPort: 8443 },
    });
    expect(entry.request.url).toBe('https://example.com:8443/shop?a=1');
    expect(entry.request.tls).toEqual({ client_verify: 'NONE' });
    expect(entry.client_ip).toBe('2001:db8::1:0:0:1');
  });

  test('a field that was cut is left out', () => {
    const { headers } = decode({
      requestHead: 'GET / HTTP/1.1\r\nHost: a\r\nCookie: half',
      fields: { flags: LogFlag.HEAD_CUT },
    }).request;
    expect({ ...headers }).toEqual({ host: 'a' });
  });

  test('bytes that are no record are refused, wherever they are cut', () => {
    const record = logRecord();
    for (let length = 0; length < record.length; length++) {
      expect(() => decodeLogRecord(record.subarray(0, length), resolver)).toThrowError(
        expect.objectContaining({ code: 'GW_E_STATE' }),
      );
    }
  });
});
