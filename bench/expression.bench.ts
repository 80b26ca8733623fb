/**
 * Finding a route by an expression over host and path among 1 to 100,000, beside classic routes of
 * the same meaning; and what it costs where no condition narrows the search.
 */
import type { Route } from '../src/config/model.js';
import { type Core, createCore } from '../src/core/instance.js';
import { HeaderEntry, Region } from '../src/core/layout.js';
import { encodeTable, installTable } from '../src/core/router.js';
import { emptyPlan, makeRoute } from '../test/support/entities.js';
import {
  type Put,
  pairs,
  REQUESTS,
  requestsFor,
  type Wanted,
  writeQueries,
} from './lib/route-pairs.js';
import type { BenchCase, BenchSuite } from './lib/suite.js';

/** A case of its own core, with the routes installed and the requests written. */
function caseOf(name: string, routes: readonly Route[], requests: readonly Wanted[]): BenchCase {
  const core = createCore({ build: 'release' });
  const encoded = encodeTable({
    flavor: 'expressions',
    routes,
    services: [],
    perRoute: () => emptyPlan,
    unmatched: emptyPlan,
    targetIndex: () => 0,
  });
  if ('problems' in encoded) throw new Error('the routes of this benchmark do not encode');
  installTable(core, encoded);
  const queries = writeQueries(core, requests, (put) => oneHeader(core, put));
  const { route_match: match } = core.exports;
  if (queries.some((query) => match(query) < 0)) throw new Error('no match');
  return {
    name,
    operations: REQUESTS,
    fn: () => {
      for (let i = 0; i < REQUESTS; i++) match(queries[i]);
    },
  };
}

/** One header for all of them. */
function oneHeader(core: Core, put: Put): [entry: number, count: number] {
  const entry = Region.requestHeaders.offset;
  core.u32[(entry + HeaderEntry.name) >> 2] = put('X-Tenant');
  core.u32[(entry + HeaderEntry.value) >> 2] = put('blue');
  core.u16[(entry + HeaderEntry.nameLength) >> 1] = 8;
  core.u16[(entry + HeaderEntry.valueLength) >> 1] = 4;
  return [entry, 1];
}

function suiteOf(count: number): BenchSuite {
  const all = pairs(count);
  const requests = requestsFor(all);
  const routes = (fields: (wanted: Wanted, index: number) => Partial<Route>) =>
    all.map((wanted, index) => makeRoute(index, fields(wanted, index)));
  const classic = routes(({ host, prefix }) => ({ hosts: [host], paths: [prefix] }));
  const expressions = routes(({ host, prefix }, index) => {
    const more = index % 10 === 0 ? ' && http.headers.x_tenant == "blue"' : '';
    return { expression: `http.host == "${host}" && http.path ^= "${prefix}"${more}` };
  });
  return {
    name: `${count} routes by host and prefix`,
    cases: [
      { ...caseOf('classic fields', classic, requests), baseline: true },
      caseOf('expressions, a tenth with a header', expressions, requests),
    ],
  };
}

/** Every expression is tried until one holds: the first one, in the worst case the last. */
function unnarrowed(count: number): BenchSuite {
  const all = pairs(count);
  const requests = Array.from({ length: REQUESTS }, () => all[0]);
  const routes = all.map(({ host }, index) => {
    return makeRoute(index, { expression: `lower(http.host) == "${host}"` });
  });
  return {
    name: `${count} routes that only their expression tells apart`,
    cases: [caseOf('expressions', routes, requests)],
  };
}

export const suites: BenchSuite[] = [
  ...[1, 100, 10_000, 100_000].map(suiteOf),
  unnarrowed(100),
  unnarrowed(1000),
];
