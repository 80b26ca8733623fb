import { expect, test } from 'vitest';
import { systemClock } from '../../../src/time.js';
import { KeptNumbers } from '../../../src/upstream/kept-numbers.js';

function numbersAt(limit: number, mayPass?: (number: number) => boolean) {
  const time = { nowMs: 0 };
  const taken: number[] = [];
  const clock = { ...systemClock, now: () => time.nowMs };
  const options = { clock, limit, keepMs: 1000, mayPass };
  return {
    time,
    taken,
    numbers: new KeptNumbers({ ...options, taken: (number) => void taken.push(number) }),
  };
}

test('a key keeps its number, also while it is not used', () => {
  const { numbers, taken } = numbersAt(2);
  expect(numbers.take('a')).toBe(0);
  expect(numbers.take('b')).toBe(1);
  numbers.retain(new Set(['b']));
  expect(numbers.take('a')).toBe(0);
  expect(taken).toEqual([0, 1]);
});

test('the number of an unused key goes to another one after a while, not before', () => {
  const { numbers, time, taken } = numbersAt(1);
  numbers.take('a');
  numbers.retain(new Set());
  time.nowMs = 1000;
  expect(numbers.take('b')).toBeNull();
  time.nowMs = 1001;
  expect(numbers.take('b')).toBe(0);
  expect(taken).toEqual([0, 0]);
  numbers.retain(new Set(['b']));
  time.nowMs = 5000;
  expect(numbers.take('a')).toBeNull();
});

test('a number that something still uses stays where it is', () => {
  const { numbers, time } = numbersAt(1, () => false);
  numbers.take('a');
  numbers.retain(new Set());
  time.nowMs = 10_000;
  expect(numbers.take('b')).toBeNull();
});
