import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import { TableHeader } from '../../../src/core/layout.js';
import { installTable } from '../../../src/core/router.js';
import { compareExpressions } from '../../oracle/expression-cases.js';
import { makeRoute, makeService } from '../../support/entities.js';
import { encode, install, lookUp, makeRequest } from './harness.js';

const core = createCore();

/** Name of the route that takes a request, of routes with these expressions and priorities. */
function chosen(
  expressions: Readonly<Record<string, string | [expression: string, priority: number]>>,
  request: Parameters<typeof makeRequest>[0],
): string | null {
  const routes = Object.entries(expressions).map(([name, given], index) => {
    const [expression, priority] = typeof given === 'string' ? [given, 0] : given;
    return makeRoute(index, { name, expression, priority });
  });
  install(core, routes, 'expressions');
  const { route } = lookUp(core, routes, makeRequest(request));
  return route < 0 ? null : routes[route].name;
}

describe('expressions', () => {
  test('5,000 look-ups agree with the oracle', () => {
    expect(compareExpressions(core, 250)).toBeGreaterThan(1000);
  });

  test('the greater priority is tried first, the greater id among equals', () => {
    const any = 'http.path ^= "/"';
    expect(chosen({ low: [any, 1], high: [any, 2 ** 46 - 1], last: any }, {})).toBe('high');
    expect(chosen({ first: any, second: any }, {})).toBe('second');
    expect(chosen({ high: ['http.path == "/x"', 2], low: any }, {})).toBe('low');
  });

  test('a path that is no UTF-8 is nobody’s where some expression looks at paths', () => {
    const target = '/%FF';
    expect(chosen({ a: 'http.method == "GET"' }, { target })).toBe('a');
    expect(chosen({ a: 'http.method == "GET"', b: 'http.path == "/b"' }, { target })).toBeNull();
    expect(
      chosen({ a: 'http.method == "GET"', b: 'http.path.segments.len == 9' }, { target }),
    ).toBeNull();
  });

  test('hosts in lower case are found through a table of their own', () => {
    const routes = { a: 'lower(http.host) == "a.test"', b: 'lower(http.host) == "ä.test"' };
    expect(chosen(routes, { host: 'A.Test:81' })).toBe('a');
    expect(chosen(routes, { host: Buffer.from('Ä.TEST').toString('latin1') })).toBe('b');
    expect(chosen(routes, { host: 'b.test' })).toBeNull();
    expect(chosen({ c: 'lower(http.host) == "A.test"' }, { host: 'A.test' })).toBeNull();
  });

  test('what a failed alternative matched is not taken off', () => {
    const expression = '(http.path ^= "/api" && http.method == "POST") || http.host == "any.test"';
    const routes = [makeRoute(0, { expression, service: makeService(0) })];
    install(core, routes, 'expressions');
    const ask = (method: string) =>
      lookUp(core, routes, makeRequest({ method, target: '/api/x' })).target;
    expect(ask('POST')).toBe('/x');
    expect(ask('GET')).toBe('/api/x');
  });

  test('alternatives as deep as the limit keep their prefixes apart', () => {
    const deep = (depth: number): string => {
      if (depth === 0) return 'http.path ^= "/a"';
      return `((${deep(depth - 1)} && http.method == "POST") || http.path ^= "/ab")`;
    };
    const routes = [makeRoute(0, { expression: deep(31), service: makeService(0) })];
    install(core, routes, 'expressions');
    expect(lookUp(core, routes, makeRequest({ target: '/abc' })).target).toBe('/c');
  });

  test('only the first hundred arguments count', () => {
    const expressions = { a: 'http.queries.q == "1"' };
    const target = (count: number) => `/?${'x&'.repeat(count)}q=1`;
    expect(chosen(expressions, { target: target(99) })).toBe('a');
    expect(chosen(expressions, { target: target(100) })).toBeNull();
  });

  test('an argument longer than the room for it is cut, not spilt', () => {
    const target = `/?q=${'%41'.repeat(30_000)}`;
    expect(chosen({ a: 'http.queries.q ^= "AAAA"' }, { target })).toBe('a');
  });

  test('a target that is no path has no segments', () => {
    expect(chosen({ a: 'http.path.segments.len == 0' }, { target: '/' })).toBe('a');
    expect(chosen({ a: 'http.path.segments.0 == "*"' }, { target: '/' })).toBeNull();
  });

  test('ports far beyond the range are no port', () => {
    const expressions = { a: 'net.dst.port == 80 || net.dst.port < 0' };
    expect(chosen(expressions, { host: 'a:4294967376' })).toBeNull();
    expect(chosen({ a: 'net.dst.port > 65535' }, { host: 'a:4294967376' })).toBe('a');
    expect(chosen({ a: 'net.dst.port > 9223372036854775807' }, {})).toBeNull();
    expect(chosen({ a: 'net.dst.port > -9223372036854775808' }, {})).toBe('a');
  });
});

describe('damaged expressions', () => {
  const service = makeService(0);
  const routes = [
    makeRoute(0, {
      service,
      expression: '(http.path ~ "^/a" && http.method == "A") || tls.sni == "s"',
    }),
    makeRoute(1, {
      service,
      expression: 'any(lower(http.headers.x)) =^ "b" || http.queries.q == "1"',
    }),
    makeRoute(2, { service, expression: 'net.src.ip in 10.0.0.0/8 && net.src.port > 1' }),
    makeRoute(3, { service, expression: 'http.path.segments.0_1 == "a/b"', protocols: ['http'] }),
  ];
  const intact = encode(routes, 'expressions').bytes;
  const words = (bytes: Uint8Array) => new Uint32Array(bytes.buffer, bytes.byteOffset);
  const requests = [
    makeRequest({ target: '/a/b?q=1', headers: [['x', 'Bb']], peer: '10.0.0.1' }),
    makeRequest({ target: '/c?q', secure: true, sni: 's' }),
  ];

  test('are refused or lead nowhere outside of the table', () => {
    const anyWord = fc.oneof(
      fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, intact.length),
      fc.nat({ max: 512 }),
      fc.nat({ max: 0xffffffff }),
    );
    let refused = 0;
    const first = TableHeader.size >> 2;
    fc.assert(
      fc.property(fc.nat({ max: (intact.length >> 2) - 1 - first }), anyWord, (at, value) => {
        const bytes = intact.slice();
        words(bytes)[at + first] = value;
        try {
          installTable(core, { bytes });
        } catch (error) {
          expect(error).toMatchObject({ code: 'GW_E_CONFIG_INVALID' });
          refused++;
          return;
        }
        for (const request of requests) {
          expect(lookUp(core, routes, request).route).toBeLessThan(routes.length);
        }
      }),
      { numRuns: 3000 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});
