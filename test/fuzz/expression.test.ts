import { expect, test } from 'vitest';
import { createCore } from '../../src/core/instance.js';
import { compareExpressions } from '../oracle/expression-cases.js';

test('100,000 look-ups by expressions agree with the oracle', () => {
  expect(compareExpressions(createCore(), 5000)).toBeGreaterThan(20_000);
});
