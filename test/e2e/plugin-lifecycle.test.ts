import { expect, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import { startGateway, until } from '../support/gateway.js';

const fields = { text: { type: 'string', required: true } } as const;

test('initWorker runs once, configure after every change; failures are logged', async () => {
  const seen: unknown[] = [];
  const good = definePlugin({
    name: 'good',
    version: '1.0.0',
    priority: 1,
    schema: { fields },
    async initWorker(ctx) {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push('init', ctx.node.id.length);
      ctx.cache.set('kept', 1);
    },
    configure(configs, ctx) {
      seen.push(configs?.map(({ text }) => text) ?? null, ctx.cache.peek('kept'));
    },
  });
  const bad = definePlugin({
    name: 'bad',
    version: '1.0.0',
    priority: 2,
    schema: { fields: {} },
    initWorker(ctx) {
      const misused = ctx as unknown as { request: { path: string } };
      seen.push(misused.request.path);
    },
    configure: () => Promise.reject(new Error('never ready')),
  });
  const config = (texts: readonly string[]) => ({
    _format_version: '3.0',
    services: texts.map((text) => ({
      name: text,
      url: 'http://127.0.0.1:1',
      plugins: [{ name: 'good', config: { text } }],
    })),
  });
  const { gateway, lines } = await startGateway({
    config: config(['a', 'b']),
    plugins: [good, bad],
  });
  await until(() => seen.length === 4);
  await gateway.reload(config([]));
  await until(() => seen.length === 6);
  expect(seen).toEqual(['init', 36, ['a', 'b'], 1, null, 1]);
  const messages = lines.filter(({ level }) => level === 'error').map(({ msg }) => msg);
  expect(messages[0]).toContain('plugin bad failed in initWorker: request: cannot be used in');
  expect(messages[1]).toBe('plugin bad failed in configure: never ready');
});
