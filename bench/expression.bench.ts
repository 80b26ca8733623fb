/**
 * Finding a route by an expression over host and path among 1 to 100,000, beside classic routes of
 * the same meaning; and what it costs where no condition narrows the search.
 */
import type { Route } from '../src/config/model.js';
import { type Core, createCore } from '../src/core/instance.js';
import { HeaderEntry, Protocol, Region, RouteQuery } from '../src/core/layout.js';
import { encodeTable, installTable } from '../src/core/router.js';
import type { BenchCase, BenchSuite } from './lib/suite.js';

/** Look-ups cycle through this many different requests. */
const REQUESTS = 512;

const plan = { phases: 0, metricSlot: 0, ringIds: [], plan: 0 };

interface Wanted {
  readonly host: string;
  readonly prefix: string;
}

/** `count` pairs of host and prefix, as many hosts as prefixes. */
function pairs(count: number): Wanted[] {
  const side = Math.ceil(Math.sqrt(count));
  return Array.from({ length: count }, (_, index) => ({
    host: `tenant-${Math.floor(index / side)}.example.com`,
    prefix: `/api/v1/resource-${index % side}`,
  }));
}

function routeOf(index: number, fields: Partial<Route>): Route {
  return {
    id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    tags: null,
    created_at: 1,
    updated_at: 1,
    name: `route-${index}`,
    protocols: ['http', 'https'],
    https_redirect_status_code: 426,
    strip_path: true,
    preserve_host: false,
    request_buffering: true,
    response_buffering: true,
    regex_priority: 0,
    path_handling: 'v0',
    methods: null,
    hosts: null,
    paths: null,
    headers: null,
    snis: null,
    sources: null,
    destinations: null,
    expression: null,
    priority: 0,
    service: null,
    ...fields,
  };
}

/** A case of its own core, with the routes installed and the requests written. */
function caseOf(name: string, routes: readonly Route[], requests: readonly Wanted[]): BenchCase {
  const core = createCore({ build: 'release' });
  const encoded = encodeTable({
    flavor: 'expressions',
    routes,
    services: [],
    perRoute: () => plan,
    unmatched: plan,
    targetIndex: () => 0,
  });
  if ('problems' in encoded) throw new Error('the routes of this benchmark do not encode');
  installTable(core, encoded);
  const queries = writeQueries(core, requests);
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

/** Writes one RouteQuery per request, each with one header; returns their pointers. */
function writeQueries(core: Core, requests: readonly Wanted[]): number[] {
  let end = Region.read.offset;
  const put = (text: string): number => {
    const at = end;
    end += core.buffer.write(text, at, 'latin1');
    return at;
  };
  const entry = Region.requestHeaders.offset;
  core.u32[(entry + HeaderEntry.name) >> 2] = put('X-Tenant');
  core.u32[(entry + HeaderEntry.value) >> 2] = put('blue');
  core.u16[(entry + HeaderEntry.nameLength) >> 1] = 8;
  core.u16[(entry + HeaderEntry.valueLength) >> 1] = 4;
  return requests.map(({ host, prefix }, index) => {
    const query = Region.out.offset + index * RouteQuery.size;
    const path = `${prefix}/items/42`;
    const fields: [number, number][] = [
      [RouteQuery.method, put('GET')],
      [RouteQuery.methodLength, 3],
      [RouteQuery.host, put(host)],
      [RouteQuery.hostLength, host.length],
      [RouteQuery.path, put(path)],
      [RouteQuery.pathLength, path.length],
      [RouteQuery.headers, entry],
      [RouteQuery.headerCount, 1],
      [RouteQuery.protocol, Protocol.HTTP],
      [RouteQuery.localPort, 80],
    ];
    for (const [field, value] of fields) core.u32[(query + field) >> 2] = value;
    return query;
  });
}

function suiteOf(count: number): BenchSuite {
  const all = pairs(count);
  // a stride that shares no factor with the counts visits hosts and prefixes in no order
  const requests = Array.from({ length: REQUESTS }, (_, index) => all[(index * 7919) % count]);
  const routes = (fields: (wanted: Wanted, index: number) => Partial<Route>) =>
    all.map((wanted, index) => routeOf(index, fields(wanted, index)));
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
    return routeOf(index, { expression: `lower(http.host) == "${host}"` });
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
