import { describe, expect, test } from 'vitest';
import { describePlugin } from '../../../src/config/schema/describe.js';
import type { EntityCheck } from '../../../src/config/schema/entity-check.js';
import type {
  Faults,
  FieldSchema,
  Fields,
  RecordSchema,
} from '../../../src/config/schema/field.js';
import { withSecrets } from '../../../src/config/schema/references.js';
import { deprecations } from '../../../src/config/schema/shorthand.js';
import { validateRecord } from '../../../src/config/schema/validate.js';
import { resolveReference } from '../../../src/config/vault.js';
import { schemaViolation } from '../../../src/config/violation.js';
import { load } from './harness.js';

/** Messages by path for a value of one field. */
function faults(field: FieldSchema, value: unknown): string[] {
  const { errors } = validateRecord({ fields: { a: field } }, { a: value });
  return errors.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const text = { type: 'string' } as const;
const list = { type: 'array', elements: text } as const;

describe('attributes of fields', () => {
  test.each<[string, FieldSchema, unknown, string]>([
    ['eq', { ...text, eq: 'x' }, 'y', 'value must be x'],
    ['eq null', { ...text, eq: null }, 'y', 'value must be null'],
    ['eq of a foreign field', { type: 'foreign', reference: 'r', eq: null }, 'y', 'must be null'],
    ['ne', { type: 'integer', ne: 3 }, 3, 'value must not be 3'],
    ['not_one_of', { type: 'integer', not_one_of: [1, 2] }, 2, 'must not be one of: 1, 2'],
    ['gt', { type: 'number', gt: 0 }, 0, 'value must be greater than 0'],
    ['timestamp', { type: 'integer', timestamp: true }, 0, 'expected a valid timestamp'],
    ['uuid', { ...text, uuid: true }, 'x', 'expected a valid UUID'],
    ['is_regex', { ...text, is_regex: true }, '(', 'not a valid regex: ('],
    ['between', { type: 'number', between: [1, 2] }, 3, 'value should be between 1 and 2'],
    ['len_eq', { ...text, len_eq: 2 }, 'abc', 'length must be 2'],
    ['len_min', text, '', 'length must be at least 1'],
    ['len_max of a list', { ...list, len_max: 1 }, ['a', 'b'], 'length must be at most 1'],
    ['starts_with', { ...text, starts_with: '/' }, 'a', 'should start with: /'],
    ['not_match', { ...text, not_match: 'b' }, 'abc', 'invalid value: abc'],
    ['match_none', { ...text, match_none: [{ pattern: 'b', err: 'no b' }] }, 'abc', 'no b'],
    ['match_all', { ...text, match_all: [{ pattern: '^b', err: 'b first' }] }, 'abc', 'b first'],
    ['match_any', { ...text, match_any: { patterns: ['x', 'y'], err: 'x or y' } }, 'a', 'x or y'],
    ['contains', { ...list, contains: 'x' }, ['a'], 'expected to contain: x'],
    ['err', { ...text, one_of: ['a'], err: 'only a' }, 'b', 'only a'],
    ['an own check of a list', { ...list, check: () => 'never' }, ['a'], 'never'],
    [
      'mutually_exclusive_subsets',
      { ...list, mutually_exclusive_subsets: [['a'], ['b', 'c']] },
      ['a', 'b'],
      "these sets are mutually exclusive: ('a'), ('b', 'c')",
    ],
  ])('%s', (_, field, value, message) => {
    expect(faults(field, value).join()).toContain(message);
  });

  test('auto gives a random text, once per entity', () => {
    const schema: RecordSchema = { fields: { key: { ...text, auto: true } } };
    const keys = [1, 2].map(() => validateRecord(schema, {}).value.key);
    expect(keys[0]).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(keys[0]).not.toBe(keys[1]);
  });
});

describe('entity checks', () => {
  const fields: Fields = { a: text, b: text, c: list, n: { type: 'integer' } };
  const check = (rule: EntityCheck, value: object) =>
    validateRecord({ fields, entity_checks: [rule] }, value).errors.map(({ message }) => message);

  test.each<[string, EntityCheck, object, string[]]>([
    ['only_one_of', { only_one_of: ['a', 'b'] }, {}, ['exactly one of these fields must be']],
    [
      'mutually_exclusive_sets',
      { mutually_exclusive_sets: { set1: ['a'], set2: ['b', 'n'] } },
      { a: 'x', n: 1 },
      ["these sets are mutually exclusive: ('a'), ('b', 'n')"],
    ],
    [
      'conditional with its own text',
      {
        conditional: {
          if_field: 'n',
          if_match: { gt: 0 },
          then_field: 'c',
          then_match: { contains: 'exp' },
          then_err: 'exp is needed',
        },
      },
      { n: 1, c: ['nbf'] },
      ['expected to contain: exp', 'exp is needed'],
    ],
    [
      'conditional_at_least_one_of',
      {
        conditional_at_least_one_of: {
          if_field: 'a',
          if_match: { one_of: ['x'] },
          then_at_least_one_of: ['b', 'n'],
          then_err: 'must set b or n if a is %s',
        },
      },
      { a: 'x' },
      ['must set b or n if a is x'],
    ],
    [
      'its other half',
      {
        conditional_at_least_one_of: {
          if_field: 'a',
          if_match: { eq: 'x' },
          then_at_least_one_of: ['b'],
          else_match: { eq: 'y' },
          else_then_at_least_one_of: ['n'],
        },
      },
      { a: 'y' },
      ["at least one of these fields must be non-empty: 'n'"],
    ],
    [
      'custom_entity_check',
      {
        custom_entity_check: {
          field_sources: ['a', 'b'],
          fn: ({ a, b }): Faults => (a === b ? { b: 'same as a' } : {}),
        },
      },
      { a: 'x', b: 'x' },
      ['same as a'],
    ],
  ])('%s', (_, rule, value, messages) => {
    const found = check(rule, value);
    expect(found).toHaveLength(messages.length);
    for (const [index, message] of messages.entries()) expect(found[index]).toContain(message);
  });

  test('a custom check waits for its fields unless it says otherwise', () => {
    const fn = () => ({ '@entity': 'ran' });
    const rule = { field_sources: ['a'], fn };
    expect(check({ custom_entity_check: rule }, {})).toEqual([]);
    expect(check({ custom_entity_check: { ...rule, run_with_missing_fields: true } }, {})).toEqual([
      'ran',
    ]);
    expect(check({ custom_entity_check: rule }, { a: 3 })).toEqual(['expected a string']);
  });
});

describe('shorthands', () => {
  const schema: RecordSchema = {
    fields: {
      redis: {
        type: 'record',
        fields: { host: text, port: { type: 'integer', default: 6379 } },
      },
    },
    shorthand_fields: {
      redis_host: {
        type: 'string',
        expand: (value) => ({ redis: { host: value } }),
        deprecation: {
          message: 'redis_host is now redis.host',
          replaced_with: [{ path: ['redis', 'host'] }],
        },
      },
    },
  };

  test('are merged into records, shown again, and warn', () => {
    const input = { redis_host: 'h', redis: { port: 1 } };
    const { value, errors } = validateRecord(schema, input);
    expect(errors).toEqual([]);
    expect(value).toEqual({ redis: { host: 'h', port: 1 }, redis_host: 'h' });
    expect(deprecations(schema, input)).toEqual(['redis_host is now redis.host']);
  });

  test('have a type, and must not contradict the new name', () => {
    const message = (input: object) => validateRecord(schema, input).errors[0]?.message;
    expect(message({ redis_host: 3 })).toBe('expected a string');
    expect(message({ redis_host: 'a', redis: { host: 'b' } })).toBe(
      'both deprecated and new field are used but their values mismatch: ' +
        'redis_host = a vs redis.host = b',
    );
    expect(message({ redis_host: 'a', redis: { host: 'a' } })).toBeUndefined();
  });
});

describe('references to secrets', () => {
  const secret = { ...text, len_max: 3, referenceable: true } as const;
  const env = { MY_SECRET: 's3', JSON_ONE: '{"a":{"b":1},"c":"d"}', SSL_X: 'y', K_PREVIOUS: 'old' };

  test.each([
    ['{vault://env/my-secret}', 's3'],
    ['{vault://env/json-one/c}', 'd'],
    ['{vault://env/json-one/a}', '{"b":1}'],
    ['{vault://env/x?prefix=ssl_}', 'y'],
    ['{vault://env/k#2}', 'old'],
    ['{vault://env/missing}', null],
    ['{vault://other/my-secret}', null],
    ['{vault://own/x}', 'y'],
  ])('%s', (reference, value) => {
    expect(resolveReference(reference, env, new Map([['own', 'ssl_']]))).toBe(value);
  });

  test('stand for values that are not looked at, in fields that allow them', () => {
    const reference = '{vault://env/my-secret}';
    expect(faults(secret, reference)).toEqual([]);
    expect(faults({ ...text, len_max: 3 }, reference)).toHaveLength(1);
    expect(faults({ type: 'array', elements: secret }, [reference])).toEqual([]);
  });

  test('are replaced wherever they stand', () => {
    const fields: Fields = {
      a: secret,
      list: { type: 'array', elements: secret },
      map: { type: 'map', keys: text, values: secret },
      record: { type: 'record', fields: { b: secret } },
      plain: text,
    };
    const reference = '{vault://env/my-secret}';
    const value = {
      a: reference,
      list: ['x', reference],
      map: { k: reference },
      record: { b: reference },
      plain: reference,
    };
    expect(withSecrets(fields, value, () => 's3')).toEqual({
      a: 's3',
      list: ['x', 's3'],
      map: { k: 's3' },
      record: { b: 's3' },
      plain: reference,
    });
    const untouched = { a: 'x', list: ['y'], map: {}, record: { b: null }, plain: 'z' };
    expect(withSecrets(fields, untouched, () => 's3')).toBe(untouched);
  });

  test('the gateway runs with the secret and shows the reference', () => {
    const schema = { fields: { token: secret } };
    const document = {
      _format_version: '3.0',
      vaults: [{ prefix: 'mine', name: 'env', config: { prefix: 'my-' } }],
      plugins: [{ name: 'p', config: { token: '{vault://mine/secret}' } }],
    };
    const snapshot = load(JSON.stringify(document), {
      pluginSchemas: new Map([['p', { schema }]]),
      vaultEnv: env,
    });
    expect(snapshot.plugins[0].config).toEqual({ token: 's3' });
    expect(Object.values(snapshot.entities.plugins)).toMatchObject([
      { config: { token: '{vault://mine/secret}' } },
    ]);
  });
});

describe('what Kong shows', () => {
  test('a schema as lists of one-key objects, without functions', () => {
    const described = describePlugin({
      scopes: ['service', 'route', 'global'],
      fields: { key: { ...text, format: 'header_name', check: () => undefined }, on: list },
      entity_checks: [{ at_least_one_of: ['key', 'on'] }],
    });
    expect(described).toMatchObject({
      fields: [
        { consumer: { type: 'foreign', reference: 'consumers', eq: null } },
        { protocols: { type: 'set' } },
        {
          config: {
            type: 'record',
            required: true,
            fields: [{ key: { type: 'string' } }, { on: { type: 'array', elements: text } }],
            entity_checks: [{ at_least_one_of: ['key', 'on'] }],
          },
        },
      ],
      entity_checks: [],
    });
    expect(JSON.stringify(described)).not.toContain('format');
  });

  test('violations as a tree and as one line', () => {
    const at = 'value' as const;
    const errors = [
      { path: ['config', 'minute'], message: 'expected a number', at },
      { path: ['tags', 1], message: 'bad', at },
      { path: [], message: 'whole', at: 'entity' as const },
      { path: ['name'], message: 'required field missing', at },
    ];
    const violation = schemaViolation(errors);
    expect(violation.message).toBe(
      '4 schema violations (whole; config.minute: expected a number; ' +
        'name: required field missing; tags.2: bad)',
    );
    expect(JSON.parse(JSON.stringify(violation.fields))).toEqual({
      '@entity': ['whole'],
      config: { minute: 'expected a number' },
      name: 'required field missing',
      tags: [null, 'bad'],
    });
    expect(schemaViolation(errors.slice(0, 1)).message).toBe(
      'schema violation (config.minute: expected a number)',
    );
  });
});
