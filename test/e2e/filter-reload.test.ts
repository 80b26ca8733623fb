/** A large module is replaced while requests run: none fails, and the event loop keeps turning. */
import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { limits } from '../../src/limits.js';
import { startGateway, startUpstream } from '../support/gateway.js';
import { largeModule } from '../support/large-module.mjs';
import { filterModule } from '../unit/filter/wat.js';

const add = (value: string) =>
  filterModule({
    on: { proxy_on_request_headers: [['proxy_add_header_map_value', 2, 'x-filter', value]] },
  });

test('a module of 5 MB is reloaded under load without a failed request', async () => {
  const bytes = 5 * 1024 * 1024;
  const { url } = await startUpstream((_request, response) => response.end('ok'));
  const filters: Record<string, Uint8Array> = { large: largeModule(add('one'), bytes) };
  expect(filters.large.length).toBeGreaterThan(bytes);
  const { gateway, proxy } = await startGateway({
    filters,
    config: {
      _format_version: '3.0',
      services: [
        {
          name: 'one',
          url,
          routes: [{ paths: ['/'], filter_chains: [{ filters: [{ name: 'large' }] }] }],
        },
      ],
    },
  });
  const seen = new Map<string, number>();
  let isLoading = true;
  let answered = 0;
  const client = async () => {
    while (isLoading || answered < 20) {
      const response = await fetch(`${proxy}/`);
      await response.text();
      const key = `${response.status} ${response.headers.get('x-filter')}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
      if (!isLoading) answered++;
    }
  };
  const clients = [client(), client()];
  filters.large = largeModule(add('two'), bytes);
  await gateway.reload();
  isLoading = false;
  await Promise.all(clients);
  expect([...seen.keys()].sort()).toEqual(['200 one', '200 two']);
});

test('while one is loaded timers run', async () => {
  const { loadAside } = await import('../../src/filter/load-aside.js');
  const bytes = largeModule(add('one'), limits.filterInlineBytes.value);
  const task = { name: 'one', bytes, options: {}, knownHash: null };
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const startMs = performance.now();
  const module = await loadAside(task);
  clearInterval(timer);
  expect(performance.now() - startMs).toBeGreaterThan(0);
  expect(turns).toBeGreaterThan(0);
  expect(module?.callbacks.has('proxy_on_request_headers')).toBe(true);
  expect(await loadAside({ ...task, knownHash: module?.hash ?? '' })).toBeNull();
  const bad = loadAside({ ...task, bytes: largeModule(add('x'), 300_000).subarray(0, 280_000) });
  await expect(bad).rejects.toMatchObject({ code: 'GW_E_FILTER_MODULE' });
});
