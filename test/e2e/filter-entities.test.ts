/** Filters as the configuration and the Admin API name them: as plugins, by schema, per route. */
import { expect, test } from 'vitest';
import { startGateway, startUpstream } from '../support/gateway.js';
import { filterModule } from '../unit/filter/wat.js';

const way = (name: string) =>
  filterModule({
    on: { proxy_on_response_headers: [['proxy_add_header_map_value', 2, 'x-way', name]] },
  });
const schema = {
  type: 'object',
  properties: { value: { type: 'string' } },
  additionalProperties: false,
};
const filters = {
  a: way('a'),
  b: way('b'),
  c: { module: way('c'), meta: { config_schema: schema } },
};

const config = (url: string, service: object = {}, route: object = {}) => ({
  _format_version: '3.0',
  services: [{ name: 'one', url, ...service, routes: [{ name: 'all', paths: ['/'], ...route }] }],
});

test('a filter that is a plugin runs behind the chain of its owner', async () => {
  const { url } = await startUpstream();
  const { proxy } = await startGateway({
    filters,
    config: config(
      url,
      { filter_chains: [{ filters: [{ name: 'b' }] }], plugins: [{ name: 'a' }] },
      {
        filter_chains: [{ filters: [{ name: 'a' }] }],
        plugins: [{ name: 'c', config: { value: 'x' } }, { name: 'b' }],
      },
    ),
  });
  const response = await fetch(proxy);
  expect(response.headers.get('x-way')).toBe('b, a, a, b, c');
});

test('a plugin that is a filter has one owner, and its schema holds', async () => {
  const { gateway } = await startGateway({ filters, config: config('http://127.0.0.1:1') });
  const refused = async (given: object, text: string) => {
    await expect(gateway.reload(given)).rejects.toThrow(text);
  };
  const top = (plugin: object) => ({ ...config('http://127.0.0.1:1'), plugins: [plugin] });
  await refused(top({ name: 'a' }), "at least one of these fields must be non-empty: 'service'");
  const both = { name: 'a', service: 'one', route: 'all' };
  await refused(top(both), 'only one or none of these fields must be set');
  const consumers = [{ username: 'u' }];
  const scoped = { ...top({ name: 'a', route: 'all', consumer: 'u' }), consumers };
  await refused(scoped, 'value must be null');
  await refused(top({ name: 'c', route: 'all', config: { other: 1 } }), 'additional properties');
  await refused(top({ name: 'a', route: 'all', config: { value: 1 } }), 'expected a string');
  await refused(top({ name: 'no-such', route: 'all' }), 'not enabled');
});

test('a filter has no name that a plugin has', async () => {
  const config = { _format_version: '3.0' };
  await expect(startGateway({ filters: { cors: way('x') }, config })).rejects.toThrow(
    "filter 'cors': a plugin has this name",
  );
});

test('the Admin API shows schemas, and the filters of a route', async () => {
  const { url } = await startUpstream();
  const off = { filters: [{ name: 'b', enabled: false }], name: 'route-chain' };
  const given = config(url, { filter_chains: [{ filters: [{ name: 'a', config: 'text' }] }] });
  const { admin } = await startGateway({
    filters,
    config: { ...given, filter_chains: [{ ...off, route: 'all' }] },
  });
  const read = async (path: string) => {
    const response = await fetch(`${admin}${path}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  expect(await read('/schemas/filters/c')).toEqual({ status: 200, body: schema });
  expect(await read('/schemas/filters/a')).toEqual({ status: 200, body: {} });
  expect(await read('/schemas/filters/no')).toEqual({
    status: 404,
    body: { message: "No filter named 'no'" },
  });
  const names = async (which: string) => {
    const { body } = await read(`/routes/all/filters/${which}`);
    return (body.filters as { name: string; from: string }[]).map(({ name, from }) => [name, from]);
  };
  expect(await names('all')).toEqual([
    ['a', 'service'],
    ['b', 'route'],
  ]);
  expect(await names('enabled')).toEqual([['a', 'service']]);
  expect(await names('disabled')).toEqual([['b', 'route']]);
  expect((await read('/routes/no/filters/all')).status).toBe(404);
  expect((await read('/routes/all/filters/some')).status).toBe(404);
});

test('a node without filters says so', async () => {
  const { admin } = await startGateway({ config: config('http://127.0.0.1:1') });
  for (const path of ['/filter-chains', '/routes/all/filter-chains', '/routes/all/filters/all']) {
    const response = await fetch(admin + path);
    expect(response.status, path).toBe(400);
    expect(await response.json()).toEqual({
      message: 'this endpoint is only available when wasm is enabled',
    });
  }
});
