/** The vectors, and valid requests with random damage, beside node's parser and the oracle. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { judgedVectors } from './judged-requests.js';
import { openStrangers, type Strangers } from './strangers.js';

let strangers: Strangers;
beforeAll(async () => {
  strangers = await openStrangers();
});
afterAll(() => strangers.close());

describe("the gateway and node's parser find the same requests", () => {
  test.each(judgedVectors)('$name', ({ bytes }) => strangers.compare(bytes));
});

describe('valid requests with random damage', () => {
  test.each([1, 2, 3, 4])('from seed %i', { timeout: 60_000 }, (seed) =>
    strangers.compareDamaged(seed, 250),
  );
});
