/**
 * Finds the route of a request. Hosts are looked up by hash, paths by walking one prefix tree per
 * host; the routes without hosts have a tree of their own. Candidates carry their place in the
 * order of all routes, so the best of all trees wins, whatever its kind.
 */
// raw memory: single bytes of host and path, 16 labels at a time
import { equal } from '../bytes';
import {
  CANDIDATE_SIZE,
  Candidate,
  HOST_SLOT_SIZE,
  HostSlot,
  MATCHER_FLAVOR_TRADITIONAL,
  Matcher,
  NEED_PATH,
  PROTOCOL_GRPCS,
  PROTOCOL_HTTPS,
  PATH_NODE_SIZE,
  PathNode,
  RouteQuery,
  TableHeader,
} from '../layout';
import { checksHold, regexPrefixLength } from './checks';
import { bareHost, bareLength, splitHost, splitTraditional } from './host';
import { LOWERED, lowerText } from './lowered';
import { matcherAt, tableBase } from './table';
import { isUtf8 } from './utf8';

export { putUpstreamTarget } from './target';

/** No candidate has this order. */
const NO_ORDER: u32 = u32.MAX_VALUE;

// the answer so far of the look-up that runs; nothing here outlives a call
let bestOrder: u32 = 0;
let bestRoute: i32 = 0;
let bestPrefix: u32 = 0;
let port: u32 = 0;
let base: usize = 0;
let matcher: Matcher = changetype<Matcher>(0);

/**
 * Index of the route that matches, or -1; the bytes of the path that it matched are left in
 * query.prefixLength. Hosts, methods and paths compare byte by byte.
 */
export function matchRoute(query: RouteQuery): i32 {
  query.prefixLength = 0;
  base = tableBase();
  if (!base) return -1;
  const header = changetype<TableHeader>(base);
  matcher = matcherAt(base);
  bestOrder = NO_ORDER;
  bestRoute = -1;
  bestPrefix = 0;

  if (matcher.flavor == MATCHER_FLAVOR_TRADITIONAL) matchTraditional(query);
  else {
    if (header.needs & NEED_PATH && !isUtf8(query.path, query.pathLength)) return -1;
    matchEngine(query);
  }
  if (matcher.anyHost >= 0) walk(query, <u32>matcher.anyHost);
  query.prefixLength = bestPrefix;
  return bestRoute;
}

/** Hosts as the engine flavours compare them: without the port, which is a condition of its own. */
function matchEngine(query: RouteQuery): void {
  const host = <usize>query.host;
  const split = splitHost(host, query.hostLength, query.localPort);
  const hostLength = <u32>split;
  port = <u32>(split >> 32);
  query.hostPort = port;
  if (!hostLength) return;
  if (hostLength <= matcher.exactMax) {
    const h = hashWords(host, hostLength);
    probe(query, matcher.exact, matcher.exactMask, h, host, hostLength);
  }
  if (matcher.bareMax) matchLowered(query, host, hostLength);
  matchWildcards(query, host, hostLength, hostLength);
}

/** Hosts that expressions compare in lower case; in the flavour `traditional` there are none. */
function matchLowered(query: RouteQuery, host: usize, hostLength: u32): void {
  const n = <u32>lowerText(host, hostLength);
  if (!n || n > matcher.bareMax) return;
  probe(query, matcher.bare, matcher.bareMask, hashWords(LOWERED, n), LOWERED, n);
}

/**
 * Hosts as the flavour `traditional` compares them: exact ones with all of the Host value and with
 * the part without port and brackets; the port of wildcards is that of the scheme by default.
 */
function matchTraditional(query: RouteQuery): void {
  const host = <usize>query.host;
  const n = query.hostLength;
  const secure = (query.protocol & (PROTOCOL_HTTPS | PROTOCOL_GRPCS)) != 0;
  port = secure ? 443 : 80;
  query.hostPort = query.localPort;
  if (!n) return;
  port = splitTraditional(host, n, port);
  if (n <= matcher.exactMax) {
    probe(query, matcher.exact, matcher.exactMask, hashWords(host, n), host, n);
  }
  const bare = bareHost;
  const bareBytes = bareLength;
  if (bareBytes && bareBytes <= matcher.bareMax) {
    probe(query, matcher.bare, matcher.bareMask, hashWords(bare, bareBytes), bare, bareBytes);
  }
  // a wildcard stands for one character at least
  if (bare == host && bareBytes) matchWildcards(query, host, bareBytes, bareBytes - 1);
}

