import { describe, expect, test } from 'vitest';
import { compileExpression, reachOf } from '../../../../src/core/expression/index.js';

/** Each way as `kind:host path`, `*` for any host. */
function waysOf(text: string): string[] {
  return reachOf(compileExpression(text).node)
    .map(({ host, path }) => `${host ? `${host.kind}:${host.name}` : '*'} ${path}`.trim())
    .sort();
}

describe('what every request of an expression has', () => {
  test.each<[string, string[]]>([
    ['http.path == "/a"', ['* /a']],
    ['http.path ^= "/a"', ['* /a']],
    ['http.path ~ "^/v[0-9]"', ['* /v']],
    ['http.path ~ "/v[0-9]"', ['*']],
    ['http.path =^ "/a" && http.path contains "/b"', ['*']],
    ['http.path.segments.0 == "a"', ['* /a']],
    ['http.path.segments.0_1 ^= "a/b"', ['* /a/b']],
    ['http.path.segments.1 == "a"', ['*']],
    ['http.path.segments.1 == "b" && http.path.segments.0 == "a"', ['* /a/b']],
    ['http.path.segments.0_1 == "a/b" && http.path.segments.2 == "c"', ['* /a/b/c']],
    ['http.path.segments.0 == "a" && http.path.segments.2 == "c"', ['* /a']],
    ['http.path.segments.0 == "a" && http.path.segments.1 != "c"', ['* /a']],
    ['http.host == "a.test"', ['exact:a.test']],
    ['http.host =^ "x.a.test"', ['left:.a.test']],
    ['http.host =^ ".a.test"', ['left:.a.test']],
    ['http.host ^= "a.b"', ['right:a.']],
    ['http.host ^= "a" && http.host =^ "b"', ['*']],
    ['lower(http.host) == "a.test" && http.path ^= "/a"', ['bare:a.test /a']],
    ['lower(http.host) == "a.test" && http.host =^ ".test"', ['bare:a.test']],
    ['lower(http.host) =^ ".test"', ['*']],
    ['lower(http.host) == "a.test" || lower(http.path) == "/a"', ['*']],
    ['http.host != "a.test"', ['*']],
    ['!(http.host == "a.test")', ['*']],
    ['http.host == "a" && http.path ^= "/a" && http.method == "GET"', ['exact:a /a']],
    ['http.host =^ ".a" && http.host == "b.a"', ['exact:b.a']],
    ['http.path ^= "/a" && http.path ^= "/a/b"', ['* /a/b']],
    ['http.path ^= "/a" || http.path ^= "/b"', ['* /a', '* /b']],
    ['http.path ^= "/a" || http.method == "GET"', ['*']],
    [
      '(http.host == "a" || http.host == "b") && (http.path ^= "/x" || http.path ^= "/y")',
      ['exact:a /x', 'exact:a /y', 'exact:b /x', 'exact:b /y'],
    ],
    ['http.path ^= "/ø"', ['* /\xc3\xb8']],
  ])('%s', (text, ways) => {
    expect(waysOf(text)).toEqual(ways);
  });

  test('too many ways are one that is open to all, or the narrower side', () => {
    const list = (field: string, count: number) =>
      Array.from({ length: count }, (_, i) => `${field} == "/n${i}"`).join(' || ');
    expect(waysOf(list('http.path', 256))).toHaveLength(256);
    expect(waysOf(list('http.path', 257))).toEqual(['*']);
    expect(waysOf(`${list('http.path', 20)} && ${list('http.host', 20)}`)).toHaveLength(20);
  });
});
