import { describe, expect, test } from 'vitest';
import { createCore } from '../../src/core/instance.js';
import { compareLookUps } from '../oracle/router-cases.js';

const core = createCore();

describe('100,000 look-ups agree with the oracle', () => {
  test.each(['traditional_compatible', 'traditional', 'expressions'] as const)('%s', (flavor) => {
    expect(compareLookUps(core, flavor, 5000)).toBeGreaterThan(20_000);
  });
});
