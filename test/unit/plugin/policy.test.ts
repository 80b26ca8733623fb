/** Which plugins become policies of the core, and what a damaged policy leads to. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileTable } from '../../../src/compile-table.js';
import { resolveSettings } from '../../../src/config/settings.js';
import { parseSteps } from '../../../src/config-source.js';
import { createCore } from '../../../src/core/instance.js';
import { KeyTable, Policy, RouteRecord, TableHeader } from '../../../src/core/layout.js';
import { installTable } from '../../../src/core/router.js';
import { createLogger } from '../../../src/observe/logger.js';
import { MetricSeries } from '../../../src/observe/metrics.js';
import { type AnyPlugin, definePlugin } from '../../../src/plugin/define.js';
import { bundledPlugins } from '../../../src/plugin/registry.js';
import { runSteps } from '../../../src/slices.js';

const schema = { fields: {} };
const user = definePlugin({
  name: 'user',
  version: '1.0.0',
  priority: 5,
  schema,
  access() {},
});
const logs = definePlugin({ name: 'logs', version: '1.0.0', priority: 5, schema, log() {} });
const plugins = new Map<string, AnyPlugin>(
  [...bundledPlugins, user, logs].map((plugin) => [plugin.name, plugin as AnyPlugin]),
);

/** The encoded table of one route with these plugins. */
function encode(given: readonly object[], more: object = {}, compiled = 'on'): Uint8Array {
  const settings = resolveSettings({ env: {}, options: { compiled_plugins: compiled } });
  const text = JSON.stringify({
    _format_version: '3.0',
    services: [{ name: 's', url: 'http://127.0.0.1:1', routes: [{ name: 'r', paths: ['/'] }] }],
    consumers: [
      { username: 'jo', keyauth_credentials: [{ key: 'a' }, { key: 'b' }] },
      { username: 'za\u017c', keyauth_credentials: [{ key: 'c' }] },
      { username: 'ed', keyauth_credentials: [{ key: 'd', ttl: 60 }, { key: '\u017c' }] },
    ],
    plugins: given,
    ...more,
  });
  const source = { text, interpolate: false };
  const context = { plugins, settings, env: {}, nowMs: 0 };
  const { snapshot } = runSteps(parseSteps(source, context));
  const { encoded } = runSteps(
    compileTable(snapshot, {
      settings,
      plugins,
      logger: createLogger({ level: 'silent' }),
      tls: { listeners: [] } as never,
      series: new MetricSeries(),
      hold: () => () => ({ target: 0, view: null }),
    }),
  );
  return encoded.bytes;
}

const wordsOf = (bytes: Uint8Array) =>
  new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);

/** Number of the policy of the route. */
function policyOf(...given: Parameters<typeof encode>): number {
  const words = wordsOf(encode(...given));
  return words[(words[TableHeader.routes >> 2] + RouteRecord.policy) >> 2];
}

/** Access steps that the policy of the route stands for; 0: all, or there is none. */
function beginningOf(...given: Parameters<typeof encode>): number {
  const words = wordsOf(encode(...given));
  const number = words[(words[TableHeader.routes >> 2] + RouteRecord.policy) >> 2];
  if (number === 0) return 0;
  const policy = words[TableHeader.policies >> 2] + (number - 1) * Policy.size;
  return words[(policy + Policy.accessSteps) >> 2];
}

const plugin = (name: string, config: object = {}) => ({ name, config });
const limited = (config: object) => plugin('rate-limiting', { minute: 5, ...config });

