/**
 * Finding a route by host and prefix among 1 to 100,000 in the core beside find-my-way. That one
 * takes no more than 31 hosts per path: where there are more it gets the host as the first segment
 * of its path, the text made ready beforehand.
 */
import findMyWay from 'find-my-way';
import type { Route, Service } from '../src/config/model.js';
import { type Core, createCore } from '../src/core/instance.js';
import { Protocol, Region, RouteQuery } from '../src/core/layout.js';
import { encodeTable, installTable } from '../src/core/router.js';
import type { BenchCase, BenchSuite } from './lib/suite.js';

const plan = { phases: 0, metricSlot: 0, ringIds: [], plan: 0 };
const base = { tags: null, created_at: 1, updated_at: 1 };
const service: Service = {
  ...base,
  id: '00000000-0000-4000-8000-000000000000',
  name: 'svc',
  protocol: 'http',
  host: 'svc.internal',
  port: 80,
  path: null,
  retries: 5,
  connect_timeout: 60000,
  write_timeout: 60000,
  read_timeout: 60000,
  tls_verify: null,
  tls_verify_depth: null,
  ca_certificates: null,
  client_certificate: null,
  enabled: true,
};

/** Look-ups cycle through this many different requests. */
const REQUESTS = 512;
/** Hosts that find-my-way takes for one path. */
const HOSTS_MAX = 31;

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

/** What a tenth of the routes has besides. */
type Special = 'a header condition' | 'a pattern' | null;

function routeOf(wanted: Wanted, index: number, special: Special): Route {
  const marked = special !== null && index % 10 === 0;
  return {
    ...base,
    id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
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
    hosts: [wanted.host],
    paths: [marked && special === 'a pattern' ? `~${wanted.prefix}/\\w+` : wanted.prefix],
    headers: marked && special === 'a header condition' ? { 'x-canary': ['on'] } : null,
    snis: null,
    sources: null,
    destinations: null,
    expression: null,
    priority: 0,
    service,
  };
}

function install(core: Core, routes: readonly Route[]): void {
  const encoded = encodeTable({
    routes,
    services: [service],
    perRoute: () => plan,
    unmatched: plan,
    targetIndex: () => 0,
  });
  if ('problems' in encoded) throw new Error('the routes of this benchmark do not encode');
  installTable(core, encoded);
}

/** Writes one RouteQuery per request; returns their pointers. */
function writeQueries(core: Core, requests: readonly Wanted[]): number[] {
  let end = Region.read.offset;
  const put = (text: string): number => {
    const at = end;
    end += core.buffer.write(text, at, 'latin1');
    return at;
  };
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
      [RouteQuery.protocol, Protocol.HTTP],
      [RouteQuery.localPort, 80],
    ];
    for (const [field, value] of fields) core.u32[(query + field) >> 2] = value;
    return query;
  });
}

function suiteOf(count: number, special: Special): BenchSuite {
  const all = pairs(count);
  // a stride that shares no factor with the counts visits hosts and prefixes in no order
  const requests = Array.from({ length: REQUESTS }, (_, index) => all[(index * 7919) % count]);
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
