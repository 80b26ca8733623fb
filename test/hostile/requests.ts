/**
 * Hostile and merely unusual requests as data. Each is sent with a marker request behind it: one
 * that is refused must close the connection, so that the marker is never served.
 */
export interface RequestVector {
  readonly name: string;
  readonly bytes: string;
  /** Status of the answer; `forwarded`: the upstream must have seen it, and the marker too. */
  readonly expect: number | 'forwarded';
}

const host = 'Host: a.test\r\n';
const get = (head: string): string => `GET / HTTP/1.1\r\n${head}\r\n`;
const post = (head: string, body = ''): string => `POST / HTTP/1.1\r\n${host}${head}\r\n${body}`;
const refused = (status: number, vectors: Record<string, string>): RequestVector[] =>
  Object.entries(vectors).map(([name, bytes]) => ({ name, bytes, expect: status }));
const forwarded = (vectors: Record<string, string>): RequestVector[] =>
  Object.entries(vectors).map(([name, bytes]) => ({ name, bytes, expect: 'forwarded' }));
const hex = (code: number): string => `0x${code.toString(16).padStart(2, '0')}`;
const chunked = 'Transfer-Encoding: chunked\r\n';

/** Control octets that no part of a head may hold; CR and LF have vectors of their own. */
const controls = [...Array(32).keys(), 127].filter((code) => ![9, 10, 13].includes(code));

const controlVectors: RequestVector[] = controls.flatMap((code) => {
  const c = String.fromCharCode(code);
  return refused(400, {
    [`control octet ${hex(code)} in a field value`]: get(`${host}X: a${c}b\r\n`),
    [`control octet ${hex(code)} in a field name`]: get(`${host}X${c}Y: a\r\n`),
    [`control octet ${hex(code)} in the target`]: `GET /a${c}b HTTP/1.1\r\n${host}\r\n`,
    [`control octet ${hex(code)} in the method`]: `G${c}ET / HTTP/1.1\r\n${host}\r\n`,
    [`control octet ${hex(code)} in Host`]: get(`Host: a${c}.test\r\n`),
  });
});

const separatorVectors: RequestVector[] = [...'"(),/;<=>?@[\\]{} '].flatMap((c) =>
  refused(400, {
    [`separator ${c} in a field name`]: get(`${host}X${c}Y: a\r\n`),
    [`separator ${c} in the method`]: `G${c}T / HTTP/1.1\r\n${host}\r\n`,
  }),
);

const framing = refused(400, {
  'Content-Length and Transfer-Encoding': post(`Content-Length: 5\r\n${chunked}`, '0\r\n\r\n'),
  'Transfer-Encoding and Content-Length': post(`${chunked}Content-Length: 5\r\n`, '0\r\n\r\n'),
  'differing Content-Length lines': post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'),
  'list of differing lengths': post('Content-Length: 5, 6\r\n', 'hello'),
  'negative length': post('Content-Length: -1\r\n'),
  'length with plus': post('Content-Length: +5\r\n', 'hello'),
  'hexadecimal length': post('Content-Length: 0x5\r\n', 'hello'),
  'length with blank inside': post('Content-Length: 1 0\r\n', 'hello'),
  'empty length': post('Content-Length: \r\n'),
  'fractional length': post('Content-Length: 5.0\r\n', 'hello'),
  'length over 64 bits': post('Content-Length: 18446744073709551621\r\n', 'hello'),
  'length of 40 digits': post(`Content-Length: ${'9'.repeat(40)}\r\n`, 'hello'),
  'chunked twice': post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'),
  'chunked on two lines': post(`${chunked}${chunked}`, '0\r\n\r\n'),
  'chunked is not last': post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'),
  'coding with parameter': post('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n'),
  'empty coding list': post('Transfer-Encoding: \r\n', '0\r\n\r\n'),
  'coding with vertical tab': post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'),
  'coding in HTTP/1.0': `POST / HTTP/1.0\r\n${host}${chunked}\r\n0\r\n\r\n`,
  'blank before the colon of Content-Length': post('Content-Length : 5\r\n', 'hello'),
  'blank before the colon of Transfer-Encoding': post(
    'Transfer-Encoding : chunked\r\n',
    '0\r\n\r\n',
  ),
});

