/** Drives the router of a core directly: routes in, look-ups out, no sockets. */
import type { Route } from '../../../src/config/model.js';
import { putAddress } from '../../../src/core/address.js';
import type { Core } from '../../../src/core/instance.js';
import { HeaderEntry, Protocol, Region, RouteQuery } from '../../../src/core/layout.js';
import type { LookupRequest } from '../../../src/core/route-lookup.js';
import {
  type EncodedTable,
  encodeTable,
  installTable,
  type RouterFlavor,
} from '../../../src/core/router.js';
import { emptyPlan } from '../../support/entities.js';

export type RouterRequest = LookupRequest;

export interface LookUp {
  /** Index of the route, -1: none, -2: the path is refused with 400. */
  readonly route: number;
  /** Matched path bytes. */
  readonly prefixLength: number;
  /** Upstream target as a binary string; null without a route or a service. */
  readonly target: string | null;
}

export function makeRequest(fields: Partial<RouterRequest> = {}): RouterRequest {
  return {
    method: 'GET',
    host: 'any.test',
    target: '/',
    headers: [],
    secure: false,
    localPort: 80,
    peer: '127.0.0.1',
    peerPort: 50000,
    local: '127.0.0.1',
    sni: null,
    ...fields,
  };
}

/** Encodes the routes and their services. Throws where the encoder reports problems. */
export function encode(routes: readonly Route[], flavor?: RouterFlavor): EncodedTable {
  const services = [...new Set(routes.flatMap((route) => route.service ?? []))];
  const encoded = encodeTable({
    flavor,
    routes,
    services,
    perRoute: () => emptyPlan,
    unmatched: emptyPlan,
    targetIndex: (service) => services.indexOf(service),
  });
  if ('problems' in encoded) throw new Error(JSON.stringify(encoded.problems));
  return encoded;
}

/** Puts the routes into use; returns the generation. */
export function install(core: Core, routes: readonly Route[], flavor?: RouterFlavor): number {
  return installTable(core, encode(routes, flavor));
}

/** Normal form of a path as a binary string, null where it is refused. */
export function normalise(core: Core, path: string): string | null {
  const at = Region.read.offset;
  core.buffer.write(path, at, 'latin1');
  const out = Region.path.offset;
  const length = core.exports.normalize_path(at, path.length, out);
  return length < 0 ? null : core.buffer.toString('latin1', out, out + length);
}

/** Normalises, matches and builds the upstream target, as the proxy does. */
export function lookUp(core: Core, routes: readonly Route[], request: RouterRequest): LookUp {
  const query = writeQuery(core, request);
  if (query < 0) return { route: -2, prefixLength: 0, target: null };
  const route = core.exports.route_match(query);
  const prefixLength = core.u32[(query + RouteQuery.prefixLength) >> 2];
  if (route < 0 || !routes[route].service) return { route, prefixLength, target: null };
  const out = Region.out.offset;
  const length = core.exports.route_target(query, route, out);
  return { route, prefixLength, target: core.buffer.toString('latin1', out, out + length) };
}

/** Writes a RouteQuery with all it points at; its pointer, or -1 where the path is refused. */
export function writeQuery(core: Core, request: RouterRequest): number {
  const query = Region.routeScratch.offset;
  let end = Region.read.offset;
  const put = (text: string): number => {
    const at = end;
    core.buffer.write(text, at, 'latin1');
    end += text.length;
    return at;
  };
  const set = (field: number, value: number) => {
    core.u32[(query + field) >> 2] = value;
  };
  const mark = request.target.indexOf('?', 1);
  const pathBytes = mark < 0 ? request.target.length : mark;
  const target = put(request.target);
  const path = Region.path.offset;
  const pathLength = core.exports.normalize_path(target, pathBytes, path);
  if (pathLength < 0) return -1;
  set(RouteQuery.method, put(request.method));
  set(RouteQuery.methodLength, request.method.length);
  set(RouteQuery.host, put(request.host ?? ''));
  set(RouteQuery.hostLength, request.host?.length ?? 0);
  set(RouteQuery.target, target);
  set(RouteQuery.targetLength, request.target.length);
  set(RouteQuery.path, path);
  set(RouteQuery.pathLength, pathLength);
  set(RouteQuery.headers, Region.requestHeaders.offset);
  set(RouteQuery.headerCount, request.headers.length);
  set(RouteQuery.protocol, request.secure ? Protocol.HTTPS : Protocol.HTTP);
  set(RouteQuery.localPort, request.localPort);
  set(RouteQuery.peerPort, request.peerPort);
  putAddress(core.u8, query + RouteQuery.clientAddress, request.peer);
  putAddress(core.u8, query + RouteQuery.localAddress, request.local);
  set(RouteQuery.sni, put(request.sni ?? ''));
  set(RouteQuery.sniLength, request.sni?.length ?? 0);
  request.headers.forEach(([name, value], index) => {
    const entry = Region.requestHeaders.offset + index * HeaderEntry.size;
    core.u32[(entry + HeaderEntry.name) >> 2] = put(name);
    core.u32[(entry + HeaderEntry.value) >> 2] = put(value);
    core.u16[(entry + HeaderEntry.nameLength) >> 1] = name.length;
    core.u16[(entry + HeaderEntry.valueLength) >> 1] = value.length;
  });
  return query;
}
