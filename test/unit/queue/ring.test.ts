import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import { Region } from '../../../src/core/layout.js';
import { type Ring, RingTable } from '../../../src/core/ring.js';
import { limits } from '../../../src/limits.js';

const core = createCore({ seed: [1, 2] });
const rings = core.exports;
const chunkCount = Region.ringChunks.bytes / 65536;
const entryMax = limits.ringEntryBytes.value;

/** The obvious queue: an array of entries and two limits. */
class Oracle {
  entries: Buffer[] = [];
  dropped = 0;
  head = 0;

  constructor(
    public maxEntries: number,
    public maxBytes: number,
  ) {}

  get bytes(): number {
    return this.entries.reduce((sum, entry) => sum + entry.length, 0);
  }

  makeRoom(size: number): boolean {
    if (size > this.maxBytes || size > entryMax) {
      this.dropped++;
      return false;
    }
    while (this.entries.length >= this.maxEntries || this.bytes + size > this.maxBytes) {
      this.dropped++;
      this.remove(1);
    }
    return true;
  }

  remove(count: number): void {
    this.head += this.entries.splice(0, count).length;
  }
}

function filled(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size, seed & 0xff);
  if (size >= 4) bytes.writeUInt32LE(seed, size - 4);
  return bytes;
}

function isSame(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  return a.length === b.length && a.every((entry, i) => entry.equals(b[i]));
}

function expectSame(ring: Ring, oracle: Oracle): void {
  expect([ring.count, ring.bytes, ring.dropped, ring.head]).toEqual([
    oracle.entries.length,
    oracle.bytes,
    oracle.dropped,
    oracle.head,
  ]);
}