const chunks = refused(400, {
  'chunk size without digits': post(chunked, '\r\nhello\r\n0\r\n\r\n'),
  'chunk size with 0x': post(chunked, '0x5\r\nhello\r\n0\r\n\r\n'),
  'chunk size with sign': post(chunked, '+5\r\nhello\r\n0\r\n\r\n'),
  'negative chunk size': post(chunked, '-5\r\nhello\r\n0\r\n\r\n'),
  'chunk size with leading blank': post(chunked, ' 5\r\nhello\r\n0\r\n\r\n'),
  'chunk size with trailing blank': post(chunked, '5 \r\nhello\r\n0\r\n\r\n'),
  'chunk size over 64 bits': post(chunked, '10000000000000005\r\nhello\r\n0\r\n\r\n'),
  'chunk size line ended by LF': post(chunked, '5\nhello\r\n0\r\n\r\n'),
  'chunk data ended by LF': post(chunked, '5\r\nhello\n0\r\n\r\n'),
  'chunk data longer than its size': post(chunked, '5\r\nhelloo\r\n0\r\n\r\n'),
  'bare CR in a chunk extension': post(chunked, '5;a\rb\r\nhello\r\n0\r\n\r\n'),
  'LF in a chunk extension': post(chunked, '5;a\nb\r\nhello\r\n0\r\n\r\n'),
  'CR in a quoted extension': post(chunked, '5;a="\r\n"\r\nhello\r\n0\r\n\r\n'),
  'chunk extension without bound': post(chunked, `5;${'a'.repeat(5000)}\r\nhello\r\n0\r\n\r\n`),
  'trailer line without name': post(chunked, '0\r\n: x\r\n\r\n'),
  'blank in a trailer name': post(chunked, '0\r\nX : y\r\n\r\n'),
  'folded trailer': post(chunked, '0\r\nX: y\r\n z\r\n\r\n'),
  'trailers without bound': post(chunked, `0\r\nX: ${'y'.repeat(9000)}\r\n\r\n`),
});

const heads = refused(400, {
  'no Host': get(''),
  'two Hosts': get(`${host}${host}`),
  'empty Host': get('Host: \r\n'),
  'Host with user info': get('Host: u@a.test\r\n'),
  'Host with path': get('Host: a.test/b\r\n'),
  'Host with a port that is no number': get('Host: a.test:x\r\n'),
  'Host with a port over 65535': get('Host: a.test:65536\r\n'),
  'Host with an open bracket': get('Host: [::1\r\n'),
  'Host with text behind the bracket': get('Host: [::1]x\r\n'),
  'Host with a blank inside': get('Host: a b\r\n'),
  'Host with a bad percent escape': get('Host: a%zz\r\n'),
  'folded field': get(`${host}X: a\r\n b\r\n`),
  'folded field by TAB': get(`${host}X: a\r\n\tb\r\n`),
  'blank before the first field': `GET / HTTP/1.1\r\n ${host}\r\n`,
  'field without colon': get(`${host}X\r\n`),
  'field without name': get(`${host}: x\r\n`),
  'bare CR in a value': get(`${host}X: a\rb\r\n`),
  'bare CR behind a value': get(`${host}X: a\r\r\n`),
  'lone LF ends a field': get(`${host}X: a\nY: b\r\n`),
  'lone LF ends the request line': `GET / HTTP/1.1\n${host}\r\n`,
  'lone LFs end the head': `GET / HTTP/1.1\r\nHost: a.test\n\n`,
  'two blanks in the request line': `GET  / HTTP/1.1\r\n${host}\r\n`,
  'blank behind the version': `GET / HTTP/1.1 \r\n${host}\r\n`,
  'TAB in the request line': `GET\t/ HTTP/1.1\r\n${host}\r\n`,
  'no version': `GET /\r\n${host}\r\n`,
  'version in lower case': `GET / http/1.1\r\n${host}\r\n`,
  'version without minor': `GET / HTTP/1\r\n${host}\r\n`,
  'version with text': `GET / HTTP/1.1x\r\n${host}\r\n`,
  'no method': ` / HTTP/1.1\r\n${host}\r\n`,
  'relative target': `GET a HTTP/1.1\r\n${host}\r\n`,
  'asterisk for GET': `GET * HTTP/1.1\r\n${host}\r\n`,
  'fragment in the target': `GET /#a HTTP/1.1\r\n${host}\r\n`,
  'authority without scheme': `GET a.test/b HTTP/1.1\r\n${host}\r\n`,
  'another scheme': `GET ftp://a.test/b HTTP/1.1\r\n${host}\r\n`,
  'absolute-form with user info': `GET http://u@a.test/ HTTP/1.1\r\n${host}\r\n`,
  'absolute-form without authority': `GET http:///b HTTP/1.1\r\n${host}\r\n`,
  'malformed percent escape': `GET /%zz HTTP/1.1\r\n${host}\r\n`,
  'cut percent escape': `GET /a% HTTP/1.1\r\n${host}\r\n`,
  'encoded NUL in the path': `GET /a%00b HTTP/1.1\r\n${host}\r\n`,
  'path above the root': `GET /../etc HTTP/1.1\r\n${host}\r\n`,
  'encoded path above the root': `GET /%2e%2e/etc HTTP/1.1\r\n${host}\r\n`,
  'TRACE with a body': `TRACE / HTTP/1.1\r\n${host}Content-Length: 1\r\n\r\nx`,
  'bad Max-Forwards': `OPTIONS / HTTP/1.1\r\n${host}Max-Forwards: x\r\n\r\n`,
  'TLS on a plain port': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  'HTTP/2 preface with a minor version': 'PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n',
});

