import { expect, test } from 'vitest';
import { limits } from '../../../src/limits.js';
import { turnsOf } from '../../../src/upstream/turns.js';

const letters = (weights: number[]) => Array.from(turnsOf(weights), (i) => 'abcd'[i]).join('');

test.each([
  [[], ''],
  [[0], ''],
  [[7], 'a'],
  [[100, 100], 'ab'],
  [[100, 100, 100], 'abc'],
  [[200, 100], 'aba'],
  [[5, 1, 1], 'aaabcaa'],
  [[0, 3, 0, 6], 'dbd'],
  [[100, 0, 50], 'aca'],
])('weights %j make the round %s', (weights, round) => {
  expect(letters(weights)).toBe(round);
});

test('every round is exact, whatever the weights', () => {
  const weights = [7, 13, 1, 29];
  const counts = weights.map(() => 0);
  for (const index of turnsOf(weights)) counts[index]++;
  expect(counts).toEqual(weights);
});

test('equal turns are spread: no peer waits for much more than its share', () => {
  const turns = turnsOf([1, 9]);
  expect(turns.length).toBe(10);
  const heavy = turnsOf([10, 30, 60]);
  for (let at = 0; at + 5 <= heavy.length; at++) {
    const third = heavy.subarray(at, at + 5).filter((index) => index === 2).length;
    expect(third).toBeGreaterThanOrEqual(2);
    expect(third).toBeLessThanOrEqual(4);
  }
});

test('rounds that would be too long are rounded, and nobody is left out', () => {
  const turns = turnsOf([65535, 65534, 1]);
  expect(turns.length).toBeLessThanOrEqual(limits.balancerTurns.value + 3);
  expect(new Set(turns).size).toBe(3);
});
