/** The request target toward the upstream: service path, rest of the request path, query. */
// raw memory: single bytes at the ends of paths
import { findByte, put } from '../bytes';
import { ROUTE_FLAG_PATH_V1, ROUTE_FLAG_STRIP_PATH, RouteQuery, RouteRecord } from '../layout';
import { findHigh } from '../http/classes';
import { putEscape, putEscaped } from '../http/path';
import { serviceAt, tableBase } from './table';

const SLASH: u8 = 0x2f;
const DOT: u8 = 0x2e;

/**
 * Writes the upstream target at d and returns its end: at most 3 * (service path + path + query)
 * bytes. Needs the query as matchRoute left it, and a route that has a service.
 */
export function putUpstreamTarget(d: usize, query: RouteQuery, route: RouteRecord): usize {
  const service = serviceAt(<u32>route.service);
  const from = tableBase() + service.path;
  const n = <usize>service.pathLength;
  const path = <usize>query.path;
  const end = path + query.pathLength;
  if (route.flags & ROUTE_FLAG_PATH_V1) {
    d = putJoined(d, from, n, path, end, query.prefixLength, route.flags);
  } else if (route.flags & ROUTE_FLAG_STRIP_PATH) {
    d = putStripped(d, from, n, path, end, query.prefixLength);
  } else {
    d = putWhole(d, from, n, path, end);
  }
  const target = <usize>query.target;
  const targetEnd = target + query.targetLength;
  const mark = target < targetEnd ? findByte(target + 1, targetEnd, 0x3f) : targetEnd;
  return putQuery(d, mark, targetEnd);
}

/** The query as it was sent, but octets that no URI may have (RFC 3986 3.4) are escaped. */
function putQuery(d: usize, p: usize, end: usize): usize {
  let high = findHigh(p, end);
  while (high < end) {
    d = putEscape(put(d, p, high - p), load<u8>(high));
    p = high + 1;
    high = findHigh(p, end);
  }
  return put(d, p, end - p);
}

/** path_handling v1: base and path as they are, without a slash that both have or neither has. */
function putJoined(
  d: usize,
  base: usize,
  n: usize,
  path: usize,
  end: usize,
  prefixLength: u32,
  flags: u32,
): usize {
  if (!(flags & ROUTE_FLAG_STRIP_PATH)) {
    d = putEscaped(d, base, n);
    return path < end ? putEscaped(d, path + 1, end - path - 1) : d;
  }
  const rest = sanitised(restAfter(path, end, prefixLength), end);
  const twice = endsWithSlash(base, base + n) && rest < end && load<u8>(rest) == SLASH;
  d = putEscaped(d, base, twice ? n - 1 : n);
  return putEscaped(d, rest, end - rest);
}

/** strip_path off: base and path with one slash between them. */
function putWhole(d: usize, base: usize, n: usize, path: usize, end: usize): usize {
  const slashed = endsWithSlash(base, base + n);
  if (!slashed && end - path == 1 && load<u8>(path) == SLASH) return putEscaped(d, base, n);
  d = putEscaped(d, base, n);
  if (slashed && path < end) path++;
  return putEscaped(d, path, end - path);
}

/** strip_path on: base and what the route did not match, with one slash between them. */
function putStripped(
  d: usize,
  base: usize,
  n: usize,
  path: usize,
  end: usize,
  prefixLength: u32,
): usize {
  const slashed = endsWithSlash(base, base + n);
  const pathSlashed = endsWithSlash(path, end);
  const rest = sanitised(restAfter(path, end, prefixLength), end);
  if (rest == end) {
    if (!slashed) {
      d = putEscaped(d, base, n);
      return end - path > 1 && pathSlashed ? put(d, end - 1, 1) : d;
    }
    return putEscaped(d, base, n == 1 || pathSlashed ? n : n - 1);
  }
  const restSlashed = load<u8>(rest) == SLASH;
  d = putEscaped(d, base, slashed && restSlashed ? n - 1 : n);
  if (!slashed && !restSlashed) store<u8>(d++, SLASH);
  return putEscaped(d, rest, end - rest);
}

/** Without a matched prefix the leading slash counts as one. */
function restAfter(path: usize, end: usize, prefixLength: u32): usize {
  const n: usize = prefixLength ? <usize>prefixLength : 1;
  return n < end - path ? path + n : end;
}

/** Drops one leading "./" or "../", and a rest that is nothing but dots of that kind. */
function sanitised(p: usize, end: usize): usize {
  let dots = p;
  while (dots < end && dots - p < 2 && load<u8>(dots) == DOT) dots++;
  if (dots == p) return p;
  if (dots == end) return end;
  return load<u8>(dots) == SLASH ? dots + 1 : p;
}

// @ts-ignore: decorator
@inline
function endsWithSlash(p: usize, end: usize): bool {
  return p < end && load<u8>(end - 1) == SLASH;
}
