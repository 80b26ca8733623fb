import { describe, expect, test } from 'vitest';
import { didYouMean, editDistance, nearest } from '../../../src/config/nearest.js';
import type { Faults, FieldSchema, RecordSchema } from '../../../src/config/schema/field.js';
import { type Format, formats } from '../../../src/config/schema/formats.js';
import { validateRecord } from '../../../src/config/schema/validate.js';
import { patternProblem } from '../../../src/core/regex/compile.js';

const check = (schema: RecordSchema, value: unknown) =>
  validateRecord(schema, value).errors.map(({ path, message }) => `${path.join('.')}: ${message}`);

const one = (field: FieldSchema, value: unknown) =>
  check({ fields: { x: field } }, { x: value }).map((text) => text.replace('x: ', ''));

describe('fields', () => {
  test.each<[FieldSchema, unknown, readonly string[]]>([
    [{ type: 'string' }, '', ['length must be at least 1']],
    [{ type: 'string', len_min: 0 }, '', []],
    [{ type: 'string', len_max: 2 }, 'é1', ['length must be at most 2']],
    [{ type: 'string', not_one_of: ['a'] }, 'a', ['must not be one of: a']],
    [{ type: 'string', starts_with: 'a' }, 'b', ['should start with: a']],
    [{ type: 'string', match: 'a|b' }, 'ab', ['invalid value: ab']],
    [{ type: 'string', encrypted: true, match: 'a' }, 'ab', ['invalid value']],
    [{ type: 'string', encrypted: true, format: 'url' }, 'ab', ['missing scheme in url']],
    [{ type: 'string', encrypted: true, format: 'host' }, 'a b', ['invalid value']],
    [{ type: 'string', check: () => 'no' }, 'a', ['no']],
    [{ type: 'string', encrypted: true, check: () => 'no' }, 'a', ['invalid value']],
    [{ type: 'string', required: true }, null, ['required field missing']],
    [{ type: 'string', required: true }, undefined, ['required field missing']],
    [{ type: 'string', required: true, default: 'a' }, null, ['required field missing']],
    [{ type: 'string', required: true, default: 'a', null_is_default: true }, null, []],
    [{ type: 'number', gt: 0 }, 0, ['value must be greater than 0']],
    [{ type: 'number' }, '1', ['expected a number']],
    [{ type: 'integer', one_of: [1, -1] }, 2, ['expected one of: 1, -1']],
    [{ type: 'integer' }, 1.5, ['expected an integer']],
    [{ type: 'boolean' }, 1, ['expected a boolean']],
    [{ type: 'array', elements: { type: 'string' } }, {}, ['expected an array']],
    [{ type: 'set', elements: { type: 'string' } }, 'a', ['expected a set']],
    [{ type: 'array', elements: { type: 'string' } }, [null], ['0: required field missing']],
    [{ type: 'array', elements: { type: 'any' }, len_min: 1 }, [], ['length must be at least 1']],
    [
      { type: 'array', elements: { type: 'any' }, len_max: 1 },
      [1, 2],
      ['length must be at most 1'],
    ],
    [{ type: 'map', keys: { type: 'string' }, values: { type: 'any' } }, [], ['expected a map']],
    [{ type: 'record', fields: {} }, [], ['expected a record']],
    [{ type: 'record', fields: {} }, null, ['required field missing']],
    [{ type: 'record', fields: {}, required: false }, null, []],
    [{ type: 'foreign', reference: 'x' }, 1, ['expected a string']],
  ])('%j given %j', (field, value, expected) => {
    expect(one(field, value).map((text) => text.replace(/^x\./, ''))).toEqual(expected);
  });

  test('defaults fill records at every depth and are copies', () => {
    const schema: RecordSchema = {
      fields: {
        list: { type: 'array', elements: { type: 'string' }, default: ['a'] },
        deep: {
          type: 'record',
          default: { b: 5 },
          fields: { a: { type: 'integer', default: 1 }, b: { type: 'integer', default: 2 } },
        },
        none: { type: 'record', required: false, fields: {} },
      },
    };
    const first = validateRecord(schema, {}).value;
    expect(first).toEqual({ list: ['a'], deep: { a: 1, b: 5 }, none: null });
    (first.list as string[]).push('b');
    expect(validateRecord(schema, {}).value.list).toEqual(['a']);
    expect(validateRecord(schema, { deep: { a: 3 } }).value.deep).toEqual({ a: 3, b: 2 });
  });

  test('inherited names are unknown fields', () => {
    expect(check({ fields: {} }, { constructor: 1 })).toEqual(['constructor: unknown field']);
  });
});

