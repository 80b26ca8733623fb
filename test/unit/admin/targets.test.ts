import { expect, test } from 'vitest';
import { readEntities } from '../../../src/admin/entities.js';
import { readTargets } from '../../../src/admin/targets.js';
import { loadConfig } from '../../../src/config/index.js';

const result = loadConfig({
  text: JSON.stringify({
    _format_version: '3.0',
    upstreams: [
      {
        name: 'u',
        targets: [
          { target: 'a', created_at: 1.5, tags: ['x'] },
          { target: 'b:1', created_at: 2.5, weight: 0 },
        ],
      },
      { name: 'v' },
    ],
  }),
  pluginSchemas: new Map(),
});
if (!result.ok) throw new Error(JSON.stringify(result.problems));
const { snapshot } = result;

function get(path: string) {
  const url = new URL(path, 'http://admin');
  const parts = url.pathname.slice(1).split('/').map(decodeURIComponent);
  return (
    readTargets(parts, url.searchParams, snapshot) ??
    readEntities(parts, url.searchParams, snapshot)
  );
}

const list = (path: string): string[] => {
  const body = get(path)?.body;
  const { data } = body as { data: { target: string }[] };
  return data.map(({ target }) => target);
};

test('an upstream is found by its name, with its defaults', () => {
  expect(get('/upstreams/u')?.body).toMatchObject({ name: 'u', slots: 10000 });
  expect(get('/upstreams/w')?.status).toBe(404);
});

test('targets are listed below their upstream only, the newest first', () => {
  expect(list('/upstreams/u/targets')).toEqual(['b:1', 'a:8000']);
  expect(list('/upstreams/u/targets/all').sort()).toEqual(['a:8000', 'b:1']);
  expect(list('/upstreams/v/targets')).toEqual([]);
  expect(list('/upstreams/u/targets?tags=x')).toEqual(['a:8000']);
  expect(get('/targets')).toBeNull();
  expect(get('/upstreams/w/targets')?.status).toBe(404);
});

test('a target is found by its address, with or without the port, and by its id', () => {
  const found = get('/upstreams/u/targets/a')?.body as { id: string; target: string };
  expect(found.target).toBe('a:8000');
  expect(get('/upstreams/u/targets/a:8000')?.body).toEqual(found);
  expect(get(`/upstreams/u/targets/${found.id}`)?.body).toEqual(found);
  expect(get('/upstreams/v/targets/a')?.status).toBe(404);
});
