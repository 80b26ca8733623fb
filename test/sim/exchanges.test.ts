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

const ways = ['in the core', 'through the shell'] as const;

test.each(seeds.flatMap((seed) => ways.map((way) => [seed, way] as const)))(
  'seed %i, bodies %s: every exchange ends as its plan says',
  { timeout: 600_000 },
  async (seed, way) => {
    const { faults, tally } = await run({ seed, exchanges, shell: way === ways[1] });
    const variables = `HEADGATE_SIM_SEED=${seed} HEADGATE_SIM_EXCHANGES=${exchanges}`;
    const replay = `${variables} npx vitest run test/sim`;
    expect(faults.slice(0, 5), `replay with: ${replay}`).toEqual([]);
    expect(tally.ok + tally.failed + tally.cut + tally.abandoned).toBe(exchanges);
    expect(tally.abandoned).toBeLessThan(exchanges * 0.3);
  },
);
