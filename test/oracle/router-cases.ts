/** Random routes and requests, and the comparison of the core's answers with an oracle's. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Route } from '../../src/config/model.js';
import type { Core } from '../../src/core/instance.js';
import type { RouterFlavor } from '../../src/core/router.js';
import { makeRoute, makeService } from '../support/entities.js';
import type { RouterRequest } from '../unit/router/harness.js';
import { install, lookUp } from '../unit/router/harness.js';
import { judgeOf } from './router.js';
import { traditionalJudgeOf } from './router-traditional.js';

const words = (...values: string[]) => fc.constantFrom(...values);
const some = <T>(value: fc.Arbitrary<T>) => fc.uniqueArray(value, { minLength: 1, maxLength: 3 });
/** Null half of the time, so that most routes have two conditions at most. */
const maybe = <T>(value: fc.Arbitrary<T>) => fc.oneof(fc.constant(null), value);

const method = words('GET', 'POST', 'PUT');
const host = words(
  ...['a.test', 'b.test', 'x.a.test', '*.a.test', '*.test', 'a.*', 'x.a.*', '[::1]'],
  ...['a.test:80', 'a.test:81', '*.test:81', 'b.*', 'a.b.c.d', '*.b.c.d', 'A.test'],
);
const path = words(
  ...['/', '/a', '/a/', '/a/b', '/ab', '/abc', '/a/b/c', '/b', '/b/long/path/of/segments'],
  ...['/b/long/path/of/segments/x', '/endeløst', '/c d', '/c%2Fd', '/a.b', '/øl'],
  ...[
    '~/a',
    '~/[a-c]/.*',
    '~/a.*?b',
    '~/(?<id>[^/]+)$',
    '~/q|/b',
    '~/b|/a|/q',
    '~/A(?i)b',
    '~/endel.st/x?$',
    '~/a/(b|b/c)',
  ],
);
const header = fc.dictionary(
  words('x-one', 'X-Two', 'x_three'),
  some(words('1', 'Two', 'øl', '~*^T', '~*[0-9]')),
  {
    minKeys: 1,
    maxKeys: 2,
    noNullPrototype: true,
  },
);
const range = words('10.0.0.1', '10.0.0.0/8', '::1', '::/0', '10.1.2.3/9', '0.0.0.0/0');
const end = fc.oneof(
  range.map((ip) => ({ ip })),
  words('80', '81', '4000').map((port) => ({ port: Number(port) })),
  fc.tuple(range, words('80', '81', '4000')).map(([ip, port]) => ({ ip, port: Number(port) })),
);
const sni = words('a.test', '*.test', 'a.*', 'b.test.');

const fields = fc
  .record({
    methods: maybe(some(method)),
    hosts: maybe(some(host)),
    paths: maybe(some(path)),
    headers: maybe(maybe(header)),
    snis: maybe(maybe(some(sni))),
    sources: maybe(maybe(some(end))),
    destinations: maybe(maybe(some(end))),
    path_handling: fc.constantFrom('v0' as const, 'v1' as const),
    created_at: fc.constantFrom(1, 2, 3),
    regex_priority: fc.constantFrom(0, 0, 1, 2),
    strip_path: fc.boolean(),
    servicePath: words('/', '/srv', '/srv/', '/s v', ''),
  })
  .filter((r) => [r.methods, r.hosts, r.paths, r.headers, r.snis].some((field) => field !== null));

const request: fc.Arbitrary<RouterRequest> = fc.record({
  method: words('GET', 'POST', 'PATCH'),
  host: maybe(
    words(
      ...['a.test', 'b.test', 'x.a.test', 'y.x.a.test', 'a.test:80', 'a.test:81', 'a.co.uk'],
      ...['[::1]', '[::1]:80', 'A.test', 'x.test:81', 'a.test.', '.a.test', 'a.b.c.d', 'q.b.c.d'],
    ),
  ),
  target: fc
    .tuple(
      words(
        ...[
          '/',
          '/a',
          '/a/',
          '/a/b',
          '/abcd',
          '/a//b/c',
          '/b/../a/b',
          '/endel%C3%B8st/x',
          '/c%20d',
        ],
        ...['/c%2fd/e', '/b/long/path/of/segments/xyz', '/b/long/path', '/a..', '/a/../..', '/%C3'],
        ...['/a./q', '/a../q', '/a.b|c', '/x', '/%c3%b8l%FF'],
      ),
      words('', '', '?', '?q=1', '?a/../%zz'),
    )
    .map((parts) => parts.join('')),
  headers: fc.array(
    fc.tuple(
      words('x-one', 'X_One', 'x-two', 'x-three', 'y'),
      words('1', 'two', 'TWO', '\xc3\xb8L'),
    ),
    { maxLength: 3 },
  ),
  secure: fc.boolean(),
  localPort: words('80', '81').map(Number),
  peer: words('10.0.0.1', '10.200.0.1', '11.0.0.1', '::1', 'fd00::1'),
  peerPort: words('4000', '4001').map(Number),
  local: words('10.0.0.1', '::1'),
  sni: maybe(words('a.test', 'b.test', 'x.test', 'a.b')),
});

/** What one run compares: requests for each set of routes. */
const requestsPerTable = 20;

/**
 * Compares `tables * 20` look-ups; returns how many of them found a route.
 * @throws where an answer differs, with the smallest case that shows it
 */
export function compareLookUps(core: Core, flavor: RouterFlavor, tables: number): number {
  const prepare = flavor === 'traditional' ? traditionalJudgeOf : judgeOf;
  let matched = 0;
  fc.assert(
    fc.property(
      fc.array(fields, { minLength: 1, maxLength: 12 }),
      fc.array(request, { minLength: requestsPerTable, maxLength: requestsPerTable }),
      (list, requests) => {
        const routes = list.map(
          ({ servicePath, sources, destinations, ...route }, index): Route => {
            const service = servicePath ? makeService(index, { path: servicePath }) : null;
            const ends = flavor === 'expressions' ? { sources, destinations } : {};
            return makeRoute(index, { ...route, ...ends, service });
          },
        );
        install(core, routes, flavor);
        const judge = prepare(routes);
        for (const one of requests) {
          const wanted = judge(one);
          if (wanted.route >= 0) matched++;
          expect(lookUp(core, routes, one)).toEqual(wanted);
        }
      },
    ),
    { numRuns: tables },
  );
  return matched;
}