/** Walks the trees of every wildcard that covers the host; `*` takes n - leftmost bytes or more. */
function matchWildcards(query: RouteQuery, host: usize, n: u32, leftmost: u32): void {
  if (matcher.rightMax) {
    const stop = n < matcher.rightMax ? n : matcher.rightMax;
    let h: u32 = HASH_START;
    for (let i: u32 = 0; i < stop; i++) {
      const c: u32 = load<u8>(host + i);
      h = (h ^ c) * HASH_PRIME;
      if (c == DOT) probe(query, matcher.right, matcher.rightMask, h, host, i + 1);
    }
  }
  if (matcher.leftMax) {
    const stop = leftmost < matcher.leftMax ? leftmost : matcher.leftMax;
    let h: u32 = HASH_START;
    for (let i: u32 = 1; i <= stop; i++) {
      const c: u32 = load<u8>(host + n - i);
      h = (h ^ c) * HASH_PRIME;
      if (c == DOT) probe(query, matcher.left, matcher.leftMask, h, host + n - i, i);
    }
  }
}

const HASH_START: u32 = 2166136261;
const HASH_PRIME: u32 = 16777619;
const DOT: u32 = 0x2e;

/** FNV-1a over words of four bytes, the last one filled up with zeros, and mixed at the end. */
function hashWords(p: usize, n: u32): u32 {
  const end = p + n;
  let h = HASH_START ^ n;
  for (; p + 4 <= end; p += 4) h = rotl((h ^ load<u32>(p)) * HASH_PRIME, 13);
  const left = <u32>(end - p) << 3;
  if (left) h = (h ^ (load<u32>(p) & ((1 << left) - 1))) * HASH_PRIME;
  return h ^ (h >> 15);
}

/** Walks the tree of the name, if the hash table at `slots` has it. */
function probe(query: RouteQuery, slots: u32, mask: u32, h: u32, name: usize, n: u32): void {
  for (let i = h & mask; ; i = (i + 1) & mask) {
    const slot = changetype<HostSlot>(base + slots + <usize>i * HOST_SLOT_SIZE);
    if (slot.nameLength == 0) return;
    if (slot.hash == h && slot.nameLength == n && equal(base + slot.name, name, n)) {
      walk(query, slot.root);
      return;
    }
  }
}

/** Descends one tree along the path and takes every candidate that is better than the best. */
function walk(query: RouteQuery, root: u32): void {
  const nodes = base + matcher.nodes;
  let node = changetype<PathNode>(nodes + <usize>root * PATH_NODE_SIZE);
  let p = <usize>query.path;
  const end = p + query.pathLength;
  while (node.best < bestOrder) {
    const n = <usize>node.labelLength;
    if (n > end - p || !equal(base + node.label, p, n)) return;
    p += n;
    if (node.candidateCount) consider(query, node);
    if (p == end || !node.childCount) return;
    const child = childAt(base + node.firsts, node.childCount, load<u8>(p));
    if (child < 0) return;
    node = changetype<PathNode>(nodes + <usize>(node.firstChild + <u32>child) * PATH_NODE_SIZE);
  }
}

/** Takes the first candidate of a node whose conditions hold, unless the best is better. */
function consider(query: RouteQuery, node: PathNode): void {
  let at = base + matcher.candidates + <usize>node.candidates * CANDIDATE_SIZE;
  const end = at + <usize>node.candidateCount * CANDIDATE_SIZE;
  for (; at < end; at += CANDIDATE_SIZE) {
    const candidate = changetype<Candidate>(at);
    if (candidate.order >= bestOrder) return;
    if (candidate.port && candidate.port - 1 != port) continue;
    let prefix = candidate.prefixLength;
    if (candidate.checkCount) {
      if (!checksHold(base, matcher, candidate, query)) continue;
      if (regexPrefixLength >= 0) prefix = <u32>regexPrefixLength;
    }
    bestOrder = candidate.order;
    bestRoute = <i32>candidate.route;
    bestPrefix = prefix;
    return;
  }
}

/** Index of the child whose label starts with c, or -1; raw vector loads over padded bytes. */
// @ts-ignore: decorator
@inline
function childAt(firsts: usize, count: u32, c: u8): i32 {
  const wanted = i8x16.splat(c);
  for (let i: u32 = 0; i < count; i += 16) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(firsts + i), wanted));
    if (mask) {
      const at = i + <u32>ctz(mask);
      return at < count ? <i32>at : -1;
    }
  }
  return -1;
}
