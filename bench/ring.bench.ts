/** Log entries through a ring of the core beside a queue of Buffers in JavaScript. */
import { EntryRing } from '../src/core/entry-ring.js';
import { createCore } from '../src/core/instance.js';
import { RingTable } from '../src/core/ring.js';
import type { BenchSuite } from './lib/suite.js';

const core = createCore();
const rings = new RingTable(core);
const { ring_reserve, ring_commit, ring_release } = core.exports;

/** A typical record: struct, request head, upstream target and response head. */
const entry = Buffer.alloc(900, 'x');
const batch = 100;
const limits = { maxEntries: 10_000 };

const taken = rings.open('taken', limits);
const full = rings.open('full', limits);
const written = rings.open('written', limits);
const alone = new EntryRing<Buffer>();
const plain: Buffer[] = [];
const plainFull: Buffer[] = [];
for (let i = 0; i < limits.maxEntries; i++) {
  full.push(entry);
  plainFull.push(entry);
}

/** What the core does for a record: no call from JavaScript per entry, here one for measuring. */
function writeInPlace(): void {
  for (let i = 0; i < batch; i++) {
    const at = ring_reserve(written.id, entry.length);
    core.u8.copyWithin(at, written.id, written.id + entry.length);
    ring_commit(written.id, entry.length);
  }
  ring_release(written.id, batch);
}

const through: BenchSuite = {
  name: `log queue: ${batch} entries of ${entry.length} bytes in, one batch out`,
  cases: [
    {
      name: 'array of Buffer copies, shift()',
      baseline: true,
      operations: batch,
      fn: () => {
        for (let i = 0; i < batch; i++) plain.push(Buffer.from(entry));
        const out: Buffer[] = [];
        for (let i = 0; i < batch; i++) out.push(plain.shift() as Buffer);
        return out;
      },
    },
    {
      name: 'ring of a stand-alone queue',
      operations: batch,
      fn: () => {
        for (let i = 0; i < batch; i++) alone.append(entry, entry.length, 0);
        return alone.take(batch);
      },
    },
    {
      name: 'ring, pushed and taken from JavaScript',
      operations: batch,
      fn: () => {
        for (let i = 0; i < batch; i++) taken.push(entry);
        return taken.take(batch);
      },
    },
    { name: 'ring, written in place and released', operations: batch, fn: writeInPlace },
  ],
};

const dropping: BenchSuite = {
  name: `log queue at its limit of ${limits.maxEntries}: one more entry drops the oldest`,
  cases: [
    {
      name: 'array, shift()',
      baseline: true,
      fn: () => {
        plainFull.shift();
        plainFull.push(Buffer.from(entry));
      },
    },
    { name: 'ring', fn: () => full.push(entry) },
  ],
};

export const suites: readonly BenchSuite[] = [through, dropping];
