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

/** Bodies through the shell take the core's way, too: fewer of them say as much. */
const ways = [
  { way: 'in the core', shell: false, share: 1 },
  { way: 'through the shell', shell: true, share: 0.2 },
];
const cases = seeds.flatMap((seed) => ways.map((one) => ({ seed, ...one })));

test.each(cases)(
  'seed $seed, bodies $way: every exchange ends as its plan says',
  { timeout: 600_000 },
  async ({ seed, shell, share }) => {
    const count = Math.ceil(exchanges * share);
    const { faults, tally } = await run({ seed, exchanges: count, shell });
    const variables = `HEADGATE_SIM_SEED=${seed} HEADGATE_SIM_EXCHANGES=${exchanges}`;
    const replay = `${variables} npx vitest run test/sim`;
    expect(faults.slice(0, 5), `replay with: ${replay}`).toEqual([]);
    expect(tally.ok + tally.failed + tally.cut + tally.abandoned).toBe(count);
    expect(tally.abandoned).toBeLessThan(count * 0.3);
  },
);
