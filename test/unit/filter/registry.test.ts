/** What a reload takes over of the filters that are in use. */
import { expect, test } from 'vitest';
import { loadFilters } from '../../../src/filter/registry.js';
import { filterModule } from './wat.js';

const bytes = (name: string) => filterModule({ on: { proxy_on_log: [['proxy_log', 2, name]] } });

test('a module that has not changed is not compiled again', async () => {
  const given = { same: bytes('a'), other: bytes('b'), option: { module: bytes('c') } };
  const known = await loadFilters({ folder: null, given });
  const next = {
    same: bytes('a'),
    other: bytes('changed'),
    option: { module: bytes('c'), memoryPages: 8 },
  };
  const registry = await loadFilters({ folder: null, given: next, known });
  const taken = Object.keys(next).filter(
    (name) => registry.get(name)?.module === known.get(name)?.module,
  );
  expect(taken).toEqual(['same']);
  expect(registry.get('option')?.host).toEqual({ memoryPages: 8 });
});