describe('checks between fields', () => {
  const text: FieldSchema = { type: 'string' };
  const fields = { a: text, b: text, n: { type: 'number' } as const };
  test.each<[RecordSchema['entity_checks'], object, readonly string[]]>([
    [
      [{ at_least_one_of: ['a', 'b'] }],
      {},
      [": at least one of these fields must be non-empty: 'a', 'b'"],
    ],
    [
      [{ only_one_of: ['a', 'b'] }],
      { a: 'x', b: 'y' },
      [": exactly one of these fields must be non-empty: 'a', 'b'"],
    ],
    [
      [{ mutually_exclusive: ['a', 'b'] }],
      { a: 'x', b: 'y' },
      [": only one or none of these fields must be set: 'a', 'b'"],
    ],
    [
      [{ mutually_required: ['a', 'b'] }],
      { a: 'x' },
      [": all or none of these fields must be set: 'a', 'b'"],
    ],
    [
      [{ distinct: ['a', 'b'] }],
      { a: 'x', b: 'x' },
      [": values of these fields must be distinct: 'a', 'b'"],
    ],
    [[{ distinct: ['a', 'b'] }], {}, []],
    [
      [
        {
          conditional: {
            if_field: 'n',
            if_match: { gt: 0 },
            then_field: 'a',
            then_match: { required: true },
          },
        },
      ],
      { n: 1 },
      ['a: required field missing', ": failed conditional validation given value of field 'n'"],
    ],
    [
      [
        {
          conditional: {
            if_field: 'n',
            if_match: { gt: 0 },
            then_field: 'a',
            then_match: { required: true },
          },
        },
      ],
      { n: 0 },
      [],
    ],
    [[{ at_least_one_of: ['a'] }], { a: 1 }, ['a: expected a string']],
  ])('%j', (entity_checks, value, expected) => {
    expect(check({ fields, entity_checks }, value)).toEqual(expected);
  });

  test('the own function of a schema runs on sound records only', () => {
    const schema: RecordSchema = {
      fields,
      check: ({ a }): Faults => (a === 'x' ? { b: 'no' } : {}),
    };
    expect(check(schema, { a: 'x' })).toEqual(['b: no']);
    expect(check(schema, { a: 'x', n: 'y' })).toEqual(['n: expected a number']);
  });
});

describe('formats', () => {
  const good: Record<Format, readonly string[]> = {
    url: ['http://h', 'https://u:p@h:1/x?y', 'HTTP://[::1]:80/'],
    header_name: ['X-a_1'],
    host: ['a', 'a.test', 'a_b.test.', '10.0.0.1', '::1', '[::1]', '1a', 'xn--a'],
    host_with_optional_port: ['a:80', '10.0.0.1:1', '[::1]:443', '::1'],
    host_pattern: ['*.a.test', 'a.*', '*.a.test:8443', 'a.test:80'],
    sni: ['a.test', '*.a.test', 'a.*'],
    path: ['/', '/a%20b', "/a-._~!$&'()*+,;=:@"],
    router_path: [
      '/',
      '/a b',
      '/ø',
      '/a%2Fb',
      '~/a|b$',
      '~/(?<id>\\d+)',
      '~/(?i)x',
      '~/[[:alpha:]]',
    ],
    uuid: ['0dc6f45b-8f8d-40d2-a504-473544ee190b'],
    name: ['a', 'a.b-c_d~1', 'é', '😀'],
    tag: ['a b', 'é'],
    ip_or_cidr: ['10.0.0.0/8', '::/0', '1.2.3.4'],
  };
  const bad: Record<Format, readonly string[]> = {
    url: ['h', '//h', 'http://', 'http://:80', 'http://h:x'],
    header_name: ['a b', 'ä', ''],
    host: ['a:80', '-a', 'a..b', '[a]', '1.2.3.400', 'a b', 'a/b'],
    host_with_optional_port: ['a:', 'a:99999', 'a:b'],
    host_pattern: ['*', '*a.test', 'a.*.test', '*.*', 'a.*:80'],
    sni: ['1.2.3.4', 'a:80', '::1', '*'],
    path: ['a', '//', '/ü', '/%g0', '/%'],
    router_path: [
      'a',
      '/a/../b',
      '/%41',
      '/%2f',
      '~a',
      '~/(a',
      '~/(?>a)',
      '~/(a)\\1',
      '~/a(?>b)',
      '/a%FF',
      '/%C0%AF',
    ],
    uuid: ['0DC6F45B-8F8D-40D2-A504-473544EE190B', 'x'],
    name: ['a b', 'a/b', ''],
    tag: ['a,b', 'a/b', '\n'],
    ip_or_cidr: ['10.0.0.0/33', 'a', '10.0.0.0/', '::/129'],
  };
  test.each(Object.keys(formats) as Format[])('%s', (name) => {
    for (const value of good[name])
      expect([value, formats[name](value)]).toEqual([value, undefined]);
    for (const value of bad[name]) expect([value, formats[name](value)]).not.toContain(undefined);
  });

  test('regular expressions of both dialects', () => {
    for (const source of ['a{2}', '\\Aa\\z', '(?P<n>a)', '(?s-i:a)', '\\p{L}', '[^/]+?']) {
      expect([source, patternProblem(source)]).toEqual([source, undefined]);
    }
    for (const source of ['(?<=a)b', '(?!a)', '[a', 'a)', '*', '\\k<n>', 'a{,2}', '\\1']) {
      expect([source, patternProblem(source)]).not.toContain(undefined);
    }
  });
});

describe('nearest names', () => {
  const names = ['paths', 'hosts', 'protocols', 'strip_path'];
  test.each([
    ['pahts', 'paths'],
    ['path', 'paths'],
    ['Hosts', 'hosts'],
    ['stripPath', 'strip_path'],
    ['strip-path', 'strip_path'],
    ['protocol', 'protocols'],
    ['zzz', undefined],
  ])('%s: %s', (name, expected) => {
    expect(nearest(name, names)).toBe(expected);
  });

  test('hints and distances', () => {
    expect(didYouMean('hots', names)).toBe("did you mean 'hosts'?");
    expect(didYouMean('zzz', names)).toBe(undefined);
    expect(editDistance('ab', 'ba')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });
});
