/** One look-up from the shell: writes a request for the core's router and reads what it found. */
import { limits } from '../limits.js';
import { putAddress } from './address.js';
import type { Core } from './instance.js';
import { HeaderEntry, Protocol, Region, RouteQuery } from './layout.js';

/** A request as the router sees it; texts are binary strings (one character per byte). */
export interface LookupRequest {
  readonly method: string;
  /** Raw Host value, null: none. */
  readonly host: string | null;
  /** Raw origin-form target, query included. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly secure: boolean;
  readonly localPort: number;
  /** Addresses and port of both ends. */
  readonly peer: string;
  readonly peerPort: number;
  readonly local: string;
  readonly sni: string | null;
}

export interface Lookup {
  /** Index of the route, -1: none. */
  readonly route: number;
  /** The normalised path. */
  readonly path: string;
  /** Its bytes that the route matched. */
  readonly prefixLength: number;
  /** Pointer of the query, for `upstreamTarget`; valid until the next look-up. */
  readonly query: number;
}

/** Finds the route; null for a request that a gateway refuses before it looks. */
export function lookUpRoute(core: Core, request: LookupRequest): Lookup | null {
  const { target, headers } = request;
  const bytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  const { requestLineBytes, requestHeadBytes, headerCount } = limits;
  if (target.length > requestLineBytes.value || bytes > requestHeadBytes.value) return null;
  if (headers.length > headerCount.value) return null;
  const query = writeQuery(core, request);
  if (query === 0) return null;
  const route = core.exports.route_match(query);
  const path = core.u32[(query + RouteQuery.path) >> 2];
  return {
    route,
    path: core.buffer.latin1Slice(path, path + core.u32[(query + RouteQuery.pathLength) >> 2]),
    prefixLength: core.u32[(query + RouteQuery.prefixLength) >> 2],
    query,
  };
}

/** The request target toward the upstream, as a binary string; the route must have a service. */
export function upstreamTarget(core: Core, { query, route }: Lookup): string {
  const out = Region.out.offset;
  return core.buffer.latin1Slice(out, out + core.exports.route_target(query, route, out));
}

/** Returns 0 where the path is none. */
function writeQuery(core: Core, request: LookupRequest): number {
  const query = Region.routeScratch.offset;
  let end = Region.read.offset;
  const put = (text: string): number => {
    const at = end;
    core.buffer.latin1Write(text, at);
    end += text.length;
    return at;
  };
  const set = (field: number, value: number) => {
    core.u32[(query + field) >> 2] = value;
  };
  const { target, headers, host, sni, method } = request;
  const mark = target.indexOf('?', 1);
  const at = put(target);
  const path = Region.path.offset;
  const pathBytes = mark < 0 ? target.length : mark;
  const pathLength = core.exports.normalize_path(at, pathBytes, path);
  if (pathLength < 0) return 0;
  set(RouteQuery.target, at);
  set(RouteQuery.targetLength, target.length);
  set(RouteQuery.path, path);
  set(RouteQuery.pathLength, pathLength);
  set(RouteQuery.method, put(method));
  set(RouteQuery.methodLength, method.length);
  set(RouteQuery.host, put(host ?? ''));
  set(RouteQuery.hostLength, host?.length ?? 0);
  set(RouteQuery.sni, put(sni ?? ''));
  set(RouteQuery.sniLength, sni?.length ?? 0);
  set(RouteQuery.headers, Region.requestHeaders.offset);
  set(RouteQuery.headerCount, headers.length);
  set(RouteQuery.protocol, request.secure ? Protocol.HTTPS : Protocol.HTTP);
  set(RouteQuery.localPort, request.localPort);
  set(RouteQuery.peerPort, request.peerPort);
  putAddress(core.u8, query + RouteQuery.clientAddress, request.peer);
  putAddress(core.u8, query + RouteQuery.localAddress, request.local);
  headers.forEach(([name, value], index) => {
    const entry = Region.requestHeaders.offset + index * HeaderEntry.size;
    core.u32[(entry + HeaderEntry.name) >> 2] = put(name);
    core.u32[(entry + HeaderEntry.value) >> 2] = put(value);
    core.u16[(entry + HeaderEntry.nameLength) >> 1] = name.length;
    core.u16[(entry + HeaderEntry.valueLength) >> 1] = value.length;
  });
  return query;
}
