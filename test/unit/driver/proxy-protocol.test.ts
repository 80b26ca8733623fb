import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseProxyHeader } from '../../../src/driver/proxy-protocol.js';

const line = (text: string) => Buffer.from(text, 'latin1');
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

function binary(command: number, family: number, payload: Buffer, length = payload.length): Buffer {
  const fixed = Buffer.alloc(16);
  signature.copy(fixed);
  fixed[12] = command;
  fixed[13] = family;
  fixed.writeUInt16BE(length, 14);
  return Buffer.concat([fixed, payload]);
}

const v4 = Buffer.from([192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0x01, 0xbb]);
const v6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('20010db8000000000000000000000002', 'hex'),
  Buffer.from([0x30, 0x39, 0x01, 0xbb]),
]);
const four = {
  peerAddress: '192.0.2.1',
  localAddress: '198.51.100.2',
  peerPort: 12345,
  localPort: 443,
};
const six = { ...four, peerAddress: '2001:db8::1', localAddress: '2001:db8::2' };

const good: [name: string, header: Buffer, addresses: object | null][] = [
  ['v1 TCP4', line('PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n'), four],
  ['v1 TCP6', line('PROXY TCP6 2001:db8::1 2001:db8::2 12345 443\r\n'), six],
  ['v1 UNKNOWN', line('PROXY UNKNOWN\r\n'), null],
  ['v1 UNKNOWN with more', line('PROXY UNKNOWN ffff:f...f:ffff 65535 65535\r\n'), null],
  ['v2 TCP4', binary(0x21, 0x11, v4), four],
  ['v2 TCP6', binary(0x21, 0x21, v6), six],
  ['v2 with TLVs', binary(0x21, 0x11, Buffer.concat([v4, Buffer.from('0400021234', 'hex')])), four],
  ['v2 LOCAL', binary(0x20, 0x00, Buffer.alloc(0)), null],
  ['v2 LOCAL with addresses', binary(0x20, 0x11, v4), null],
  ['v2 UNSPEC', binary(0x21, 0x00, Buffer.alloc(0)), null],
  ['v2 Unix stream', binary(0x21, 0x31, Buffer.alloc(216)), null],
];

const wrong: [name: string, header: Buffer][] = [
  ['a request', line('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
  ['lower case', line('proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n')],
  ['a family that is none', line('PROXY TCP5 192.0.2.1 198.51.100.2 1 2\r\n')],
  ['the other family', line('PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n')],
  ['a port above 65535', line('PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n')],
  ['a leading zero', line('PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n')],
  ['a negative port', line('PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n')],
  ['no port', line('PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n')],
  ['a word too many', line('PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n')],
  ['two spaces', line('PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n')],
  ['a name', line('PROXY TCP4 localhost 198.51.100.2 1 2\r\n')],
  ['a zone', line('PROXY TCP6 fe80::1%eth0 2001:db8::2 1 2\r\n')],
  ['a line without an end', line(`PROXY UNKNOWN ${'x'.repeat(100)}`)],
  ['an end that comes too late', line(`PROXY UNKNOWN ${'x'.repeat(100)}\r\n`)],
  ['version 3', binary(0x31, 0x11, v4)],
  ['a command that is none', binary(0x22, 0x11, v4)],
  ['a family that is none, v2', binary(0x21, 0x41, v4)],
  ['addresses cut short', binary(0x21, 0x11, v4.subarray(0, 11))],
  ['v6 with the room of v4', binary(0x21, 0x21, v4)],
  ['a length above the limit', binary(0x21, 0x11, v4, 65535)],
];

describe('headers', () => {
  test.each(good)('%s', (_name, header, addresses) => {
    const behind = Buffer.concat([header, line('GET / HTTP/1.1\r\n')]);
    const expected = { kind: 'whole', bytes: header.length, addresses };
    expect(parseProxyHeader(behind)).toEqual(expected);
    expect(parseProxyHeader(header)).toEqual(expected);
  });

  test.each(good)('%s, cut anywhere, is waited for', (_name, header) => {
    for (let length = 0; length < header.length; length++) {
      expect(parseProxyHeader(header.subarray(0, length)), `${length}`).toEqual({
        kind: 'partial',
      });
    }
  });

  test.each(wrong)('refused: %s', (_name, header) => {
    expect(parseProxyHeader(header)).toEqual({ kind: 'bad' });
  });
});

test('whatever comes, the answer is one of three, and a header never exceeds its limits', () => {
  const begins = fc.constantFrom(line('PROXY '), line('PROXY TCP4 '), signature, Buffer.alloc(0));
  fc.assert(
    fc.property(begins, fc.uint8Array({ maxLength: 300 }), (begin, more) => {
      const bytes = Buffer.concat([begin, more]);
      const header = parseProxyHeader(bytes);
      if (header.kind === 'whole') expect(header.bytes).toBeLessThanOrEqual(bytes.length);
      if (header.kind === 'partial') expect(bytes.length).toBeLessThan(4096);
    }),
    { numRuns: 2000 },
  );
});
