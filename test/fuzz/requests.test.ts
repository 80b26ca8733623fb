/**
 * 100,000 damaged requests beside node's parser and the oracle. HEADGATE_FUZZ_SEED moves the seeds;
 * a failure names the bytes.
 */
import { afterAll, beforeAll, test } from 'vitest';
import { openStrangers, type Strangers } from '../hostile/strangers.js';

const first = Number(process.env.HEADGATE_FUZZ_SEED ?? 1000);
const seeds = Array.from({ length: 20 }, (_, i) => first + i);

let strangers: Strangers;
beforeAll(async () => {
  strangers = await openStrangers();
});
afterAll(() => strangers.close());

test.each(seeds)('damaged requests from seed %i', (seed) => strangers.compareDamaged(seed, 5000));
