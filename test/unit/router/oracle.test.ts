import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Route } from '../../../src/config/model.js';
import { createCore } from '../../../src/core/instance.js';
import { judgeOf } from '../../oracle/router.js';
import type { RouterRequest } from './harness.js';
import { install, lookUp, makeRequest, makeRoute, makeService } from './harness.js';

const core = createCore();

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
  ...['~/a', '~/[a-c]/.*', '~/a.*?b', '~/(?<id>[^/]+)$', '~/q|/b', '~/endel.st/x?$', '~/a/(b|b/c)'],
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
const sni = words('a.test', '*.test', 'a.*', 'b.test.');

const fields = fc
  .record({
    methods: maybe(some(method)),
    hosts: maybe(some(host)),
    paths: maybe(some(path)),
    headers: maybe(maybe(header)),
    snis: maybe(maybe(some(sni))),
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
  sni: maybe(words('a.test', 'b.test', 'x.test', 'a.b')),
});

describe('look-ups agree with the oracle', () => {
  test('for random routes and requests', () => {
    let matched = 0;
    fc.assert(
      fc.property(
        fc.array(fields, { minLength: 1, maxLength: 12 }),
        fc.array(request, { minLength: 20, maxLength: 20 }),
        (list, requests) => {
          const routes = list.map(({ servicePath, ...route }, index): Route => {
            const service = servicePath ? makeService(index, { path: servicePath }) : null;
            return makeRoute(index, { ...route, service });
          });
          install(core, routes);
          const judge = judgeOf(routes);
          for (const one of requests) {
            const wanted = judge(one);
            if (wanted.route >= 0) matched++;
            expect(lookUp(core, routes, one)).toEqual(wanted);
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(matched).toBeGreaterThan(2500);
  });
});

describe('order', () => {
  test('equal ranks are decided by the greater id', () => {
    const routes = [3, 1, 2].map((id) => makeRoute(id, { paths: ['/p'], strip_path: id > 1 }));
    install(core, routes);
    expect(lookUp(core, routes, makeRequest({ target: '/p' })).route).toBe(0);
  });

  test('a route without any condition is never chosen', () => {
    const routes = [makeRoute(1)];
    install(core, routes);
    expect(lookUp(core, routes, makeRequest()).route).toBe(-1);
  });

  test('stream routes take no requests', () => {
    const routes = [makeRoute(1, { protocols: ['tls'], snis: ['a.test'] })];
    install(core, routes);
    expect(lookUp(core, routes, makeRequest()).route).toBe(-1);
  });
});
