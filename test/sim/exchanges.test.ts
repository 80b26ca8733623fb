/**
 * Random exchanges over the simulated network. HEADGATE_SIM_SEEDS and HEADGATE_SIM_EXCHANGES scale
 * it for a soak; HEADGATE_SIM_SEED replays one seed.
 */
import { expect, test } from 'vitest';
import { run } from './run.js';

const one = process.env.HEADGATE_SIM_SEED;
const seedCount = Number(process.env.HEADGATE_SIM_SEEDS ?? 20);
const exchanges = Number(process.env.HEADGATE_SIM_EXCHANGES ?? 10_000);
const seeds =
  one === undefined ? Array.from({ length: seedCount }, (_, i) => i + 1) : [Number(one)];

test.each(seeds)(
  'seed %i: every exchange ends as its plan says',
  { timeout: 600_000 },
  async (seed) => {
    const { faults, tally } = await run({ seed, exchanges });
    const variables = `HEADGATE_SIM_SEED=${seed} HEADGATE_SIM_EXCHANGES=${exchanges}`;
    const replay = `${variables} npx vitest run test/sim`;
    expect(faults.slice(0, 5), `replay with: ${replay}`).toEqual([]);
    expect(tally.ok + tally.failed + tally.cut + tally.abandoned).toBe(exchanges);
    expect(tally.abandoned).toBeLessThan(exchanges * 0.3);
  },
);
