import { expect, test } from 'vitest';
import { copyOf } from '../../../src/core/short-copy.js';

test('pieces of all sizes are copies that keep their bytes', () => {
  const memory = new Uint8Array(200_000);
  for (let i = 0; i < memory.length; i++) memory[i] = (i * 7) ^ (i >> 8);
  const sizes = [0, 1, 7, 8, 56, 57, 1000, 16_384, 16_385, 70_000];
  const pieces = Array.from({ length: 200 }, (_, i) => {
    const size = sizes[i % sizes.length];
    return { start: i * 13, size, bytes: copyOf(memory, i * 13, size) };
  });
  const before = memory.slice();
  memory.fill(0);
  for (const { start, size, bytes } of pieces) {
    expect(Buffer.compare(bytes, before.subarray(start, start + size))).toBe(0);
  }
});
