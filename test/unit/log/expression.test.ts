import { describe, expect, test } from 'vitest';
import { validateRecord } from '../../../src/config/schema/validate.js';
import { customFields, recordText, withCustomFields } from '../../../src/log/custom-fields.js';
import { compileExpression } from '../../../src/log/expression/parser.js';

const record = {
  request: {
    uri: '/a/b?c=d',
    method: 'GET',
    headers: { host: 'h', 'user-agent': 'curl/8', accept: ['a', 'b'] },
    size: 120,
  },
  latencies: { request: 25, kong: 2, proxy: -1 },
  response: { status: 404 },
  service: { name: 'shop', tags: null },
  source: 'kong',
};
const evaluate = (source: string) => compileExpression(source)(record);

describe('record expressions', () => {
  test.each<[string, unknown]>([
    ['"a"', 'a'],
    ["'it''s'".slice(0, 4), 'it'],
    ['"q\\"\\n\\\\"', 'q"\n\\'],
    ['12.5', 12.5],
    ['1e3', 1000],
    ['true', true],
    ['null', null],
    ['nil', null],
    ['request.method', 'GET'],
    ['request["method"]', 'GET'],
    ['request.headers.user-agent', 'curl/8'],
    ['request.headers["user-agent"]', 'curl/8'],
    ['request.headers.accept[1]', 'b'],
    ['request.headers.accept[7]', null],
    ['request.headers.accept.length', null],
    ['request.nothing.below', null],
    ['nothing', null],
    ['constructor', null],
    ['request.constructor', null],
    ['request["__proto__"]', null],
    ['request.size + 1', 121],
    ['request.method + " " + request.uri', 'GET /a/b?c=d'],
    ['"n" + 1 + true', 'n1true'],
    ['"a" + request', null],
    ['1 - 2 - 3', -4],
    ['2 + 3 * 4', 14],
    ['(2 + 3) * 4', 20],
    ['7 % 4', 3],
    ['1 / 0', null],
    ['-latencies.kong', -2],
    ['--1', 1],
    ['!nothing', true],
    ['!0', false],
    ['response.status >= 400', true],
    ['"a" < "b"', true],
    ['"a" < 1', null],
    ['source == "kong" && response.status != 200', true],
    ['false || null', false],
    ['service.tags ?? "none"', 'none'],
    ['nothing ?? nothing ?? 3', 3],
    ['response.status > 499 ? "bad" : response.status > 399 ? "poor" : "good"', 'poor'],
    ['0 ? "zero is true" : "no"', 'zero is true'],
    ['upper(request.method + "x")', 'GETX'],
    ['lower("ÀB")', 'àb'],
    ['trim("  x ")', 'x'],
    ['lower(1)', null],
    ['contains(request.uri, "/b")', true],
    ['contains(request.headers.accept, "a")', true],
    ['contains(1, "a")', null],
    ['starts_with(request.uri, "/a") && ends_with(request.uri, "d")', true],
    ['replace(request.uri, "/", "-")', '-a-b?c=d'],
    ['replace("a", "", "b")', 'a'],
    ['split("a,b,c", ",")', ['a', 'b', 'c']],
    ['split("a,b", ",")[1]', 'b'],
    ['join(request.headers.accept, "+")', 'a+b'],
    ['substring("abcdef", 1, 3)', 'bc'],
    ['substring("abcdef", -2)', 'ef'],
    ['length(request.headers.accept) + length("abc")', 5],
    ['string(12) + string(true)', '12true'],
    ['number("12.5") + 1', 13.5],
    ['number("x")', null],
    ['round(2.5)', 3],
    ['request.headers', record.request.headers],
  ])('%s', (source, value) => {
    expect(evaluate(source)).toEqual(value);
  });

  test.each([
    ['', 'expected a value, got the end at column 1'],
    ['a b', "unexpected 'b' at column 3"],
    ['a +', 'expected a value, got the end at column 4'],
    ['a.', 'expected a name, got the end at column 3'],
    ['a.1', "expected a name, got '1' at column 3"],
    ['(a', "expected ')', got the end at column 3"],
    ['a ? b', "expected ':', got the end at column 6"],
    ['a[1', "expected ']', got the end at column 4"],
    ['"open', 'the string has no end at column 1'],
    ['a # b', 'unexpected character "#" at column 3'],
    ['a = b', 'unexpected character "=" at column 3'],
    ['lower()', 'lower takes 1 arguments, got 0 at column 1'],
    ['substring("a")', 'substring takes 2 to 3 arguments, got 1 at column 1'],
    ['lower("a" "b")', "expected ',', got 'b' at column 11"],
    ['toString()', /^there is no function toString; known are lower, .* at column 1$/],
    [`${'('.repeat(40)}1${')'.repeat(40)}`, 'the expression is nested too deeply at column 33'],
    [`"${'x'.repeat(2048)}"`, 'the expression is longer than 2048 bytes at column 1'],
  ])('%s is refused', (source, message) => {
    expect(() => compileExpression(source)).toThrow(message);
  });

  test('what an expression makes stays small, and long ones end', () => {
    const big = { a: 'x'.repeat(30_000) };
    const grow = compileExpression('replace(replace(a, "x", a), "x", a)');
    expect(grow(big)).toBeNull();
    expect(compileExpression('a + a + a')(big)).toBeNull();
    expect(compileExpression('join(split(a, "x"), a)')(big)).toBeNull();
    expect(compileExpression(Array(600).fill('1').join('+'))(record)).toBe(600);
    expect(compileExpression(`${'!'.repeat(2000)}a`)(record)).toBe(false);
  });
});

