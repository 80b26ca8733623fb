/** Random expressions, routes and requests, and the comparison of the core's answers. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Protocol, Route } from '../../src/config/model.js';
import type { Core } from '../../src/core/instance.js';
import { makeRoute, makeService } from '../support/entities.js';
import type { LookUp, RouterRequest } from '../unit/router/harness.js';
import { install, lookUp } from '../unit/router/harness.js';
import type { Test, Tree } from './expression.js';
import { judgeExpression, print } from './expression.js';
import { judgeOf } from './router.js';
import { normalisePath, upstreamTarget } from './router-path.js';

const words = (...values: string[]) => fc.constantFrom(...values);

const texts: Readonly<Record<string, readonly string[]>> = {
  'http.method': ['GET', 'POST', 'get', 'ET'],
  'http.host': ['a.test', 'A.test', 'x.a.test', '.test', 'a.', 'test', 'a.te', 'x.a', '', '[::1]'],
  'http.path': [
    ...['/', '/a', '/a/b', '/ab', '/b', 'b', '/a/', '.png', '/øl', '/A', '/a b', '/a"b', '/c%2Fd'],
    ...['', '/ǰ', '/σας', '/Σ'],
  ],
  'http.path.segments.0': ['a', 'ab', 'b', 'A', 'øl', ''],
  'http.path.segments.1': ['b', 'c', 'B', '.png'],
  'http.path.segments.0_1': ['a/b', 'a/', '/b', 'A/B'],
  'http.path.segments.1_3': ['b/c/d', 'c'],
  'http.headers.x_one': ['1', 'two', 'Two', 'øl', 'ØL', ''],
  'http.headers.x_two': ['1', 'tw'],
  'http.queries.q': ['1', '', 'a b', 'x=y', 'Øl', 'øl', '%zz'],
  'http.queries.Q': ['1', ''],
  'net.protocol': ['http', 'https', 'ttp'],
  'tls.sni': ['a.test', '.test', 'b'],
};
const patterns: Readonly<Record<string, readonly string[]>> = {
  'http.path': ['^/a', '^/ab?/.*', 'b', '(?:a|b)+', '^/[^/]+/b$', '^/.l$', '^', 'zz'],
};
const anyPattern = ['^a', 'a.te', '^[A-Z]+$', '^.?$', 'T', '1|2', '^.l$'];
const networks = ['10.0.0.0/8', '10.0.0.1/32', '0.0.0.0/0', '::/0', 'fd00::/8', '::ffff:0:0/96'];
const addresses = ['10.0.0.1', '11.0.0.1', '::1', 'fd00::1', '::ffff:a00:1'];
const numbers: Readonly<Record<string, readonly number[]>> = {
  'net.src.port': [4000, 4001, 0],
  'net.dst.port': [80, 81, 8],
  'http.path.segments.len': [0, 1, 2, 3],
};

const textTest = words(...Object.keys(texts)).chain((field) =>
  words('==', '!=', '^=', '=^', 'contains', '~').chain((operator) => {
    const values = operator === '~' ? (patterns[field] ?? anyPattern) : texts[field];
    return fc.record({
      kind: fc.constant('test' as const),
      field: fc.constant(field),
      functions: fc.constantFrom<readonly ('lower' | 'any')[]>(
        ...([[], [], [], ['any'], ['lower'], ['any', 'lower'], ['lower', 'any']] as const),
      ),
      operator: fc.constant(operator),
      value: words(...values),
      spelling: fc.constantFrom('quoted' as const, 'raw' as const),
    });
  }),
);
const numberTest = words(...Object.keys(numbers)).chain((field) =>
  fc.record({
    kind: fc.constant('test' as const),
    field: fc.constant(field),
    functions: fc.constantFrom<readonly 'any'[]>([], ['any']),
    operator: words('==', '!=', '<', '<=', '>', '>='),
    value: fc.constantFrom(...numbers[field]),
    spelling: fc.constantFrom('plain' as const, 'hex' as const, 'octal' as const),
  }),
);
const addressTest = fc.boolean().chain((network) =>
  fc.record({
    kind: fc.constant('test' as const),
    field: words('net.src.ip', 'net.dst.ip'),
    functions: fc.constant([]),
    operator: network ? words('in', 'not in') : words('==', '!='),
    value: network ? words(...networks) : words(...addresses),
    spelling: fc.constant('plain' as const),
  }),
);
const test: fc.Arbitrary<Test> = fc.oneof(
  { weight: 8, arbitrary: textTest },
  { weight: 2, arbitrary: numberTest },
  { weight: 1, arbitrary: addressTest },
);

const { tree } = fc.letrec<{ tree: Tree }>((tie) => {
  const parts = fc.array(tie('tree'), { minLength: 2, maxLength: 3 });
  return {
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 4, arbitrary: test },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('and' as const), parts }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('or' as const), parts }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constantFrom('not' as const, 'group' as const),
          part: tie('tree'),
        }),
      },
    ),
  };
});

interface Fields {
  readonly tree: Tree | null;
  readonly paths: readonly string[];
  readonly priority: number;
  readonly protocols: readonly Protocol[];
  readonly strip: boolean;
  readonly servicePath: string;
}

const fields: fc.Arbitrary<Fields> = fc.record({
  tree: fc.option(tree, { freq: 6 }),
  paths: fc.constantFrom(['/a'], ['/'], ['~/ab?'], ['/a/b', '/b']),
  priority: fc.constantFrom(0, 0, 1, 2 ** 46 - 1),
  protocols: fc.constantFrom<readonly Protocol[]>(
    ...([['http', 'https'], ['http'], ['https'], ['grpc'], ['grpcs'], ['grpc', 'grpcs']] as const),
  ),
  strip: fc.boolean(),
  servicePath: words('/', '/srv', ''),
});

const request: fc.Arbitrary<RouterRequest> = fc.record({
  method: words('GET', 'POST', 'get'),
  host: fc.option(words('a.test', 'A.test', 'x.a.test', 'a.test:81', 'b.x.a.test', '[::1]:80')),
  target: fc
    .tuple(
      words(
        ...['/', '/a', '/a/b', '/ab', '/A/B', '/a/b/c/d', '/a/b/', '/b', '/a//b', '/c%2fd', '/%C3'],
        ...[
          '/a/x.png',
          '/%C3%B8l',
          '/a%20b',
          '/a%22b',
          '/%C7%B0',
          '/%CE%A3%CE%91%CE%A3',
          '/%CE%A3',
        ],
      ),
      words(
        ...['', '', '?', '?q', '?q=1', '?q=1&q=2', '?Q=1&q=', '?q=a+b', '?q=a%20b&x', '?=1&&q=x=y'],
        ...['?q=%C3%98l', '?q=%zz', '?%71=1', `?${'x&'.repeat(99)}q=1`, `?${'x&'.repeat(100)}q=1`],
      ),
    )
    .map((parts) => parts.join('')),
  headers: fc.array(
    fc.tuple(words('x-one', 'X_One', 'X-Two', 'y'), words('1', 'two', 'Two', '\xc3\x98l', '')),
    { maxLength: 3 },
  ),
  secure: fc.boolean(),
  localPort: fc.constantFrom(80, 81),
  peer: words('10.0.0.1', '10.200.0.1', '11.0.0.1', '::1', 'fd00::1'),
  peerPort: fc.constantFrom(4000, 4001),
  local: words('10.0.0.1', '::1'),
  sni: fc.option(words('a.test', 'b.test')),
});

const requestsPerTable = 20;

/**
 * Compares `tables * 20` look-ups of expressions among routes with classic fields; returns how many
 * found a route.
 * @throws where an answer differs, with the smallest case that shows it
 */
