import { describe, expect, test } from 'vitest';
import { compileExpression, narrow, reachOf } from '../../../../src/core/expression/index.js';
import type { Node } from '../../../../src/core/expression/syntax.js';

/** What is left to test behind the tables, each predicate as field and operator; the prefix. */
function left(text: string): [rest: string, prefixLength: number] {
  const { node } = compileExpression(text);
  const { rest, prefixLength } = narrow(node, reachOf(node));
  return [rest ? show(rest) : '', prefixLength];
}

function show(node: Node): string {
  if (node.kind === 'predicate') return `${node.field.name || node.field.code}${node.operator}`;
  return node.kind === 'not' ? `!(${show(node.node)})` : `${node.kind}(${node.parts.map(show)})`;
}

describe('what the way to a route proves is not tested again', () => {
  test.each<[string, string, number]>([
    ['http.host == "h" && http.path ^= "/ab"', '', 3],
    ['http.path ^= "/ab"', '', 3],
    ['http.host =^ ".h" && http.path ^= "/a" && http.headers.x == "1"', 'x==', 2],
    ['http.host ^= "h." && http.headers.x == "1" && http.headers.y == "1"', 'and(x==,y==)', 0],
    ['http.path ^= "/ab" && http.path ^= "/a"', '', 2],
    ['http.path ^= "/a" && http.path ^= "/ab"', '', 3],
    ['http.host == "h" && http.host =^ ".h"', '4=^', 0],
    ['http.path == "/a" && http.host == "h"', '5==', 0],
    ['http.path ^= "/a" && http.path =^ "/b"', 'and(5^=,5=^)', 0],
    ['lower(http.path) ^= "/a" && http.headers.x == "1"', 'and(5^=,x==)', 0],
    ['lower(http.host) == "h" && http.path ^= "/a"', '', 2],
    ['lower(http.host) == "h" && http.host == "H"', '4==', 0],
    ['http.path ^= "/a" || http.path ^= "/b"', 'or(5^=,5^=)', 0],
    ['!(http.path ^= "/a")', '!(5^=)', 0],
    ['http.path ^= "/a" && http.path contains "b"', '5contains', 2],
    ['http.path ^= "/a" && !(http.path == "/ab")', '!(5==)', 2],
  ])('%s', (text, rest, prefixLength) => {
    expect(left(text)).toEqual([rest, prefixLength]);
  });
});
