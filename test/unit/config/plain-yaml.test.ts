import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineCounter, stringify } from 'yaml';
import { parseConfig } from '../../../src/config/document.js';
import { plainYamlSteps } from '../../../src/config/plain-yaml.js';
import { NotPlain, Scalars } from '../../../src/config/plain-yaml-scalars.js';
import { NestingError, yamlSteps } from '../../../src/config/yaml-document.js';
import { YamlReader } from '../../../src/config/yaml-reader.js';
import { runSteps } from '../../../src/slices.js';

const wrong = Symbol('no document');

/** Undefined where the text is left to the full parser. */
function plain(text: string): unknown {
  try {
    return runSteps(plainYamlSteps(text, new Scalars(text, (value) => value)));
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

function full(text: string): unknown {
  const lines = new LineCounter();
  try {
    const reader = new YamlReader(runSteps(yamlSteps(text, lines)), lines).read();
    return reader.problems.length > 0 ? wrong : reader.value;
  } catch (error) {
    if (error instanceof NestingError) return wrong;
    throw error;
  }
}

const pieces = [
  ...['a', 'key', 'é', '1', '-1', '-0', '1.5', '1e3', '0x1f', '010', 'true', 'True', 'null', '~'],
  ...['"x"', "'y'", "'it''s'", '"q\\n"', '"\\x41"', '"', "'", 'http://x/y', 'a#b', '10.0.0.1'],
  ...['- ', '-', ': ', ':', ', ', '[', ']', '{', '}', '[a, b]', '{a: 1}', '?', '%', '@', '='],
  ...['\n', '\n', '\n  ', '\n  ', '\n    ', '\n\n', '\n ', '  ', ' ', '#c', ' # c', '\t', '\r\n'],
  ...['|', '|-', '>', '>-', '|\n', '>-\n', 'a: |\n  t\n', 'a: >-\n  t\n  u\n', '- |\n  z\n'],
  ...['&a', '*a', '!t', '<<', '__proto__', '---', '---\n', '...', '\u00a0', '\u2028', '${X}'],
  ...['a: b', 'a:\n', '- a', '- b: c', '- - x', 'k: v\n   w', '~/re\\d{2}', '2020-01-01', '.inf'],
];

describe('whatever the plain reader reads, the full parser reads alike', () => {
  test('deeper lines of a folded text are left to the full parser', () => {
    for (const deeper of ['  \ta', '   a']) {
      expect(plain(`a: >-\n  t\n  u\n\n${deeper}`)).toBeUndefined();
    }
  });

  test('pieces of YAML in any order', () => {
    const texts = fc
      .tuple(
        fc.constantFrom('', 'a:\n  b: 1\n', '- a: 1\n  b: 2\n'),
        fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 14 }),
      )
      .map(([head, rest]) => head + rest.join(''));
    let read = 0;
    fc.assert(
      fc.property(texts, (text) => {
        const value = plain(text);
        if (value === undefined) return;
        read++;
        expect(value).toEqual(full(text));
      }),
      { numRuns: 10_000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  test('any value as it is usually written', () => {
    const string = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(...pieces),
      fc
        .array(fc.constantFrom('word', 'a: b', '# no', 'x', '&&', '\n'), { maxLength: 40 })
        .map((all) => {
          return all.join(' ');
        }),
    );
    const leaf = fc.oneof(string, fc.integer(), fc.boolean(), fc.constant(null));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(string, tie('value'), { maxKeys: 4 }),
      ),
    }));
    const options = fc.record({
      indent: fc.constantFrom(2, 4),
      indentSeq: fc.boolean(),
      collectionStyle: fc.constantFrom('any' as const, 'block' as const, 'flow' as const),
      singleQuote: fc.boolean(),
    });
    let read = 0;
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), options, (given, how) => {
        const text = stringify({ list: given }, how);
        const found = plain(text);
        if (found === undefined) return;
        read++;
        expect(found).toEqual(full(text));
      }),
      { numRuns: 1000 },
    );
    expect(read).toBeGreaterThan(100);
  });
});

test.each([
  [
    'comments and blank lines',
    '# c\n\na: 1 # d\n   # e\nb: [x, "y"] # f\n',
    { a: 1, b: ['x', 'y'] },
  ],
  ['a document marker', '---\na: 1\n', { a: 1 }],
  [
    'sequences in the column of their key',
    'a:\n- b\n- c: 1\n  d: 2\ne: 3',
    {
      a: ['b', { c: 1, d: 2 }],
      e: 3,
    },
  ],
  ['sequences in sequences', '- - a\n  - b\n-\n  - c\n', [['a', 'b'], ['c']]],
  ['keys without values', 'a:\nb:\n  c:\nd: []\ne: {}', { a: null, b: { c: null }, d: [], e: {} }],
  ['flow mappings', "a: {b: 'c d', e: [1, {f: g}]}", { a: { b: 'c d', e: [1, { f: 'g' }] } }],
  ['literal blocks', 'a: |\n  x\n\n   y\nb: |-\n    z\n', { a: 'x\n\n y\n', b: 'z' }],
  ['folded blocks', 'a: >-\n  x\n  y\n\n  z\nb: 1', { a: 'x y\nz', b: 1 }],
  ['plain scalars on several lines', 'a: x &&\n   y\n\n   z\nb: 1', { a: 'x && y\nz', b: 1 }],
  ['text that looks like something', 'a: 10.0.0.1\nb: 1a\nc: ~/x\nd: -', undefined],
  ['quoted keys', '"a b": 1\n\'c\': 2', { 'a b': 1, c: 2 }],
])('reads %s', (_, text, value) => {
  expect(plain(text)).toEqual(value);
});

test.each([
  ['anchors', 'a: &x 1\nb: *x'],
  ['tags', 'a: !!str 1'],
  ['merging', 'a: {<<: 1}'],
  ['tabs', 'a:\t1'],
  ['unusual numbers', 'a: 0x10'],
  ['keys that occur twice', 'a: 1\na: 2'],
  ['a second document', 'a: 1\n---\nb: 1'],
  ['a colon in a plain value', 'a: b: c'],
  ['columns that do not fit', 'a:\n  b: 1\n c: 2'],
  ['no document at all', '# nothing\n'],
])('leaves to the full parser: %s', (_, text) => {
  expect(plain(text)).toBe(undefined);
});

test('positions are those of the full parser', () => {
  const document = parseConfig('a:\n- b: 1\n  c: [x, y]\n', { json: false });
  expect(document.locate(['a', 0, 'c', 1], 'value')).toEqual({ line: 3, column: 10 });
  expect(document.locate(['a', 0, 'c'], 'key')).toEqual({ line: 3, column: 3 });
});

test('a variable that is missing is reported with its position', () => {
  const { problems, value } = parseConfig('a: 1\nb: ${NONE}', { json: false, env: {} });
  expect(problems).toMatchObject([{ line: 2, column: 4 }]);
  expect(value).toMatchObject({ a: 1 });
});
