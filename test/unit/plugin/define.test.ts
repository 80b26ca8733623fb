import { describe, expect, expectTypeOf, test } from 'vitest';
import { definePlugin } from '../../../src/plugin/define.js';
import type { Infer } from '../../../src/plugin/schema.js';

const good = { name: 'some-plugin', version: '1.2.3', priority: 10, schema: { fields: {} } };

describe('definePlugin', () => {
  test('returns a frozen definition', () => {
    const plugin = definePlugin({ ...good, access() {} });
    expect(plugin.name).toBe('some-plugin');
    expect(Object.isFrozen(plugin)).toBe(true);
  });

  test.each([
    ['a name with capitals', { name: 'Some' }, 'name must be'],
    ['an empty name', { name: '' }, 'name must be'],
    ['a version of two parts', { version: '1.2' }, 'version must be x.y.z'],
    ['a fraction as priority', { priority: 1.5 }, 'priority must be an integer'],
    ['an infinite priority', { priority: Number.POSITIVE_INFINITY }, 'priority must be'],
    ['no schema', { schema: undefined }, 'schema must be'],
    ['a field without type', { schema: { fields: { a: {} } } }, 'schema must be'],
    ['a phase that is no function', { access: true }, 'access must be a function'],
    ['a sink without send', { logSink: { queue() {} } }, 'logSink must have'],
    [
      'log beside logSink',
      { log() {}, logSink: { queue() {}, send() {} } },
      'log and logSink exclude',
    ],
  ])('refuses %s', (_, change, reason) => {
    const make = () => definePlugin({ ...good, ...change } as unknown as typeof good);
    expect(make).toThrow(expect.objectContaining({ code: 'GW_E_PLUGIN_DEFINITION' }));
    expect(make).toThrow(reason);
  });

  test('refuses what is no object and says so', () => {
    expect(() => definePlugin(null as never)).toThrow('expected an object from definePlugin()');
  });

  test('the config has the type that the schema describes', () => {
    const fields = {
      text: { type: 'string', required: true },
      choice: { type: 'string', one_of: ['a', 'b'], default: 'a' },
      count: { type: 'integer', default: 1 },
      maybe: { type: 'number' },
      names: { type: 'array', elements: { type: 'string' }, required: true },
      map: { type: 'map', keys: { type: 'string' }, values: { type: 'integer' } },
      nested: {
        type: 'record',
        required: true,
        fields: { on: { type: 'boolean', default: true } },
      },
    } as const;
    expectTypeOf<Infer<typeof fields>>().toEqualTypeOf<{
      readonly text: string;
      readonly choice: 'a' | 'b';
      readonly count: number;
      readonly maybe: number | null;
      readonly names: readonly string[];
      readonly map: { readonly [key: string]: number } | null;
      readonly nested: { readonly on: boolean };
    }>();
    definePlugin({
      ...good,
      schema: { fields },
      access(ctx) {
        expectTypeOf(ctx.config.choice).toEqualTypeOf<'a' | 'b'>();
      },
    });
  });
});
