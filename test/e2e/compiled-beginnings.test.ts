/**
 * Plugins of which the core runs the first ones and the shell the rest, beside the same plugins in
 * the shell: answers and what the upstream sees are the same.
 */
import { expect, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import { keyAuth, limited, mixed, pair, transformer } from '../support/compiled-pair.js';
import { until } from '../support/gateway.js';

/** What a plugin behind others finds, and what it adds to. */
const looker = (name: string, priority: number, promise: boolean) =>
  definePlugin({
    name,
    version: '1.0.0',
    priority,
    schema: { fields: {} },
    access(ctx) {
      const { consumer, credential, groups } = ctx.client;
      const names = ['x-consumer-username', 'apikey', 'x-added', 'x-old', 'x-anonymous-consumer'];
      const seen = names.map((field) => ctx.request.header(field));
      const who = [consumer?.username ?? '', credential ? 'known' : '', groups.length];
      const found = Buffer.from(JSON.stringify([who, seen])).toString('latin1');
      ctx.service.request.setHeader(`X-${name}`, encodeURIComponent(found));
      ctx.response.addHeader('X-Looked', name);
      if (ctx.request.header('x-refuse') === name) ctx.response.exit(403, 'refused');
      if (ctx.request.header('x-fail') === name) throw new Error('failed');
      return promise ? Promise.resolve() : undefined;
    },
  });
const lookers = [looker('late', 1, false), looker('middle', 930, false), looker('slow', 3, true)];

const refusals = lookers.flatMap(({ name }) =>
  ['x-refuse', 'x-fail'].map((field) => ({ headers: ['apikey', 'open', field, name] })),
);

const everything = [
  keyAuth({ anonymous: 'jo', hide_credentials: true }),
  { name: 'ip-restriction', config: { allow: ['127.0.0.1'] } },
  { name: 'rate-limiting', config: { policy: 'local', minute: 1000, limit_by: 'credential' } },
];

test.each<[string, readonly object[]]>([
  ['plugins before one of the shell', [...everything, transformer, { name: 'late' }]],
  ['plugins before a promise', [...everything, { name: 'slow' }, { name: 'late' }]],
  ['some of the plugins', [...everything, { name: 'middle' }]],
  [
    'plugins before filters of the answer',
    [
      ...everything,
      { name: 'response-transformer', config: { add: { headers: ['X-R:1'], json: ['a:b'] } } },
    ],
  ],
  [
    'a key, before groups are asked for',
    [keyAuth(), { name: 'acl', config: { deny: ['x'] } }, limited(), { name: 'late' }],
  ],
])('%s', { timeout: 60_000 }, async (_what, plugins) => {
  const { both } = await pair(plugins, lookers);
  for (const request of [...mixed, ...refusals]) {
    const [compiled, shell] = await both(request);
    expect(compiled, JSON.stringify(request)).toEqual(shell);
  }
});

test('log plugins learn who the client is', async () => {
  const names: unknown[] = [];
  const logged = definePlugin({
    name: 'kept',
    version: '1.0.0',
    priority: 5,
    schema: { fields: {} },
    access() {},
    log: (entry) => void names.push((entry.consumer as { username?: string })?.username),
  });
  const { both } = await pair([keyAuth(), { name: 'kept' }], [logged]);
  await both({ headers: ['apikey', 'open'] });
  await until(() => names.length === 2);
  expect(names).toEqual(['jo', 'jo']);
});
