import { expect, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import { startGateway, startUpstream } from '../support/gateway.js';

const noFields = { fields: {} } as const;
const textFields = { fields: { text: { type: 'string', required: true } } } as const;

const byKey = definePlugin({
  name: 'by-key',
  version: '1.0.0',
  priority: 1000,
  schema: noFields,
  async access(ctx) {
    const key = ctx.request.header('x-key');
    if (ctx.request.query('wait') !== null) await new Promise((resolve) => setImmediate(resolve));
    const credential = key === null ? null : ctx.entities.find('keyauth_credentials', 'key', key);
    if (!credential) return ctx.response.error(401, null, { 'WWW-Authenticate': 'Key' });
    ctx.client.authenticate(credential.consumer, { ...credential });
    ctx.shared.groups = ctx.client.groups.map((group) => group.name);
  },
});

const label = definePlugin({
  name: 'label',
  version: '1.0.0',
  priority: 10,
  schema: textFields,
  access(ctx) {
    ctx.plugin.seen = ctx.client.consumer?.username;
    ctx.service.request.setHeader('x-label', ctx.config.text);
  },
  headerFilter(ctx) {
    ctx.response.setHeader('x-label', `${ctx.config.text} ${ctx.plugin.seen}`);
    ctx.response.setHeader('x-groups', String(ctx.shared.groups));
  },
});

test('who is authenticated decides which configuration runs from there on', async () => {
  const upstream = await startUpstream();
  const { proxy } = await startGateway({
    plugins: [byKey, label],
    config: {
      _format_version: '3.0',
      services: [{ name: 's', url: upstream.url, routes: [{ name: 'r', paths: ['/'] }] }],
      consumer_groups: [{ name: 'gold' }],
      consumers: [
        { username: 'jo', keyauth_credentials: [{ key: 'a' }] },
        { username: 'al', keyauth_credentials: [{ key: 'b' }], groups: ['gold'] },
        { username: 'ed', keyauth_credentials: [{ key: 'c' }] },
      ],
      plugins: [
        { name: 'by-key' },
        { name: 'label', config: { text: 'global' } },
        { name: 'label', config: { text: 'jo' }, consumer: 'jo' },
        { name: 'label', config: { text: 'gold' }, consumer_group: 'gold' },
      ],
    },
  });
  for (const path of ['/', '/?wait']) {
    for (const [key, text, name, groups] of [
      ['a', 'jo', 'jo', ''],
      ['b', 'gold', 'al', 'gold'],
      ['c', 'global', 'ed', ''],
    ]) {
      const response = await fetch(proxy + path, { headers: { 'x-key': key } });
      expect(response.headers.get('x-label')).toBe(`${text} ${name}`);
      expect(response.headers.get('x-groups')).toBe(groups);
      expect(upstream.requests.at(-1)?.headers['x-label']).toBe(text);
    }
  }
  const refused = await fetch(proxy, { headers: { 'x-key': 'z' } });
  expect(refused.status).toBe(401);
  expect(refused.headers.get('www-authenticate')).toBe('Key');
  expect(await refused.json()).toEqual({
    message: 'Unauthorized',
    request_id: refused.headers.get('x-kong-request-id'),
  });
  // Lower plugins run their answer phases with the configuration of who is known.
  expect(refused.headers.get('x-label')).toBe('global undefined');
});
