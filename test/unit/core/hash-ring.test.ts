import { describe, expect, test } from 'vitest';
import { hashRing, hashText } from '../../../src/core/hash-ring.js';
import { createCore } from '../../../src/core/instance.js';

const core = createCore();

/** Published results of XXH32 with seed 0. */
test.each([
  ['', 0x02cc5d05],
  ['a', 0x550d7456],
  ['abc', 0x32d153ff],
  ['Nobody inspects the spammish repetition', 0xe2293b2f],
])('hash of %j', (text, hash) => {
  expect(hashText(core, text)).toBe(hash);
});

const peer = (ip: string, weight = 100) => ({ ip, port: 80, weight });

/** Points that a peer answers for. */
function shares(ring: Uint16Array, count: number): number[] {
  const found = new Array<number>(count).fill(0);
  for (const index of ring) found[index]++;
  return found;
}

describe('the ring', () => {
  test('has at least 1000 points, each with a peer', () => {
    const ring = hashRing(core, 10, 2, [peer('10.0.0.1'), peer('10.0.0.2')]);
    expect(ring.length).toBe(1000);
    expect(Math.max(...ring)).toBe(1);
  });

  test('gives a peer points by its weight, and one without weight none', () => {
    const peers = [peer('10.0.0.1', 300), peer('10.0.0.2', 100), peer('10.0.0.3', 0)];
    const [heavy, light, none] = shares(hashRing(core, 10000, 3, peers), 3);
    expect(none).toBe(0);
    expect(heavy / light).toBeGreaterThan(2);
    expect(heavy / light).toBeLessThan(4.5);
  });

  test('moves few values when a peer goes', () => {
    const peers = ['1', '2', '3', '4'].map((last) => peer(`10.0.0.${last}`));
    const before = hashRing(core, 10000, 4, peers);
    const after = hashRing(core, 10000, 3, peers.slice(0, 3));
    let moved = 0;
    before.forEach((index, point) => {
      if (index !== 3 && after[point] !== index) moved++;
    });
    expect(moved / before.length).toBeLessThan(0.05);
  });

  test('entries stand where the hash of "ip::port number" puts them', () => {
    const ring = hashRing(core, 10000, 2, [peer('10.0.0.1'), peer('10.0.0.2')]);
    expect(ring[hashText(core, '10.0.0.1::80 1') % 10000]).toBe(0);
    expect(ring[hashText(core, '10.0.0.2::80 1') % 10000]).toBe(1);
  });

  test('is empty where nothing has a weight', () => {
    expect(hashRing(core, 1000, 1, [peer('10.0.0.1', 0)]).length).toBe(0);
  });
});
