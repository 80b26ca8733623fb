/**
 * The simulator's exchanges over many more seeds than the default suite has: HEADGATE_SOAK_SEEDS
 * (200) from HEADGATE_SOAK_FIRST (1000) on, 10,000 exchanges each.
 */
import { expect, test } from 'vitest';
import { run } from '../sim/run.js';

const first = Number(process.env.HEADGATE_SOAK_FIRST ?? 1000);
const count = Number(process.env.HEADGATE_SOAK_SEEDS ?? 200);
const exchanges = 10_000;
const seeds = Array.from({ length: count }, (_, i) => first + i);

test.each(seeds)('seed %i: every exchange ends as its plan says', async (seed) => {
  const { faults, tally } = await run({ seed, exchanges });
  const replay = `HEADGATE_SIM_SEED=${seed} npx vitest run test/sim`;
  expect(faults.slice(0, 5), `replay with: ${replay}`).toEqual([]);
  expect(tally.ok + tally.failed + tally.cut + tally.abandoned).toBe(exchanges);
});
