import { describe, expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import { compareLookUps } from '../../oracle/router-cases.js';
import { makeRoute } from '../../support/entities.js';
import { install, lookUp, makeRequest } from './harness.js';

const core = createCore();

describe('look-ups agree with the oracle', () => {
  test.each(['traditional_compatible', 'traditional', 'expressions'] as const)('%s', (flavor) => {
    expect(compareLookUps(core, flavor, 250)).toBeGreaterThan(1000);
  });
});

describe('order', () => {
  test('equal ranks are decided by the greater id', () => {
    const routes = [3, 1, 2].map((id) => makeRoute(id, { paths: ['/p'], strip_path: id > 1 }));
    install(core, routes);
    expect(lookUp(core, routes, makeRequest({ target: '/p' })).route).toBe(0);
  });

  test('a route without any condition is never chosen', () => {
    const routes = [makeRoute(1)];
    install(core, routes);
    expect(lookUp(core, routes, makeRequest()).route).toBe(-1);
  });

  test('stream routes take no requests', () => {
    const routes = [makeRoute(1, { protocols: ['tls'], snis: ['a.test'] })];
    install(core, routes);
    expect(lookUp(core, routes, makeRequest()).route).toBe(-1);
  });
});
