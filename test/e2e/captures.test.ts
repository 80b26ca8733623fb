import { expect, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import { startGateway, startUpstream } from '../support/gateway.js';

test('plugins see what the patterns of the route matched', async () => {
  const { url } = await startUpstream();
  const seen: unknown[] = [];
  const looker = definePlugin({
    name: 'looker',
    version: '1.0.0',
    priority: 10,
    schema: { fields: {} },
    access: (ctx) => void seen.push(ctx.request.uriCaptures),
  });
  const config = {
    _format_version: '3.0',
    services: [
      {
        url,
        routes: [
          { name: 'pattern', paths: ['~/users/(?<id>[^/]+)/(x)?'] },
          { name: 'plain', paths: ['/plain'] },
        ],
      },
    ],
    plugins: [{ name: 'looker' }],
  };
  const { proxy } = await startGateway({ config, plugins: [looker] });
  for (const path of ['/users/s%C3%B8ren/', '/plain']) await fetch(proxy + path);
  expect(seen).toEqual([
    { unnamed: ['/users/søren/', 'søren'], named: { id: 'søren' } },
    { unnamed: [], named: {} },
  ]);
});
