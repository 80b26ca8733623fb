import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/document.js';
import { limits } from '../../../src/limits.js';
import { load, problemsOf, report } from './harness.js';

const head = '_format_version: "3.0"\n';
const yaml = (text: string) => parseConfig(text, { json: false });
const messages = (text: string, json = false) =>
  parseConfig(text, { json }).problems.map((p) => `${p.line}:${p.column}: ${p.message}`);

describe('YAML', () => {
  test('keys that are numbers are strings', () => {
    expect(yaml('1: a\ntrue: b\n~: c').value).toEqual({ 1: 'a', true: 'b', '~': 'c' });
  });

  test('dates and words of YAML 1.1 stay strings', () => {
    expect(yaml('a: 2020-01-01\nb: no\nc: on').value).toEqual({
      a: '2020-01-01',
      b: 'no',
      c: 'on',
    });
  });

  test('a key named __proto__ is an ordinary key', () => {
    const value = yaml('__proto__: {a: 1}').value as object;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test.each([
    ['a: 1\nb: 2\na: 3', "3:1: duplicate key 'a'"],
    ['a: *none', "1:4: unknown alias 'none'"],
    ['a: &x [*x]', '1:8: an alias to its own parent'],
    ['[a]: 1', '1:1: a key must be a string'],
    ['a: 1\n<<: x', "2:5: '<<' wants a mapping or a list of mappings"],
  ])('%j', (text, expected) => {
    expect(messages(text)).toEqual([expected]);
  });

  test.each([
    ['a: [1', '1:6:'],
    ['a: "x', '1:6:'],
    ['a: !secret x', '1:4:'],
    ['a: 1\n---\nb: 2', '2:1:'],
    ['a:\n\t- b', '2:1:'],
    ['a: b: c', '1:4:'],
  ])('no document: %j', (text, position) => {
    const problems = messages(text);
    expect(problems[0]).toMatch(new RegExp(`^${position}`));
    expect(yaml(text).problems[0].parsed).toBe(false);
  });

  test('merge keys give fields below the direct ones, with positions of the anchor', () => {
    const text = `${head}services:
- &base
  name: a
  host: h
  retries: x
- <<: *base
  name: b`;
    expect(report(text)).toEqual([
      "6:12: service 'a': retries: expected an integer",
      "6:12: service 'b': retries: expected an integer",
    ]);
    const good = load(text.replace('x', '3'));
    expect(good.services.map(({ name, retries }) => [name, retries])).toEqual([
      ['a', 3],
      ['b', 3],
    ]);
  });

  test('an alias bomb is bounded', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 10; i++) {
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    }
    expect(messages(lines.join('\n')).at(-1)).toMatch(
      /aliases that copy more than 1000000 values$/,
    );
  });

  test('nesting is bounded', () => {
    const deep = (depth: number) => `a: ${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(messages(deep(60))).toEqual([]);
    expect(messages(deep(65))).toEqual(['1:67: nested deeper than 64 levels']);
    expect(messages(deep(20000))).toEqual(['1:1: nested too deeply']);
  });

  // A stack that runs out inside the parser can end the process, which no handler would see.
  test.each([
    ['sequences', `${'- '.repeat(50_000)}a`],
    ['flow mappings', `${'{a: '.repeat(3000)}1${'}'.repeat(3000)}`],
    ['flow sequences', '['.repeat(200_000)],
    ['explicit keys', '? '.repeat(20_000)],
    ['mappings', Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['tags', `${'!a '.repeat(10_000)}b`],
    ['anchors', `${'&a '.repeat(10_000)}b`],
  ])('nesting is refused before it is followed: %s', (_, text) => {
    expect(messages(text)).toEqual(['1:1: nested too deeply']);
  });

  test('faults in a large mapping are found without looking through it for each', () => {
    const lines = Array.from({ length: 60_000 }, (_, i) => `k${i}: 1`);
    const document = yaml(lines.join('\n'));
    const found = lines.map((_, i) => document.locate([`k${i}`], 'key').line);
    expect(found).toEqual(lines.map((_, i) => i + 1));
  });

  test('a second document is refused where it begins', () => {
    expect(messages('a: 1\n---\nb: 2')).toEqual([
      '2:1: a second document begins here; expected one',
    ]);
  });

  test('a text above the limit is not read', () => {
    const text = ' '.repeat(limits.configBytes.value + 1);
    expect(messages(text)).toEqual([`1:1: larger than ${limits.configBytes.value} bytes`]);
  });

  test('a byte order mark is skipped', () => {
    expect(yaml('\ufeffa: 1').value).toEqual({ a: 1 });
  });
});

describe('JSON', () => {
  test.each([
    ['{"a":1,"a":2}', "1:8: duplicate key 'a'"],
    ['{"a":\n 1,}', '2:4: unexpected token in JSON'],
    ['{"a":1', '1:7: unexpected end of JSON'],
    ['{"a":01}', '1:7: unexpected token in JSON'],
    ["{'a':1}", '1:2: unexpected token in JSON'],
    ['{"a":"\n"}', '1:6: unexpected token in JSON'],
    ['{} x', '1:4: unexpected token in JSON'],
    ['a: 1', '1:1: unexpected token in JSON'],
  ])('%j', (text, expected) => {
    expect(messages(text, true)).toEqual([expected]);
  });

  test('nesting is bounded', () => {
    expect(messages('['.repeat(100000), true)).toEqual(['1:65: nested deeper than 64 levels']);
  });

  test('a flow mapping that is only YAML is still read', () => {
    expect(yaml('{a: 1, b: [x]}').value).toEqual({ a: 1, b: ['x'] });
  });

  test('problems have positions', () => {
    const text = `{
  "_format_version": "3.0",
  "services": [
    {"name": "a", "host": "h", "prot": "http", "routes": [{"paths": ["x"]}]}
  ]
}`;
    expect(report(text)).toEqual([
      "4:32: service 'a': prot: unknown field (did you mean 'port'?)",
      '4:70: route: paths[0]: should start with: / (fixed path) or ~/ (regexed path)',
    ]);
  });

  test('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        expect(parseConfig(text, { json: true }).value).toEqual(JSON.parse(text));
      }),
    );
  });

  test('JSON and YAML agree on values and positions', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value, null, 2);
        const json = parseConfig(text, { json: true });
        for (const key of Object.keys(value)) {
          const at = text.indexOf(`\n  "${key}":`) + 3;
          const line = text.slice(0, at).split('\n').length;
          expect(json.locate([key], 'key')).toEqual({ line, column: 3 });
        }
      }),
    );
  });
});

test('text that is no document is reported as such', () => {
  const [problem] = problemsOf('a: [1');
  expect(problem.text).toMatch(/^failed parsing declarative configuration: /);
  expect(problem.parsed).toBe(false);
});

test.each(['kong.json', 'KONG.JSON'])('%s has to be JSON', (file) => {
  expect(problemsOf(head, { file })[0].parsed).toBe(false);
  expect(problemsOf(head, { file: 'kong.yml' })).toEqual([]);
});
