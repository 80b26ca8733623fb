/** Upstream answers as data: hostile ones, and unusual ones that must still get through. */
export interface ResponseVector {
  readonly name: string;
  readonly bytes: string;
  /**
   * `502`: the client gets our own answer. `cut`: it gets a head and then visibly not the whole
   * body. Otherwise the body it must get.
   */
  readonly expect: '502' | 'cut' | { readonly status: number; readonly body: string };
}

const ok = 'HTTP/1.1 200 OK\r\n';
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
const all = (
  expect: ResponseVector['expect'],
  vectors: Record<string, string>,
): ResponseVector[] => {
  return Object.entries(vectors).map(([name, bytes]) => ({ name, bytes, expect }));
};
const controls = [0, 1, 7, 8, 11, 12, 27, 31, 127];

export const responseVectors: readonly ResponseVector[] = [
  ...all('502', {
    'nothing at all': '',
    'half a head': `${ok}X: a\r\n`,
    'no HTTP': 'hello\r\n\r\n',
    'HTTP/2.0': 'HTTP/2.0 200 OK\r\n\r\n',
    'HTTP/0.9': 'HTTP/0.9 200 OK\r\n\r\n',
    'version in lower case': 'http/1.1 200 OK\r\n\r\n',
    'status of two digits': 'HTTP/1.1 20 OK\r\n\r\n',
    'status of four digits': 'HTTP/1.1 2000 OK\r\n\r\n',
    'status that is no number': 'HTTP/1.1 2x0 OK\r\n\r\n',
    'status 000': 'HTTP/1.1 000 OK\r\n\r\n',
    'two blanks before the status': 'HTTP/1.1  200 OK\r\n\r\n',
    'length and coding': `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello`,
    'differing lengths': `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    'list of differing lengths': `${ok}Content-Length: 5, 6\r\n\r\nhello`,
    'negative length': `${ok}Content-Length: -5\r\n\r\nhello`,
    'length with plus': `${ok}Content-Length: +5\r\n\r\nhello`,
    'length that is no number': `${ok}Content-Length: five\r\n\r\nhello`,
    'length over 64 bits': `${ok}Content-Length: 18446744073709551621\r\n\r\nhello`,
    'empty length': `${ok}Content-Length:\r\n\r\nhello`,
    'unknown coding': `${ok}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    'chunked twice': `${ok}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`,
    'chunked is not last': `${ok}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
    'coding in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'blank before the colon': `${ok}X : a\r\n\r\n`,
    'folded field': `${ok}X: a\r\n b\r\n\r\n`,
    'bare CR in a value': `${ok}X: a\rb\r\n\r\n`,
    'lone LF ends a field': `${ok}X: a\nY: b\r\n\r\n`,
    'field without colon': `${ok}X\r\n\r\n`,
    'field without name': `${ok}: a\r\n\r\n`,
    'head over 32 KiB': `${ok}${`X: ${'a'.repeat(8000)}\r\n`.repeat(5)}\r\n`,
    'more than 200 fields': `${ok}${'X: a\r\n'.repeat(201)}\r\n`,
    'a flood of informational answers': 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(40),
    '101 that nobody asked for': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n',
    ...Object.fromEntries(
      controls.map((code) => [
        `control octet ${code} in a value`,
        `${ok}X: a${String.fromCharCode(code)}b\r\n\r\n`,
      ]),
    ),
    ...Object.fromEntries(
      controls.map((code) => [
        `control octet ${code} in the reason`,
        `HTTP/1.1 200 O${String.fromCharCode(code)}K\r\n\r\n`,
      ]),
    ),
  }),
  ...all('cut', {
    'body shorter than its length': `${ok}Content-Length: 10\r\n\r\nhello`,
    'no last chunk': `${chunked}5\r\nhello\r\n`,
    'chunk shorter than its size': `${chunked}a\r\nhello`,
    'chunk size without digits': `${chunked}5\r\nhello\r\nx\r\n\r\n`,
    'chunk size with sign': `${chunked}5\r\nhello\r\n+1\r\na\r\n0\r\n\r\n`,
    'chunk size over 64 bits': `${chunked}5\r\nhello\r\n10000000000000001\r\na\r\n0\r\n\r\n`,
    'chunk size line ended by LF': `${chunked}5\r\nhello\r\n1\na\r\n0\r\n\r\n`,
    'chunk data ended by LF': `${chunked}5\r\nhello\n0\r\n\r\n`,
    'trailers without bound': `${chunked}5\r\nhello\r\n0\r\nX: ${'y'.repeat(9000)}\r\n\r\n`,
  }),
  ...all(
    { status: 200, body: 'hello' },
    {
      length: `${ok}Content-Length: 5\r\n\r\nhello`,
      'length with leading zeros': `${ok}Content-Length: 0005\r\n\r\nhello`,
      'surplus behind the length': `${ok}Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n`,
      chunked: `${chunked}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`,
      'chunk extensions and trailers': `${chunked}5;a="b"\r\nhello\r\n0\r\nX: y\r\n\r\n`,
      'until close': `${ok}\r\nhello`,
      'HTTP/1.0': 'HTTP/1.0 200 OK\r\n\r\nhello',
      'no reason': 'HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello',
      'early hints before': `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok}\r\nhello`,
      '100 before': `HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: 5\r\n\r\nhello`,
      'octets above 0x7f': `${ok}X: \xe9\r\nContent-Length: 5\r\n\r\nhello`,
    },
  ),
  ...all(
    { status: 204, body: '' },
    { '204 with a body': 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello' },
  ),
  ...all(
    { status: 304, body: '' },
    { '304 with a body': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello' },
  ),
];
