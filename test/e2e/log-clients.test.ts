import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import { startGateway, startUpstream, until } from '../support/gateway.js';
import { startLogServer } from '../support/log-server.js';
import { tempFolder } from '../support/receivers.js';

const waitMs = 25_000;
const uuid = /^[0-9a-f-]{36}$/;

/** Authenticates by the field X-Name, now or, with ?wait, a turn of the loop later. */
const byName = definePlugin({
  name: 'by-name',
  version: '1.0.0',
  priority: 1000,
  schema: { fields: {} } as const,
  async access(ctx) {
    const name = ctx.request.header('x-name');
    if (ctx.request.query('wait') !== null) await new Promise((resolve) => setImmediate(resolve));
    const consumer = name === null ? null : ctx.client.loadConsumer(name, true);
    if (consumer) ctx.client.authenticate(consumer, null);
  },
});

const marker = definePlugin({
  name: 'marker',
  version: '1.0.0',
  priority: 5,
  schema: { fields: {} } as const,
  access(ctx) {
    ctx.log.setSerializeValue('request.headers.x-name', 'changed', 'replace');
    ctx.log.setSerializeValue('order.id', 7);
    ctx.log.setSerializeValue('order.id', 8, 'add');
    ctx.log.setSerializeValue('nothing.there', 1, 'replace');
    ctx.log.setSerializeValue('upstream_uri', null);
  },
});

const urisIn = (file: string): string[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line).request.uri as string)
        .sort()
    : [];

test('a log plugin of a consumer or group gets the records of these clients only', async () => {
  const upstream = await startUpstream();
  await using server = await startLogServer();
  const folder = tempFolder();
  const [all, jo] = [join(folder, 'all'), join(folder, 'jo')];
  const endpoint = `http://127.0.0.1:${server.port}/gold`;
  const { proxy, gateway } = await startGateway({
    plugins: [byName],
    config: {
      _format_version: '3.0',
      services: [{ name: 's', url: upstream.url, routes: [{ name: 'r', paths: ['/'] }] }],
      consumer_groups: [{ name: 'gold' }],
      consumers: [{ username: 'jo' }, { username: 'al', groups: ['gold'] }, { username: 'ed' }],
      plugins: [
        { name: 'by-name' },
        { name: 'file-log', instance_name: 'all', config: { path: all } },
        { name: 'file-log', instance_name: 'jo', consumer: 'jo', config: { path: jo } },
        { name: 'http-log', consumer_group: 'gold', config: { http_endpoint: endpoint } },
      ],
    },
  });
  for (const query of ['', '?wait']) {
    for (const name of ['jo', 'al', 'ed']) {
      const response = await fetch(`${proxy}/${name}${query}`, { headers: { 'x-name': name } });
      await response.arrayBuffer();
    }
    await (await fetch(`${proxy}/nobody${query}`)).arrayBuffer();
  }
  await gateway.drain();
  const both = (...paths: string[]) => paths.flatMap((path) => [path, `${path}?wait`]).sort();
  expect(urisIn(jo)).toEqual(both('/jo'));
  // Al's group has no file-log of its own: the one for everybody applies.
  expect(urisIn(all)).toEqual(both('/al', '/ed', '/nobody'));
  const gold = server.requests.map(({ body }) => JSON.parse(body));
  expect(gold.map((entry) => entry.request.uri).sort()).toEqual(both('/al'));
  for (const { consumer } of gold) expect(consumer).toMatchObject({ username: 'al' });
});

test('a client on a kept connection changes nothing for the next one', async () => {
  const upstream = await startUpstream();
  const folder = tempFolder();
  const [one, other] = [join(folder, 'one'), join(folder, 'other')];
  const { proxy, gateway } = await startGateway({
    plugins: [byName],
    config: {
      _format_version: '3.0',
      services: [{ name: 's', url: upstream.url, routes: [{ name: 'r', paths: ['/'] }] }],
      consumers: [{ username: 'jo' }, { username: 'al' }],
      plugins: [
        { name: 'by-name' },
        { name: 'file-log', consumer: 'jo', config: { path: one } },
        { name: 'file-log', consumer: 'al', config: { path: other } },
      ],
    },
  });
  for (const [place, name] of ['jo', '', 'al', 'jo', '', 'al'].entries()) {
    const headers = name === '' ? undefined : { 'x-name': name };
    await (await fetch(`${proxy}/${place}`, { headers })).arrayBuffer();
  }
  await gateway.drain();
  expect([urisIn(one), urisIn(other)]).toEqual([
    ['/0', '/3'],
    ['/2', '/5'],
  ]);
});

test('the record tells of the client that key-auth knew, and of what plugins set', async () => {
  const upstream = await startUpstream();
  const file = join(tempFolder(), 'log');
  const { proxy } = await startGateway({
    plugins: [marker],
    config: {
      _format_version: '3.0',
      services: [{ name: 's', url: upstream.url, routes: [{ name: 'r', paths: ['/'] }] }],
      consumers: [
        {
          username: 'jo',
          custom_id: '7',
          tags: ['t'],
          keyauth_credentials: [{ key: 'secret-key' }],
        },
      ],
      plugins: [
        { name: 'key-auth', config: { hide_credentials: true } },
        { name: 'marker' },
        { name: 'file-log', config: { path: file } },
      ],
    },
  });
  const headers = { apikey: 'secret-key', 'x-name': 'sent' };
  expect((await fetch(`${proxy}/a`, { headers })).status).toBe(200);
  await until(() => urisIn(file).length === 1, waitMs);
  const entry = JSON.parse(readFileSync(file, 'utf8'));
  expect(entry).toMatchObject({
    consumer: { id: expect.stringMatching(uuid), username: 'jo', custom_id: '7', tags: ['t'] },
    authenticated_entity: {
      id: expect.stringMatching(uuid),
      consumer_id: entry.consumer.id,
    },
    request: { headers: { 'x-name': 'changed' } },
    order: { id: 7 },
  });
  expect(entry.authenticated_entity.id).not.toBe(entry.consumer.id);
  expect(entry).not.toHaveProperty('nothing');
  expect(entry).not.toHaveProperty('upstream_uri');
  expect((await fetch(`${proxy}/b`)).status).toBe(401);
  await until(() => urisIn(file).length === 2, waitMs);
  const refused = JSON.parse(readFileSync(file, 'utf8').split('\n')[1]);
  expect(refused).not.toHaveProperty('consumer');
  expect(refused).not.toHaveProperty('authenticated_entity');
});

test('plugins that share a queue with different configurations are named', async () => {
  const http_endpoint = 'http://127.0.0.1:9/in';
  const { lines } = await startGateway({
    config: {
      _format_version: '3.0',
      consumers: [{ username: 'jo' }, { username: 'al' }, { username: 'ed' }],
      plugins: [
        { name: 'http-log', config: { http_endpoint } },
        { name: 'http-log', consumer: 'jo', config: { http_endpoint } },
        { name: 'http-log', consumer: 'al', config: { http_endpoint, headers: { 'X-A': '1' } } },
        { name: 'http-log', consumer: 'ed', config: { http_endpoint: `${http_endpoint}/ed` } },
      ],
    },
  });
  const said = lines.filter(({ msg }) => msg?.startsWith('shares its log queue with plugin'));
  expect(said).toHaveLength(1);
});
