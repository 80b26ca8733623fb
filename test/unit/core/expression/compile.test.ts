import { describe, expect, test } from 'vitest';
import { compileExpression, expressionProblem } from '../../../../src/core/expression/index.js';
import { Need } from '../../../../src/core/layout.js';
import { limits } from '../../../../src/limits.js';

describe('accepted', () => {
  test.each([
    'http.path == "/a"',
    ' \t\r\n http.path=="/a"&&http.host!="b" ',
    'http.path ^= r#"/a"b\\"#',
    'http.path =^ "\\n\\r\\t\\\\\\""',
    'http.path ~ "^/[a-z]+(?P<n>\\\\d)$"',
    'http.path contains ""',
    'http.path.segments.0 == "a" && http.path.segments.1_12 == "a" && http.path.segments.len < 3',
    'any(lower(http.headers.x_a)) == "a" || lower(any(http.queries.A_1)) == "a"',
    'lower ( lower( http.method )) == "get"',
    'any(net.src.port) > -1 && net.dst.port <= 0x1F90 && net.src.port >= 0120',
    'net.src.port == 08 || net.src.port == -0 || net.src.port < 9223372036854775807',
    'net.src.ip == 10.0.0.1 && net.dst.ip != fd00::1',
    'net.src.ip in 10.0.0.0/8 || net.src.ip not in ::/0 || net.dst.ip in 1.2.3.4/32',
    '! (http.path == "/a" && !(tls.sni == "b"))',
    'net.protocol == "https" && net.port == 80',
  ])('%s', (text) => {
    expect(expressionProblem(text)).toBeUndefined();
  });

  test('streams have fields of their own', () => {
    expect(expressionProblem('tls.sni == "a" && net.src.ip in ::/0', 'stream')).toBeUndefined();
    expect(expressionProblem('http.path == "/"', 'stream')).toBe(
      'Unknown LHS field: http.path (column 1)',
    );
  });

  test('|| binds tighter than &&', () => {
    const { node } = compileExpression(
      'http.path == "a" || http.path == "b" && http.path == "c" || http.path == "d"',
    );
    expect(node).toMatchObject({ kind: 'and', parts: [{ kind: 'or' }, { kind: 'or' }] });
  });

  test('the request fields it needs are told', () => {
    const { needs } = compileExpression('!(http.queries.a == "1") || any(http.headers.b) == "1"');
    expect(needs).toBe(Need.QUERY | Need.HEADER);
  });
});

describe('errors of meaning name the column', () => {
  const mismatch = 'Type mismatch between the LHS and RHS values of predicate: expected';
  const inCidr = 'In/NotIn operators only supports IP in CIDR: the operands are';
  const noField = 'Unknown LHS field:';
  test.each([
    ['http.foo == "a"', `${noField} http.foo (column 1)`],
    ['http.path == "a" && http.headers.a.b == "a"', `${noField} http.headers.a.b (column 21)`],
    ['http.queries. == "a"', `${noField} http.queries. (column 1)`],
    ['http.path.segments.01 == "a"', `${noField} http.path.segments.01 (column 1)`],
    ['http.path.segments.2_1 == "a"', `${noField} http.path.segments.2_1 (column 1)`],
    ['http.path.segments.1_1 == "a"', `${noField} http.path.segments.1_1 (column 1)`],
    ['any(net.port) == 80', `${noField} net.port (column 5)`],
    ['constructor == "a"', `${noField} constructor (column 1)`],
    ['\n\n http.q == "a"', `${noField} http.q (line 3, column 2)`],
    ['http.path == 1', `${mismatch} String, found Int (column 14)`],
    ['net.src.port == "1"', `${mismatch} Int, found String (column 17)`],
    ['net.src.ip == 10.0.0.0/8', `${mismatch} IpAddr, found IpCidr (column 15)`],
    ['http.path == 10.0.0.1', `${mismatch} String, found IpAddr (column 14)`],
    ['http.path > "a"', 'the operator > expects Int operands, found String (column 11)'],
    ['net.src.port ^= 1', 'the operator ^= expects String operands, found Int (column 14)'],
    ['net.src.ip < 1.2.3.4', 'the operator < expects Int operands, found IpAddr (column 12)'],
    ['net.src.ip in 10.0.0.1', `${inCidr} IpAddr and IpAddr (column 15)`],
    ['http.path in "a"', `${inCidr} String and String (column 1)`],
    [
      'net.src.ip in 1.2.3.4/16',
      'the host bits of the network 1.2.3.4/16 are not zero (column 15)',
    ],
    ['net.src.ip in 10.0.0.0/33', 'the network 10.0.0.0/33 has more than 32 bits (column 15)'],
    ['net.src.ip == 300.0.0.1', '300.0.0.1 is not an IP address (column 15)'],
    ['net.src.ip == 1:::2', '1:::2 is not an IP address (column 15)'],
    [
      'lower(net.src.port) == 1',
      'lower-case transformation function only supported with String type fields (column 1)',
    ],
    ['foo(http.path) == "a"', 'unknown transformation function: foo (column 1)'],
    ['net.src.port == 9223372036854775808', 'the number does not fit into 64 bits (column 17)'],
  ])('%s', (text, problem) => {
    expect(expressionProblem(text)).toBe(problem);
  });

  test('a pattern tells what is wrong with it', () => {
    expect(expressionProblem('http.path ~ "a(?=b)"')).toMatch(
      /^the regex does not compile: .*13\)$/,
    );
  });
});

