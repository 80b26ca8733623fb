import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import {
  Control,
  Matcher,
  Region,
  RouteFlag,
  RouteRecord,
  ServiceRecord,
  TableHeader,
} from '../../../src/core/layout.js';
import { encodeTable, installTable, upstreamHost } from '../../../src/core/router.js';
import { emptyPlan, makeRoute, makeService } from '../../support/entities.js';
import { encode, install, lookUp, makeRequest } from './harness.js';

const core = createCore();

/** A few routes with something of everything that a table can hold. */
const routes = [
  makeRoute(0, { hosts: ['a.test', '*.b.test', 'c.*:81'], paths: ['/a', '/ab', '/b'] }),
  makeRoute(1, { paths: ['/'], methods: ['GET'], headers: { x: ['1', '~*^o.e$'] } }),
  makeRoute(2, { hosts: ['a.test'], paths: ['~/\\w+/(?<id>é|[0-9])'], service: makeService(0) }),
  makeRoute(3, { snis: ['*.s.test'], protocols: ['https'], service: makeService(1) }),
];

const requests = ['/ab/c', '/w/1', '/', '/zzz'].flatMap((target) =>
  ['a.test', 'x.b.test', 'c.de:81', 'none'].map((host) =>
    makeRequest({ target, host, headers: [['x', 'one']], secure: true, sni: 'q.s.test' }),
  ),
);

function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}

describe('encoded records', () => {
  const service = makeService(7, { name: null, path: '/p', port: 8080, connect_timeout: 11 });
  const route = makeRoute(1, { name: 'öne', paths: ['/'], service, preserve_host: true });
  const encoded = encodeTable({
    routes: [route],
    services: [service],
    perRoute: () => ({ phases: 3, metricSlot: 4, ringIds: [5, 6], plan: 7 }),
    unmatched: { phases: 16, metricSlot: 1, ringIds: [2], plan: 9 },
    targetIndex: () => 42,
  });
  if ('problems' in encoded) throw new Error('does not encode');
  const { bytes } = encoded;
  const u32 = words(bytes);
  const text = (at: number, length: number) =>
    Buffer.from(bytes.subarray(at, at + length)).toString('utf8');

  test('a route says how it is proxied and what the debug header shows', () => {
    const at = u32[TableHeader.routes >> 2] >> 2;
    const field = (offset: number) => u32[at + (offset >> 2)];
    expect(field(RouteRecord.service)).toBe(0);
    expect(field(RouteRecord.protocols)).toBe(3);
    expect(field(RouteRecord.flags) & RouteFlag.PRESERVE_HOST).toBe(RouteFlag.PRESERVE_HOST);
    expect(field(RouteRecord.redirectStatus)).toBe(426);
    expect(field(RouteRecord.phases)).toBe(3);
    expect(field(RouteRecord.plan)).toBe(7);
    const rings = field(RouteRecord.rings) >> 2;
    expect([...u32.subarray(rings, rings + field(RouteRecord.ringCount))]).toEqual([5, 6]);
    expect(text(field(RouteRecord.debug), field(RouteRecord.debugLength))).toBe(
      `Kong-Route-Id: ${route.id}\r\nKong-Route-Name: öne\r\nKong-Service-Id: ${service.id}\r\n`,
    );
  });

  test('one more record is for requests that match nothing', () => {
    const at = (u32[TableHeader.routes >> 2] + RouteRecord.size) >> 2;
    expect(u32[at + (RouteRecord.service >> 2)]).toBe(0xffffffff);
    expect(u32[at + (RouteRecord.plan >> 2)]).toBe(9);
    expect(u32[at + (RouteRecord.debugLength >> 2)]).toBe(0);
  });

  test('a service says where and how long', () => {
    const at = u32[TableHeader.services >> 2] >> 2;
    const field = (offset: number) => u32[at + (offset >> 2)];
    expect(field(ServiceRecord.target)).toBe(42);
    expect(field(ServiceRecord.connectTimeoutMs)).toBe(11);
    expect(text(field(ServiceRecord.path), field(ServiceRecord.pathLength))).toBe('/p');
    expect(text(field(ServiceRecord.host), field(ServiceRecord.hostLength))).toBe(
      'svc.internal:8080',
    );
  });

  test.each([
    ['http', 'a.test', 80, 'a.test'],
    ['http', 'a.test', 443, 'a.test:443'],
    ['https', 'a.test', 443, 'a.test'],
    ['https', 'a.test', 80, 'a.test:80'],
    ['grpcs', 'a.test', 443, 'a.test'],
    ['http', '::1', 8080, '[::1]:8080'],
  ] as const)('Host toward %s://%s:%i is %s', (protocol, host, port, want) => {
    expect(upstreamHost(makeService(0, { protocol, host, port }))).toBe(want);
  });

  test('what cannot be encoded is named, all of it at once', () => {
    const input = {
      routes: [
        makeRoute(0, { paths: ['~/(', '~/[b-a]'] }),
        makeRoute(1, { expression: 'http.path == "/"' }),
        makeRoute(2, { headers: { x: ['~*(?=a)'] } }),
      ],
      services: [],
      perRoute: () => emptyPlan,
      unmatched: emptyPlan,
      targetIndex: () => 0,
    };
    const result = encodeTable(input);
    const found = 'problems' in result ? result.problems.map((p) => [p.route, p.field]) : [];
    expect(found.sort()).toEqual([
      [0, 'paths'],
      [0, 'paths'],
      [1, 'expression'],
      [2, 'headers'],
    ]);
  });

  test('more log queues on a route than the limit are an error', () => {
    const input = { routes: [], services: [], perRoute: () => emptyPlan, targetIndex: () => 0 };
    const unmatched = { ...emptyPlan, ringIds: new Array<number>(9).fill(0) };
    expect(() => encodeTable({ ...input, unmatched })).toThrow(/log queues/);
  });
});

