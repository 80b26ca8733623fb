import { describe, expect, test } from 'vitest';
import { parseRange, putAddress, readAddress } from '../../../src/core/address.js';

function roundTrip(text: string): string {
  const bytes = new Uint8Array(20).fill(0x55);
  expect(putAddress(bytes, 2, text)).toBe(true);
  expect([bytes[1], bytes[18]]).toEqual([0x55, 0x55]);
  return readAddress(bytes, 2);
}

describe('addresses', () => {
  test.each([
    ['0.0.0.0', '0.0.0.0'],
    ['192.168.10.255', '192.168.10.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['1::', '1::'],
  ])('%s is written as %s (RFC 5952)', (given, expected) => {
    expect(roundTrip(given)).toBe(expected);
  });

  test.each(['', 'localhost', '1.2.3', '1.2.3.256', ':::'])('%j is none, and zeros', (text) => {
    const bytes = new Uint8Array(16).fill(1);
    expect(putAddress(bytes, 0, text)).toBe(false);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
  });

  test.each([
    ['10.1.2.3/8', '10.0.0.0', 104],
    ['10.1.2.3', '10.1.2.3', 128],
    ['0.0.0.0/0', '0.0.0.0', 96],
    ['2001:db8:ffff::/33', '2001:db8:8000::', 33],
    ['::/0', '::', 0],
  ])('range %s', (text, address, bits) => {
    const range = parseRange(text);
    expect(range && readAddress(range.address, 0)).toBe(address);
    expect(range?.prefixBits).toBe(bits);
  });

  test.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', 'x/8'])(
    '%s is no range',
    (text) => expect(parseRange(text)).toBeNull(),
  );
});