describe('errors of syntax show the place and what was expected', () => {
  test.each([
    ['', '1:1', 'a field, lower(, any(, "(" or "!("'],
    ['http.path ==', '1:13', 'a string, a number, an IP address or a network such as 10.0.0.0/8'],
    ['http.path == "a" &', '1:18', '&&, || or the end of the expression'],
    ['http.path == "a" ||', '1:20', 'a field, lower(, any(, "(" or "!("'],
    ['(http.path == "a"', '1:18', '&&, || or ")"'],
    ['http.path == "a")', '1:17', '&&, || or the end of the expression'],
    ['!a == 1', '1:2', '"(": ! stands before a group only'],
    ['http.path == "a', '1:16', 'a closing quote'],
    ['http.path == "\\q"', '1:15', 'one of the escapes \\n, \\r, \\t, \\\\ and \\"'],
    ['http.path == r#"a"', '1:19', '"# at its end'],
    ['http.path\n=> "a"', '2:1', expect.stringContaining('==, !=')],
    ['http.headers.x-y == "a"', '1:15', expect.stringContaining('==, !=')],
    ['net.src.ip not  in 10.0.0.0/8', '1:12', expect.stringContaining('not in (with one blank')],
    ['lower(http.path == "a"', '1:17', '")"'],
    ['net.src.port == 018', '1:19', '&&, || or the end of the expression'],
  ])('%j', (text, place, expected) => {
    const lines = (expressionProblem(text) ?? '').split('\n');
    expect(lines[0].trim()).toBe(`--> ${place}`);
    expect(lines.at(-1)?.replace(/^.*= expected /, '')).toEqual(expected);
    const column = Number(place.split(':')[1]);
    expect(lines[3].indexOf('^---') - lines[3].indexOf('|') - 1).toBe(column);
  });

  test('of a long line only the part around the place is shown', () => {
    const text = `http.path == "${'a'.repeat(500)}" oops ${'b'.repeat(500)}`;
    const lines = (expressionProblem(text) ?? '').split('\n');
    expect(lines[2]).toContain('oops');
    expect(lines[2].length).toBeLessThan(120);
    expect(lines[2].indexOf('oops')).toBe(lines[3].indexOf('^---'));
  });
});

describe('limits', () => {
  test('of length', () => {
    const most = limits.expressionBytes.value;
    const ofLength = (bytes: number) => {
      const rest = 'http.path == ""';
      return rest.replace('""', `"${'x'.repeat(bytes - rest.length)}"`);
    };
    expect(expressionProblem(ofLength(most))).toBeUndefined();
    expect(expressionProblem(ofLength(most + 1))).toMatch(/longer than 65536 bytes/);
  });

  test('of depth', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}http.path == "a"${')'.repeat(depth)}`;
    const most = limits.expressionDepth.value;
    expect(expressionProblem(nested(most))).toBeUndefined();
    expect(expressionProblem(nested(most + 1))).toMatch(/more than 64 nested parentheses/);
    const functions = `${'lower('.repeat(65)}http.path${')'.repeat(65)} == "a"`;
    expect(expressionProblem(functions)).toMatch(/more than 64 nested parentheses/);
    expect(expressionProblem('!('.repeat(60_000))).toMatch(/longer than/);
  });
});