describe('a policy', () => {
  test.each<[string, object]>([
    ['keys', plugin('key-auth')],
    ['limits', limited({ second: 1 })],
    ['limits by header', limited({ limit_by: 'header', header_name: 'x-a' })],
    ['origins', plugin('cors')],
    ['addresses', plugin('ip-restriction', { deny: ['10.0.0.0/8', '2001:db8::1'] })],
    ['ids', plugin('correlation-id')],
    ['a trigger', plugin('request-termination', { trigger: 'x-a' })],
    ['constant headers', plugin('request-transformer', { add: { headers: ['x-a:b'] } })],
  ])('is made of %s', (_what, given) => {
    expect(policyOf([given])).toBe(1);
    expect(policyOf([given, plugin('logs')])).toBe(1);
    expect(policyOf([given], {}, 'off')).toBe(0);
  });

  test.each<[string, readonly object[], number]>([
    ['keys', [plugin('key-auth')], 1],
    ['limits', [limited({})], 1],
    ['keys and limits', [plugin('key-auth'), limited({})], 2],
    ['addresses', [plugin('ip-restriction', { deny: ['10.0.0.0/8'] })], 1],
    ['nothing where an answer is looked at', [plugin('cors')], 0],
    ['what comes before that', [plugin('correlation-id'), plugin('key-auth')], 0],
    ['nothing where the others come first', [plugin('request-termination', { trigger: 'a' })], 0],
    ['what comes before others', [limited({}), plugin('bot-detection')], 0],
    [
      'nothing that reads what was set',
      [plugin('key-auth'), limited({ limit_by: 'header', header_name: 'x-consumer-id' })],
      1,
    ],
  ])('may be a beginning: of %s', (_what, given, count) => {
    expect(beginningOf([...given, plugin('user')])).toBe(count);
  });

  test('is whole where nothing is left for the shell', () => {
    expect(beginningOf([plugin('key-auth'), plugin('logs')])).toBe(0);
  });

  test('is a beginning where answers are looked at', () => {
    const looks = plugin('response-transformer', { add: { headers: ['a:b'] } });
    expect(beginningOf([plugin('key-auth'), looks])).toBe(1);
  });

  test.each<[string, object]>([
    ['nothing', plugin('logs')],
    ['keys in bodies', plugin('key-auth', { key_in_body: true })],
    ['sliding windows', limited({ window_type: 'sliding' })],
    ['fractions', limited({ second: 0.5 })],
    ['limits beyond whole numbers', limited({ minute: 1e12 })],
    ['patterns of origins', plugin('cors', { origins: ['.*a', 'b'] })],
    ['origins that are sent back', plugin('cors', { credentials: true })],
    ['ids that tell of this process', plugin('correlation-id', { generator: 'tracker' })],
    ['an answer to everybody', plugin('request-termination')],
    ['templates', plugin('request-transformer', { add: { headers: ['x-a:$(headers.b)'] } })],
    ['queries', plugin('request-transformer', { add: { querystring: ['a:b'] } })],
    ['a new path', plugin('request-transformer', { replace: { uri: '/x' } })],
    ['other plugins', plugin('bot-detection')],
  ])('is not made of %s', (_what, given) => {
    expect(policyOf([given])).toBe(0);
  });

  test('is not made where a client may bring in configurations of its own', () => {
    const own = { ...limited({}), consumer: { username: 'jo' } };
    expect(policyOf([plugin('key-auth'), limited({}), own])).toBe(0);
  });

  test('is not made where a plugin has a condition', () => {
    const some = { ...plugin('key-auth'), condition: 'http.method == "GET"' };
    expect(policyOf([some])).toBe(0);
  });

  test('is not made where one plugin reads what another has set', () => {
    const byUser = limited({ limit_by: 'header', header_name: 'x_consumer_username' });
    expect(policyOf([byUser])).toBe(1);
    expect(beginningOf([plugin('key-auth'), byUser])).toBe(1);
    const added = plugin('request-transformer', { add: { headers: ['X-Stop:1'] } });
    const stop = plugin('request-termination', { trigger: 'x-stop' });
    expect(beginningOf([added, stop])).toBe(1);
    expect(policyOf([added, plugin('request-termination', { trigger: 'x-go' })])).toBe(1);
  });

  test('knows the keys that last and whose owners can be told to the upstream', () => {
    const words = wordsOf(encode([plugin('key-auth')]));
    const keys = words[TableHeader.keys >> 2];
    expect(words[(keys + KeyTable.credentialCount) >> 2]).toBe(2);
    expect(words[(keys + KeyTable.longestKey) >> 2]).toBe(1);
  });

  test('that is damaged is refused, or leads nowhere outside of its table', () => {
    const core = createCore({ seed: [1, 2] });
    const intact = encode([
      plugin('key-auth'),
      limited({ second: 1 }),
      plugin('cors'),
      plugin('ip-restriction', { deny: ['10.0.0.0/8'] }),
      plugin('request-termination', { trigger: 'x-go' }),
      plugin('request-transformer', { add: { headers: ['x-a:b'] } }),
    ]);
    const first = wordsOf(intact)[TableHeader.policies >> 2] >> 2;
    const bad = fc.constantFrom(0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, intact.length);
    let refused = 0;
    fc.assert(
      fc.property(fc.integer({ min: first, max: (intact.length >> 2) - 1 }), bad, (at, value) => {
        const bytes = intact.slice();
        wordsOf(bytes)[at] = value;
        try {
          installTable(core, { bytes });
        } catch (error) {
          expect(error).toMatchObject({ code: 'GW_E_CONFIG_INVALID' });
          refused++;
        }
      }),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(50);
  });
});
