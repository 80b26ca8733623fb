import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/index.js';
import { EntityLookup } from '../../../src/config/lookup.js';
import { createLogger } from '../../../src/observe/logger.js';
import { type AnyPlugin, definePlugin } from '../../../src/plugin/define.js';
import { buildPlans, type Plan } from '../../../src/plugin/plan.js';

const logger = createLogger({ level: 'silent', stream: { write() {} } });
const schema = { fields: { at: { type: 'string' } } } as const;

function plugin(name: string, priority: number, more: Partial<AnyPlugin> = {}): AnyPlugin {
  return definePlugin({ name, version: '1.0.0', priority, schema, access() {}, ...more });
}

const scopes = {
  r: { route: 'r' },
  s: { service: 's' },
  c: { consumer: 'jo' },
  g: { consumer_group: 'gold' },
  h: { consumer_group: 'silver' },
};

/** `rc` stands for a configuration of the plugin for that route and that consumer. */
function instance(name: string, letters: string, more: object = {}) {
  const parts = [...letters].map((letter) => scopes[letter as keyof typeof scopes]);
  return Object.assign({ name, config: { at: letters || null }, ...more }, ...parts);
}

const world = {
  _format_version: '3.0',
  services: [{ name: 's', url: 'http://127.0.0.1:1' }],
  routes: [
    { name: 'r', paths: ['/r'], service: 's' },
    { name: 'other', paths: ['/o'] },
  ],
  consumer_groups: [{ name: 'silver' }, { name: 'gold' }],
  consumers: [{ username: 'jo', groups: ['silver', 'gold'] }, { username: 'al' }],
};

function build(plugins: readonly object[], registry: readonly AnyPlugin[]) {
  const known = new Map(registry.map((one) => [one.name, one]));
  const text = JSON.stringify({ ...world, plugins });
  const result = loadConfig({ text, pluginSchemas: known });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  const { snapshot } = result;
  const lookup = new EntityLookup(snapshot);
  const table = buildPlans(snapshot, known, logger);
  const authenticate = (plan: Plan, by: string, username: string) => {
    const step = plan.access.find((one) => one.plugin.name === by);
    const consumer = lookup.consumer('username', username);
    if (!step || !consumer) throw new Error('no such step or consumer');
    return plan.forClient(step, consumer, lookup.groupsOf(consumer.id));
  };
  return { table, authenticate };
}

const auth = plugin('auth', 1000);
const one = plugin('one', 10);
const named = (plan: Plan) => plan.access.map(({ plugin: { name } }) => name);
const configOf = (plan: Plan, name: string) =>
  (plan.access.find((step) => step.plugin.name === name)?.config as { at: string | null })?.at;

const byPrecedence = ['crs', 'grs', 'cr', 'cs', 'gr', 'gs', 'rs', 'c', 'g', 'r', 's', ''];

describe('precedence', () => {
  test.each(byPrecedence.map((letters, index) => [letters || 'global', index] as const))(
    '%s wins over everything less specific',
    (_, index) => {
      const instances = byPrecedence.slice(index).map((letters) => instance('one', letters));
      const { table, authenticate } = build([{ name: 'auth' }, ...instances], [auth, one]);
      const plan = authenticate(table.plans[0], 'auth', 'jo');
      expect(configOf(plan, 'one')).toBe(byPrecedence[index] || null);
      expect(named(plan)).toContain('one');
    },
  );

  test('of several groups the first by name wins', () => {
    const instances = [instance('one', 'h'), instance('one', 'g')];
    const { table, authenticate } = build([{ name: 'auth' }, ...instances], [auth, one]);
    expect(configOf(authenticate(table.plans[0], 'auth', 'jo'), 'one')).toBe('g');
  });

  test('ignored scopes count as absent', () => {
    const blind = plugin('one', 10, { ignoredScopes: ['consumer'] });
    const instances = [instance('one', 'c'), instance('one', 'r')];
    const { table, authenticate } = build([{ name: 'auth' }, ...instances], [auth, blind]);
    expect(configOf(authenticate(table.plans[0], 'auth', 'jo'), 'one')).toBe('r');
  });
});

describe('authentication', () => {
  const early = plugin('early', 2000);

  test('changes only what runs later', () => {
    const instances = ['early', 'one'].flatMap((name) => [instance(name, ''), instance(name, 'c')]);
    const { table, authenticate } = build([{ name: 'auth' }, ...instances], [auth, early, one]);
    const plan = authenticate(table.plans[0], 'auth', 'jo');
    expect(named(plan)).toEqual(['early', 'auth', 'one']);
    expect(configOf(plan, 'early')).toBeNull();
    expect(configOf(plan, 'one')).toBe('c');
  });

  test('keeps the plan for clients without configurations, and makes each plan once', () => {
    const { table, authenticate } = build([{ name: 'auth' }, instance('one', 'c')], [auth, one]);
    const [base] = table.plans;
    expect(authenticate(base, 'auth', 'al')).toBe(base);
    const plan = authenticate(base, 'auth', 'jo');
    expect(authenticate(base, 'auth', 'jo')).toBe(plan);
    expect(named(base)).toEqual(['auth']);
    expect(named(plan)).toEqual(['auth', 'one']);
  });

  test('the plan of a route says which phases any client may need', () => {
    const filter = plugin('one', 10, { access: undefined, headerFilter() {}, log() {} });
    const { table } = build([instance('one', 'c')], [filter]);
    const [base] = table.plans;
    expect(base.headerFilter).toEqual([]);
    expect(base.phases).not.toBe(0);
    expect(base.possibleLog).toHaveLength(1);
  });
});

describe('ordering', () => {
  const order = (before: string[], after: string[] = []) => ({
    ordering: { before: { access: before }, after: { access: after } },
  });

  test('before and after move plugins within a phase, others keep their priority', () => {
    const plugins = [auth, one, plugin('two', 5), plugin('three', 1)];
    const instances = [
      { name: 'auth' },
      { name: 'one', ...order([], ['two']) },
      { name: 'two' },
      { name: 'three', ...order(['auth']) },
    ];
    const { table } = build(instances, plugins);
    expect(named(table.plans[0])).toEqual(['three', 'auth', 'two', 'one']);
  });

  test('what ran before the authentication stays, whatever its priority', () => {
    const instances = [
      { name: 'auth' },
      { name: 'one', ...order(['auth']) },
      instance('one', 'c', order(['auth'])),
    ];
    const { table, authenticate } = build(instances, [auth, one]);
    const plan = authenticate(table.plans[0], 'auth', 'jo');
    expect(named(plan)).toEqual(['one', 'auth']);
    expect(configOf(plan, 'one')).toBeNull();
  });

  test('a circle is refused', () => {
    const instances = [
      { name: 'auth', ...order([], ['one']) },
      { name: 'one', ...order([], ['auth']) },
    ];
    expect(() => build(instances, [auth, one])).toThrow('auth after one after auth');
  });

  test('phases that cannot be ordered are refused', () => {
    const instances = [{ name: 'one', ordering: { before: { certificate: ['auth'] } } }];
    expect(() => build(instances, [auth, one])).toThrow('expected one of');
  });
});
