/**
 * Finding a route by host and prefix among 1 to 100,000 in the core beside find-my-way. That one
 * takes no more than 31 hosts per path: where there are more it gets the host as the first segment
 * of its path, the text made ready beforehand.
 */
import findMyWay from 'find-my-way';
import type { Route } from '../src/config/model.js';
import { type Core, createCore } from '../src/core/instance.js';
import { encodeTable, installTable } from '../src/core/router.js';
import { emptyPlan, makeRoute, makeService } from '../test/support/entities.js';
import { pairs, REQUESTS, requestsFor, type Wanted, writeQueries } from './lib/route-pairs.js';
import type { BenchCase, BenchSuite } from './lib/suite.js';

const service = makeService(0);

/** Hosts that find-my-way takes for one path. */
const HOSTS_MAX = 31;

/** What a tenth of the routes has besides. */
type Special = 'a header condition' | 'a pattern' | null;

function routeOf(wanted: Wanted, index: number, special: Special): Route {
  const marked = special !== null && index % 10 === 0;
  return makeRoute(index, {
    hosts: [wanted.host],
    paths: [marked && special === 'a pattern' ? `~${wanted.prefix}/\\w+` : wanted.prefix],
    headers: marked && special === 'a header condition' ? { 'x-canary': ['on'] } : null,
    service,
  });
}

function install(core: Core, routes: readonly Route[]): void {
  const encoded = encodeTable({
    routes,
    services: [service],
    perRoute: () => emptyPlan,
    unmatched: emptyPlan,
    targetIndex: () => 0,
  });
  if ('problems' in encoded) throw new Error('the routes of this benchmark do not encode');
  installTable(core, encoded);
}

function suiteOf(count: number, special: Special): BenchSuite {
  const all = pairs(count);
  const requests = requestsFor(all);
  const core = createCore({ build: 'release' });
  install(
    core,
    all.map((wanted, index) => routeOf(wanted, index, special)),
  );
  const queries = writeQueries(core, requests);
  const { route_match: match } = core.exports;
  const router = findMyWay();
  for (const { host, prefix } of all) {
    router.on('GET', `/${host}${prefix}/*`, () => {});
  }
  const paths = requests.map(({ host, prefix }) => `/${host}${prefix}/items/42`);
  const missing = special !== 'a header condition' && queries.some((query) => match(query) < 0);
  if (missing) throw new Error('no match');
  if (!router.find('GET', paths[0])) throw new Error('find-my-way finds nothing');
  return {
    name: `${count} routes${special ? `, a tenth with ${special}` : ''}`,
    cases: [
      ...(special ? [] : constrained(all, requests)),
      {
        name: 'find-my-way',
        baseline: true,
        operations: REQUESTS,
        fn: () => {
          for (let i = 0; i < REQUESTS; i++) router.find('GET', paths[i]);
        },
      },
      {
        name: 'core',
        operations: REQUESTS,
        fn: () => {
          for (let i = 0; i < REQUESTS; i++) match(queries[i]);
        },
      },
    ],
  };
}

/** find-my-way's own way to hosts, where it takes that many. */
function constrained(all: readonly Wanted[], requests: readonly Wanted[]): BenchCase[] {
  if (new Set(all.map(({ host }) => host)).size > HOSTS_MAX) return [];
  const router = findMyWay();
  for (const { host, prefix } of all) {
    router.on('GET', `${prefix}/*`, { constraints: { host } }, () => {});
  }
  const asked = requests.map(({ host, prefix }) => [`${prefix}/items/42`, { host }] as const);
  const fn = () => {
    for (let i = 0; i < REQUESTS; i++) router.find('GET', asked[i][0], asked[i][1]);
  };
  return [{ name: 'find-my-way, hosts as constraints', operations: REQUESTS, fn }];
}

export const suites: BenchSuite[] = [
  ...[1, 100, 10_000, 100_000].map((count) => suiteOf(count, null)),
  ...[100, 10_000, 100_000].map((count) => suiteOf(count, 'a header condition')),
  ...[100, 10_000, 100_000].map((count) => suiteOf(count, 'a pattern')),
];
