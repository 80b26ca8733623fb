import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EntryRing } from '../../../src/core/entry-ring.js';

const sizeOf = (entry: unknown) =>
  typeof entry === 'string'
    ? Buffer.byteLength(entry)
    : entry instanceof Uint8Array
      ? entry.byteLength
      : 0;

describe('a ring of entries', () => {
  test('behaves like an array for texts, bytes and other values under any operations', () => {
    const entry = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ maxLength: 4 }).map((text) => text.repeat(30_000)),
      fc.constant('\ud800 half a pair'),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.record({ a: fc.integer() }),
      fc.integer(),
    );
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ put: entry }) },
      { weight: 1, arbitrary: fc.record({ take: fc.nat(6) }) },
      { weight: 1, arbitrary: fc.record({ drop: fc.nat(3) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const ring = new EntryRing<unknown>();
        let oracle: unknown[] = [];
        for (const one of steps) {
          if ('put' in one) {
            expect(ring.append(one.put, sizeOf(one.put), oracle.length)).toBe(true);
            oracle.push(one.put);
          } else if ('take' in one) {
            expect(ring.take(one.take)).toEqual(oracle.slice(0, one.take));
            oracle = oracle.slice(one.take);
          } else {
            for (let i = 0; i < one.drop; i++) ring.dropOldest();
            oracle = oracle.slice(one.drop);
          }
          expect(ring.count).toBe(oracle.length);
          expect(ring.bytes).toBe(oracle.reduce((sum: number, one) => sum + sizeOf(one), 0));
          if (oracle.length === 0) expect(ring.memoryBytes).toBe(0);
        }
        expect(ring.take(Infinity)).toEqual(oracle);
      }),
      { numRuns: 200, seed: 5 },
    );
  });

  test('10,000 entries of 1 KB take less than 15 MB, which come back', () => {
    const ring = new EntryRing<string>();
    for (let i = 0; i < 10_000; i++) ring.append('x'.repeat(1024), 1024, i);
    expect(ring.memoryBytes).toBeGreaterThan(10_000 * 1024);
    expect(ring.memoryBytes).toBeLessThan(11_500_000);
    expect(ring.oldestMs).toBe(0);
    ring.take(1);
    expect(ring.oldestMs).toBe(1);
    ring.take(Infinity);
    expect([ring.count, ring.bytes, ring.memoryBytes, ring.oldestMs]).toEqual([0, 0, 0, null]);
  });

  test('a full ring that drops the oldest for each new entry does not grow', () => {
    const ring = new EntryRing<Buffer>();
    const entry = Buffer.alloc(1000, 7);
    for (let i = 0; i < 1000; i++) ring.append(entry, 1000, 0);
    const before = ring.memoryBytes;
    for (let i = 0; i < 100_000; i++) {
      ring.dropOldest();
      ring.append(entry, 1000, 0);
    }
    expect(ring.memoryBytes).toBeLessThanOrEqual(before + 2 * 65536);
    expect(ring.take(1)).toEqual([entry]);
  });

  test('bytes are copied: what the caller does with them afterwards changes nothing', () => {
    const ring = new EntryRing<Buffer>();
    const entry = Buffer.from('abc');
    ring.append(entry, 3, 0);
    entry.fill(0);
    expect(String(ring.take(1)[0])).toBe('abc');
  });
});