describe('custom fields', () => {
  const fields = (custom: Record<string, string>) => ({ custom_fields_by_expression: custom });

  test('set, nest and remove fields without changing what records share', () => {
    const before = JSON.stringify(record);
    const entry = withCustomFields(
      record,
      fields({
        'service.tier': '"gold"',
        'deep.er.x': '1',
        'dotted\\.name': 'source',
        'request.headers': 'null',
        source: 'null',
        'response.status.code': '1',
        __proto__x: 'true',
      }),
    );
    expect(entry).toMatchObject({
      service: { name: 'shop', tier: 'gold' },
      deep: { er: { x: 1 } },
      'dotted.name': 'kong',
      response: { status: 404 },
      __proto__x: true,
    });
    expect(Object.keys(entry)).not.toContain('source');
    expect(Object.keys(entry.request as object)).toEqual(['uri', 'method', 'size']);
    expect(JSON.stringify(record)).toBe(before);
  });

  test('a name like __proto__ is only a name', () => {
    const text = recordText(record, fields({ '__proto__.polluted': '1' }));
    expect(text).toContain('"__proto__":{"polluted":1}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  const faults = (config: object) => {
    const { errors } = validateRecord({ fields: customFields }, config);
    return errors.map(({ path, message }) => `${path.join('.')}: ${message}`);
  };

  test('errors name the field and the column', () => {
    expect(faults(fields({ x: 'a +' }))).toEqual([
      'custom_fields_by_expression.x: expected a value, got the end at column 4',
    ]);
    expect(faults(fields({ x: 'request.uri' }))).toEqual([]);
    expect(faults({ custom_fields_by_lua: null, custom_fields_by_expression: null })).toEqual([]);
    expect(faults({ custom_fields_by_lua: {} })).toEqual([]);
  });

  test.each(['return 1', 'local x = 1 return x', 'return kong.request.get_path()', '-- note'])(
    'Lua is called Lua: %s',
    (code) => {
      const text = 'Lua code cannot be run; write an expression in custom_fields_by_expression';
      expect(faults(fields({ x: code }))[0]).toContain(text);
      expect(faults({ custom_fields_by_lua: { x: code } })[0]).toContain(text);
    },
  );
});
