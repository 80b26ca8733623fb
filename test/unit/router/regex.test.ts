import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import { normalise, property, union } from '../../../src/core/regex/code-points.js';
import { patternProblem } from '../../../src/core/regex/compile.js';
import { digits } from '../../../src/core/regex/digits.js';
import { makeRoute } from '../../support/entities.js';
import { install, lookUp, makeRequest } from './harness.js';

const core = createCore();

/** Bytes that the pattern matches of the path, -1: no match. The text stands behind a slash. */
function matched(pattern: string, text: string): number {
  const routes = [makeRoute(0, { paths: [`~${pattern}`] })];
  install(core, routes);
  const target = [...Buffer.from(text, 'utf8')].map((octet) => {
    const raw = octet > 32 && octet < 127;
    return raw ? String.fromCharCode(octet) : `%${octet.toString(16).padStart(2, '0')}`;
  });
  const found = lookUp(core, routes, makeRequest({ target: `/${target.join('')}` }));
  return found.route < 0 ? -1 : found.prefixLength;
}

function headerMatches(pattern: string, value: string): boolean {
  const routes = [makeRoute(0, { headers: { x: [`~*${pattern}`] } })];
  install(core, routes);
  const bytes = Buffer.from(value, 'utf8').toString('latin1');
  return lookUp(core, routes, makeRequest({ headers: [['x', bytes]] })).route === 0;
}

describe('patterns of paths', () => {
  test.each([
    ['/users/\\d+', 'users/12/x', 9],
    ['/users/\\d+$', 'users/12/x', -1],
    ['/a.*?', 'a/b/c', 2],
    ['/a.*', 'abc', 4],
    ['/(a|ab)(c|bcd)(d*)', 'abcd', 5],
    ['/(?i)api', 'API', 4],
    ['/(?i:a)b', 'Ab', 3],
    ['/(?i:a)b', 'AB', -1],
    ['/(?i)k', '\u212a', 4],
    ['/[^a]', 'é', 3],
    ['/é+', 'éé', 5],
    ['/\\w+$', 'café', 6],
    ['/\\p{Greek}+$', 'αβγ', 7],
    ['/\\P{L}', 'a', -1],
    ['/[\\p{Lu}--[A-C]]', 'D', 2],
    ['/[\\p{Lu}--[A-C]]', 'B', -1],
    ['/[a-f&&[^c]]+', 'abcd', 3],
    ['/[[:alpha:]]+', 'ab1', 3],
    ['/[]a]+', ']a', 3],
    ['/[a-]+', 'a-', 3],
    ['/\\x41\\u{42}', 'AB', 3],
    ['/a{2,3}', 'aaaa', 4],
    ['/a{2}', 'a', -1],
    ['/a{2,}?', 'aaaa', 3],
    ['/(?x) a b # comment', 'ab', 3],
    ['/(?s).', '\n', 2],
    ['/.', '\n', -1],
    ['/a\\b.', 'a b', 3],
    ['/a\\B.', 'a b', -1],
    ['/(?m)a$', 'a\nb', 2],
    ['/(?U)a+', 'aaa', 2],
    ['/(?P<n>a)(?<m>b)', 'ab', 3],
    ['/()*', 'a', 1],
    ['/(a*)*', 'aa', 3],
    ['/a++', 'aa', 3],
    ['/\\/', '/', -1],
  ])('%s on /%s: %i bytes', (pattern, text, bytes) => {
    expect(matched(pattern, text)).toBe(bytes);
  });

  test.each([
    ['/(?=a)', 'not supported'],
    ['/(?<!a)', 'not supported'],
    ['/(?>a)', 'not supported'],
    ['/(a)\\1', 'back-references'],
    ['/(a', 'not closed'],
    ['/a)', 'unopened'],
    ['/[a', 'not closed'],
    ['/[b-a]', 'backwards'],
    ['/*', undefined],
    ['*', 'nothing to repeat'],
    ['/a{', 'malformed'],
    ['/a{3,2}', 'backwards'],
    ['/a{99999}', 'too large'],
    ['/(a{1000}){1000}', 'more than'],
    ['/\\q', 'unknown escape'],
    ['/\\p{Nope}', 'unknown Unicode class'],
    ['/(?<n>a)(?<n>b)', 'duplicate'],
    ['/(?z)', 'flag z'],
    ['/\\', 'ends the pattern'],
    ['/()'.repeat(40), 'capture groups'],
    [`${'(?:'.repeat(100)}${')'.repeat(100)}`, 'deeply'],
  ])('%s: %s', (pattern, problem) => {
    const found = patternProblem(pattern);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(problem);
  });

  test.each(['(a+)+$', '(a|a)*$', '(a|aa)+$', '(.*a){20}$', '([a-zA-Z]+)*$', '(x+x+)+y'])(
    '/%s takes linear time',
    (pattern) => {
      const started = performance.now();
      expect(matched(`/${pattern}`, `${'a'.repeat(2000)}x!`)).toBe(-1);
      expect(performance.now() - started).toBeLessThan(2000);
    },
  );

  test('agree with backtracking where both mean the same', () => {
    fc.assert(
      fc.property(pattern(3), fc.stringMatching(/^[ab1é]{0,10}$/u), ({ source }, text) => {
        const found = new RegExp(`^/${source}`, 'u').exec(`/${text}`);
        expect(matched(`/${source}`, text)).toBe(found ? Buffer.byteLength(found[0]) : -1);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('patterns of header values', () => {
  test.each([
    ['b+c', 'aabbc', true],
    ['^b', 'ab', false],
    ['LINUX', 'Linux x86', true],
    ['^\\D+$', 'abc', false],
    ['^\\D+$', '12', true],
    ['x|y$', 'zy', true],
    ['\\bone\\b', 'zero One two', true],
    ['^.$', 'é', true],
  ])('%s on %s: %j', (source, value, holds) => {
    expect(headerMatches(source, value)).toBe(holds);
  });
});

interface Source {
  readonly source: string;
  readonly nullable: boolean;
}

/** Random patterns that never repeat what may be empty: there the dialects differ. */
function pattern(depth: number): fc.Arbitrary<Source> {
  const atom = fc.constantFrom(
    ...['a', 'b', '1', 'é', '.', '[ab]', '[^a]', '\\d', '[a-c1]'].map((source) => ({
      source,
      nullable: false,
    })),
    { source: '$', nullable: true },
    { source: '', nullable: true },
  );
  if (depth === 0) return atom;
  const inner = pattern(depth - 1);
  const concat = fc.array(inner, { minLength: 1, maxLength: 3 }).map((parts) => ({
    source: parts.map(({ source }) => `(?:${source})`).join(''),
    nullable: parts.every(({ nullable }) => nullable),
  }));
  const either = fc.array(inner, { minLength: 2, maxLength: 3 }).map((parts) => ({
    source: `(${parts.map(({ source }) => source).join('|')})`,
    nullable: parts.some(({ nullable }) => nullable),
  }));
  const times = fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{0,2}', '{1,3}?', '{2,}');
  const repeat = fc.tuple(inner, times).map(([{ source, nullable }, suffix]) => ({
    source: nullable ? `(?:${source})` : `(?:${source})${suffix}`,
    nullable: nullable || !/^(\+|\{[12])/.test(suffix),
  }));
  return fc.oneof(atom, concat, either, repeat);
}

test('the digits are those that the runtime knows', () => {
  const known = property('Nd') ?? [];
  const all = normalise([...digits]);
  // an older runtime knows fewer
  expect(union(all, known)).toEqual(all);
  if (Number.parseInt(process.versions.unicode ?? '0', 10) >= 17) expect(all).toEqual(known);
});
