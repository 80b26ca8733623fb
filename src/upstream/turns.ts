/** The order in which round-robin goes through its peers. */
import { limits } from '../limits.js';

/**
 * A round in which each peer has its weight's share of turns, spread evenly over it: weights 5, 1,
 * 1 give a a a b c a a. Weights are divided by what they have in common; where a round would still
 * have more than limits.balancerTurns turns, they are rounded.
 */
export function turnsOf(weights: readonly number[]): Uint16Array {
  const common = weights.reduce(greatestDivisor, 0);
  if (common === 0) return new Uint16Array();
  const total = weights.reduce((sum, weight) => sum + weight, 0) / common;
  const excess = Math.max(1, total / limits.balancerTurns.value);
  const turns: { readonly at: number; readonly index: number }[] = [];
  weights.forEach((weight, index) => {
    if (weight === 0) return;
    const share = weight / common;
    const count = excess === 1 ? share : Math.max(1, Math.floor(share / excess));
    for (let turn = 0; turn < count; turn++) turns.push({ at: (turn + 0.5) / count, index });
  });
  turns.sort((a, b) => a.at - b.at || a.index - b.index);
  return Uint16Array.from(turns, ({ index }) => index);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