const size = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 3000 }),
  fc.integer({ min: 20000, max: entryMax + 2 }),
);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constant('push' as const), ring: fc.nat(2), size }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('short' as const),
      ring: fc.nat(2),
      size,
      cut: fc.nat(64),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('abandon' as const), ring: fc.nat(2), size }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('interrupt' as const),
      ring: fc.nat(2),
      size,
      count: fc.nat(9),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('take' as const), ring: fc.nat(2), count: fc.nat(9) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('limit' as const),
      ring: fc.nat(2),
      maxEntries: fc.integer({ min: 1, max: 12 }),
      maxBytes: fc.integer({ min: 100, max: 200_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('late' as const),
      ring: fc.nat(2),
      size,
      count: fc.nat(9),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Runs one step on both and compares what they give back. */
function apply(s: Step, ring: Ring, oracle: Oracle, serial: number): void {
  switch (s.op) {
    case 'push': {
      const entry = filled(s.size, serial);
      const room = oracle.makeRoom(s.size);
      if (room) oracle.entries.push(entry);
      expect(ring.push(entry)).toBe(room);
      break;
    }
    case 'short': {
      const room = oracle.makeRoom(s.size);
      const at = rings.ring_reserve(ring.id, s.size);
      expect(at !== 0).toBe(room);
      if (!room) break;
      expect(at % 8).toBe(0);
      const entry = filled(Math.max(0, s.size - s.cut), serial);
      core.u8.set(entry, at);
      rings.ring_commit(ring.id, entry.length);
      oracle.entries.push(entry);
      break;
    }
    case 'abandon':
      expect(rings.ring_reserve(ring.id, s.size) !== 0).toBe(oracle.makeRoom(s.size));
      break;
    case 'interrupt': {
      // A consumer that releases between reserve and commit must not touch the reservation.
      const room = oracle.makeRoom(s.size);
      const at = rings.ring_reserve(ring.id, s.size);
      expect(at !== 0).toBe(room);
      rings.ring_release(ring.id, s.count);
      oracle.remove(s.count);
      if (!room) break;
      const entry = filled(s.size, serial);
      core.u8.set(entry, at);
      rings.ring_commit(ring.id, s.size);
      oracle.entries.push(entry);
      break;
    }
    case 'take': {
      expect(isSame(ring.take(s.count), oracle.entries.slice(0, s.count))).toBe(true);
      oracle.remove(s.count);
      break;
    }
    case 'limit':
      oracle.maxEntries = s.maxEntries;
      oracle.maxBytes = s.maxBytes;
      rings.ring_open(ring.id, s.maxEntries, s.maxBytes);
      break;
    case 'late': {
      // What was peeked is released after the producer went on, and dropped some of it.
      const end = ring.head + ring.peek(s.count).length;
      const entry = filled(s.size, serial);
      const room = oracle.makeRoom(s.size);
      if (room) oracle.entries.push(entry);
      expect(ring.push(entry)).toBe(room);
      ring.releaseTo(end);
      oracle.remove(Math.max(0, end - oracle.head));
      break;
    }
  }
}

describe('log rings', () => {
  test('three rings behave like three arrays under any operations', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const table = new RingTable(core);
        const pairs = [0, 1, 2].map((n) => ({
          ring: table.open(`ring ${n}`, { maxEntries: 8, maxBytes: 150_000 }),
          oracle: new Oracle(8, 150_000),
        }));
        try {
          steps.forEach((s, serial) => {
            apply(s, pairs[s.ring].ring, pairs[s.ring].oracle, serial);
            for (const { ring, oracle } of pairs) expectSame(ring, oracle);
          });
          for (const { ring, oracle } of pairs) {
            expect(isSame(ring.peek(Infinity), oracle.entries)).toBe(true);
          }
        } finally {
          for (const { ring } of pairs) table.close(ring);
        }
      }),
      { numRuns: 150, seed: 7 },
    );
  });

  test('chunks come back: all of them serve one ring after another', () => {
    const table = new RingTable(core);
    const wanted = { maxEntries: 1_000_000, maxBytes: null };
    const entry = Buffer.alloc(60_000, 1);
    for (let round = 0; round < 3; round++) {
      const open = Array.from({ length: 4 }, (_, i) => table.open(`r${round}.${i}`, wanted));
      let pushed = 0;
      for (const ring of open) {
        while (ring.bytes + entry.length <= limits.ringBytes.value && ring.push(entry)) pushed++;
      }
      expect(pushed).toBe(chunkCount);
      const last = open[3];
      const { dropped } = last;
      expect(last.push(entry)).toBe(false);
      expect(last.dropped).toBe(dropped + 1);
      open[0].take(1);
      expect(last.push(entry)).toBe(true);
      for (const ring of open) table.close(ring);
    }
  });

  test('memory that no ring used is never touched', () => {
    const fresh = createCore({ seed: [1, 2] });
    const ring = new RingTable(fresh).open('a', { maxEntries: 100, maxBytes: null });
    for (let i = 0; i < 5000; i++) ring.push(filled(1000, i));
    // 100 entries of 1 KiB wait: two chunks and the one that is being filled.
    const untouched = fresh.u8.subarray(
      Region.ringChunks.offset + 4 * 65536,
      Region.ringChunks.offset + 8 * 65536,
    );
    expect(untouched.every((byte) => byte === 0)).toBe(true);
  });

  test('an entry above limits.ringEntryBytes is refused and counted', () => {
    const table = new RingTable(core);
    const ring = table.open('large', { maxEntries: 10 });
    expect(ring.push(Buffer.alloc(entryMax))).toBe(true);
    expect(ring.push(Buffer.alloc(entryMax + 1))).toBe(false);
    expect([ring.count, ring.dropped]).toEqual([1, 1]);
    table.close(ring);
  });

  test('rings that are closed or do not exist take nothing and hold nothing', () => {
    for (const id of [255, 256, 0xffffffff]) {
      expect(rings.ring_reserve(id, 10)).toBe(0);
      rings.ring_commit(id, 10);
      rings.ring_release(id, 1);
      rings.ring_close(id);
      expect(rings.ring_first(id)).toBe(0);
      expect(rings.ring_count(id)).toBe(0);
    }
    expect(rings.ring_open(256, 1, 1)).toBe(0);
  });

  test('a commit without a reservation does nothing', () => {
    const table = new RingTable(core);
    const ring = table.open('b', { maxEntries: 10 });
    rings.ring_commit(ring.id, 0);
    expect(ring.count).toBe(0);
    table.close(ring);
  });
});

describe('ring table', () => {
  test('a key opened again is the same ring until its last user closes it', () => {
    const table = new RingTable(core);
    const first = table.open('k', { maxEntries: 5 });
    first.push(Buffer.from('x'));
    const again = table.open('k', { maxEntries: 2 });
    expect(again).toBe(first);
    table.close(first);
    expect(again.take(9).map(String)).toEqual(['x']);
    for (const word of ['1', '2', '3']) again.push(Buffer.from(word));
    expect(again.take(9).map(String)).toEqual(['2', '3']);
    table.close(again);
    expect(again.push(Buffer.from('y'))).toBe(false);
    expect(table.size).toBe(0);
  });

  test('one ring more than limits.rings is refused with a code', () => {
    const table = new RingTable(core);
    const open = Array.from({ length: limits.rings.value }, (_, i) =>
      table.open(`n${i}`, { maxEntries: 1 }),
    );
    expect(() => table.open('one more', { maxEntries: 1 })).toThrowError(
      expect.objectContaining({ code: 'GW_E_CONFIG_LIMIT' }),
    );
    for (const ring of open) table.close(ring);
  });
});