const others: RequestVector[] = [
  ...refused(405, { CONNECT: 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n' }),
  ...refused(505, {
    'HTTP/2.0': `GET / HTTP/2.0\r\n${host}\r\n`,
    'HTTP/0.9 spelt out': `GET / HTTP/0.9\r\n${host}\r\n`,
    'HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  }),
  ...refused(501, {
    'unknown coding': post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
    'gzip before chunked': post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
  }),
  ...refused(417, { 'unknown expectation': post('Content-Length: 1\r\nExpect: pony\r\n') }),
  ...refused(414, { 'request line over 8192': `GET /${'a'.repeat(9000)} HTTP/1.1\r\n${host}\r\n` }),
  ...refused(431, {
    'head over 32 KiB': get(`${host}${`X: ${'a'.repeat(8000)}\r\n`.repeat(5)}`),
    'more than 200 fields': get(`${host}${'X: a\r\n'.repeat(201)}`),
    'field name over 1 KiB': get(`${host}${'x'.repeat(1100)}: a\r\n`),
  }),
];

const accepted = forwarded({
  plain: get(host),
  'length 0': post('Content-Length: 0\r\n'),
  'length with leading zeros': post('Content-Length: 005\r\n', 'hello'),
  'TAB around a value': get(`${host}X:\ta\t\r\n`),
  'no blank behind the colon': get(`${host}X:a\r\n`),
  'empty value': get(`${host}X:\r\n`),
  'octets above 0x7f in a value': get(`${host}X: \xe9\xff\r\n`),
  'empty line before the request line': `\r\n${get(host)}`,
  'unusual method': `PURGE / HTTP/1.1\r\n${host}\r\n`,
  'absolute-form': `GET http://b.test/x HTTP/1.1\r\n${host}\r\n`,
  'absolute-form without path': `GET http://b.test?x HTTP/1.1\r\n${host}\r\n`,
  'OPTIONS with asterisk': `OPTIONS /x HTTP/1.1\r\n${host}\r\n`,
  'Host with IPv6 and port': get('Host: [::1]:8000\r\n'),
  'Host with port': get('Host: a.test:80\r\n'),
  'codings without case': post('Transfer-Encoding: CHUNKED\r\n', '5\r\nhello\r\n0\r\n\r\n'),
  'chunk extension': post(chunked, '5;a=b;c="d;\\"e"\r\nhello\r\n0\r\n\r\n'),
  'upper-case chunk size': post(chunked, 'A\r\n0123456789\r\n0\r\n\r\n'),
  'chunk size with leading zeros': post(chunked, '00005\r\nhello\r\n000\r\n\r\n'),
  trailers: post(chunked, '5\r\nhello\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n'),
  'Connection names a framing field': post(
    'Connection: content-length\r\nContent-Length: 5\r\n',
    'hello',
  ),
  'request line of 8000 octets': `GET /${'a'.repeat(7980)} HTTP/1.1\r\n${host}\r\n`,
  '200 fields': get(`${host}${'X: a\r\n'.repeat(199)}`),
  'minor version above ours': `GET / HTTP/1.2\r\n${host}\r\n`,
});

export const requestVectors: readonly RequestVector[] = [
  ...controlVectors,
  ...separatorVectors,
  ...framing,
  ...chunks,
  ...heads,
  ...others,
  ...accepted,
];
