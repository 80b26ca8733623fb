import { expect, test } from 'vitest';
import { HangLedger, makeLedgerMemory } from '../../../src/filter/shared/hang-ledger.js';
import { limits } from '../../../src/limits.js';

const restMs = limits.filterQuarantineMs.value;
const hash = (seed: number) => seed.toString(16).padStart(4, '0').repeat(16);

test('a filter that a thread ended in has to rest, others not', () => {
  const memory = makeLedgerMemory();
  const [first, second] = [0, 1].map((thread) => new HangLedger(memory, thread));
  first.watch(hash(1), () => second.watch(hash(2), () => second.condemn(1000))())();
  expect(first.restMs(hash(2), 1000)).toBe(restMs);
  expect(first.restMs(hash(2), 1000 + restMs)).toBe(0);
  expect(second.restMs(hash(1), 1000)).toBe(0);
});

test('a thread that ends outside of filters condemns nobody', () => {
  const ledger = new HangLedger(makeLedgerMemory(), 3);
  expect(ledger.watch(hash(1), (a: number, b: number) => a + b)(1, 2)).toBe(3);
  expect(() =>
    ledger.watch(hash(1), () => {
      throw new Error('trap');
    })(),
  ).toThrow('trap');
  ledger.condemn(0);
  expect(ledger.restMs(hash(1), 0)).toBe(0);
});

test('condemning again makes the rest longer, and many others push out the oldest', () => {
  const ledger = new HangLedger(makeLedgerMemory(), 0);
  const condemn = (seed: number, now: number) =>
    ledger.watch(hash(seed), () => ledger.condemn(now))();
  condemn(1, 1);
  condemn(1, 11);
  expect(ledger.restMs(hash(1), 11)).toBe(restMs);
  for (let i = 2; i < 66; i++) condemn(i, 10 + i);
  expect(ledger.restMs(hash(1), 100)).toBe(0);
  for (let i = 2; i < 66; i++) expect(ledger.restMs(hash(i), 10 + i)).toBe(restMs);
});