export function compareExpressions(core: Core, tables: number): number {
  let matched = 0;
  fc.assert(
    fc.property(
      fc.array(fields, { minLength: 1, maxLength: 10 }),
      fc.array(request, { minLength: requestsPerTable, maxLength: requestsPerTable }),
      (list, requests) => {
        const routes = list.map(routeOf);
        install(core, routes, 'expressions');
        for (const one of requests) {
          const wanted = judge(list, routes, one);
          if (wanted.route >= 0) matched++;
          expect(lookUp(core, routes, one)).toEqual(wanted);
        }
      },
    ),
    { numRuns: tables },
  );
  return matched;
}

function routeOf(given: Fields, index: number): Route {
  const { tree, paths, priority, protocols, strip, servicePath } = given;
  return makeRoute(index, {
    protocols,
    strip_path: strip,
    service: servicePath ? makeService(index, { path: servicePath }) : null,
    ...(tree ? { expression: print(tree), priority } : { paths }),
  });
}

function judge(list: readonly Fields[], routes: readonly Route[], one: RouterRequest): LookUp {
  const mark = one.target.indexOf('?', 1);
  const path = normalisePath(mark < 0 ? one.target : one.target.slice(0, mark));
  if (path === null) return { route: -2, prefixLength: 0, target: null };
  const looksAtPaths = list.some(({ tree }) => tree === null || /http\.path/.test(print(tree)));
  if (looksAtPaths && Buffer.from(path, 'latin1').toString('utf8').includes('\ufffd')) {
    return { route: -1, prefixLength: 0, target: null };
  }
  const order = [...list.keys()].filter((index) => list[index].tree !== null);
  order.sort((a, b) => list[b].priority - list[a].priority || b - a);
  for (const index of order) {
    const { tree, protocols } = list[index];
    if (tree === null || !takes(protocols, one)) continue;
    const prefixLength = judgeExpression(tree, one);
    if (prefixLength === null) continue;
    const route = routes[index];
    const target = route.service ? upstreamTarget(route, path, prefixLength, one.target) : null;
    return { route: index, prefixLength, target };
  }
  const classic = routes.filter((route) => {
    return route.expression === null && takes(route.protocols, one);
  });
  const found = judgeOf(classic)(one);
  return found.route < 0 ? found : { ...found, route: routes.indexOf(classic[found.route]) };
}

/** https alone takes plain requests, too: those are told to come back with TLS. */
function takes(protocols: readonly Protocol[], { secure }: RouterRequest): boolean {
  if (protocols.join() === 'https') return true;
  return protocols.some(
    (name) => name === (secure ? 'https' : 'http') || name === (secure ? 'grpcs' : 'grpc'),
  );
}