describe('installing', () => {
  test('each table is a new generation in the other arena', () => {
    const base = () => core.u32[(Region.control.offset + Control.routeBase) >> 2];
    const first = install(core, routes);
    const firstBase = base();
    expect(install(core, [])).toBe(first + 1);
    expect(base()).not.toBe(firstBase);
    expect(lookUp(core, [], makeRequest()).route).toBe(-1);
    expect(install(core, routes)).toBe(first + 2);
    expect(base()).toBe(firstBase);
  });

  test('a table above the limit is refused before it is written', () => {
    const bytes = new Uint8Array(Region.routesA.bytes + 4);
    expect(() => installTable(core, { bytes })).toThrow(/more than the limit/);
  });

  test.each([
    ['HEADER', TableHeader.magic, 1],
    ['HEADER', TableHeader.bytes, 0x7fffffff],
    ['HEADER', TableHeader.matcher, 0xfffffff0],
    ['ROUTES', TableHeader.routeCount, 0xffffffff],
    ['ROUTES', TableHeader.routeCount, 1 << 24],
    ['ROUTES', TableHeader.routes, 2],
    ['SERVICES', TableHeader.services, 0xfffffff0],
  ])('%s is named for a bad word at %i', (name, offset, value) => {
    const generation = install(core, routes);
    const bytes = encode(routes).bytes.slice();
    words(bytes)[offset >> 2] = value;
    expect(() => installTable(core, { bytes })).toThrow(new RegExp(`route table: ${name}`));
    expect(core.u32[(Region.control.offset + Control.generation) >> 2]).toBe(generation);
  });

  test.each([
    ['NODES', Matcher.nodeCount],
    ['HOSTS', Matcher.exactMask],
    ['CANDIDATES', Matcher.candidateCount],
    ['CHECKS', Matcher.itemCount],
  ])('%s is named for a bad word of the matcher', (name, offset) => {
    const bytes = encode(routes).bytes.slice();
    const u32 = words(bytes);
    u32[(u32[TableHeader.matcher >> 2] + offset) >> 2] = 1 << 24;
    expect(() => installTable(core, { bytes })).toThrow(name);
  });

  test('a damaged table is refused or leads nowhere outside of it', () => {
    const intact = encode(routes).bytes;
    const anyWord = fc.oneof(
      fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, intact.length),
      fc.nat({ max: 512 }),
      fc.nat({ max: 0xffffffff }),
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.nat({ max: (intact.length >> 2) - 1 }), anyWord, (at, value) => {
        const bytes = intact.slice();
        words(bytes)[at] = value;
        try {
          installTable(core, { bytes });
        } catch (error) {
          expect(error).toMatchObject({ code: 'GW_E_CONFIG_INVALID' });
          return;
        }
        accepted++;
        for (const request of requests) {
          expect(lookUp(core, routes, request).route).toBeLessThan(routes.length);
        }
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});
