/**
 * What a parsed request head must satisfy beyond its grammar: target form, Host, Expect, size, path
 * (RFC 9112 3.2, RFC 9110 7.2, 9.3, 10.1.1). Fills the RouteQuery for the router.
 */
// raw memory: character checks of authority and method
import { findByte, isWord, lower } from '../bytes';
import { DIGIT, HEX, HOST_CHAR, isClass, skipClass } from '../http/classes';
import * as head from '../http/head';
import { H_EXPECT, H_HOST, H_MAX_FORWARDS } from '../http/names';
import { normalizePath } from '../http/path';
import {
  ACCEPT_FLAG_TLS,
  HeaderEntry,
  PATH,
  PROTOCOL_HTTP,
  PROTOCOL_HTTPS,
  REQUEST_HEADERS,
  ROUTE_SCRATCH,
  RouteQuery,
  SETTINGS,
  Settings,
} from '../layout';
import { Connection } from './connection';
import { Exchange, X_CONTINUE, X_HEAD, X_HTTP10, X_IDEMPOTENT } from './exchange';

/** The request target in origin-form, its part before the query, and the effective Host. */
export let target: usize = 0;
export let targetBytes: u32 = 0;
export let pathBytes: u32 = 0;
export let host: usize = 0;
export let hostBytes: u32 = 0;
/** Max-Forwards after this hop, -1: not to be written. */
export let maxForwards: i32 = -1;
/** `OPTIONS *`. */
export let asterisk: bool = false;
/** The request asks for an answer from this very hop. */
export let answerHere: bool = false;

/** The look-up that belongs to the request being handled. */
// @ts-ignore: decorator
@inline
export function query(): RouteQuery {
  return changetype<RouteQuery>(ROUTE_SCRATCH);
}

/** Checks the head just parsed; returns 0 or the status it deserves. */
export function examine(c: Connection, x: Exchange): u32 {
  x.flags |= methodFlags(head.method, head.methodLength);
  if (head.minorVersion == 0) x.flags |= X_HTTP10;
  const bad = examineTarget();
  if (bad) return bad;
  if (head.hostCount > 1 || (head.hostCount == 0 && head.minorVersion == 1)) return 400;
  if (head.hostCount == 1) {
    const entry = findEntry(H_HOST);
    if (!validHost(entry.value, entry.valueLength)) return 400;
    if (!host) {
      host = entry.value;
      hostBytes = entry.valueLength;
    }
  }
  const expected = examineExpect(x);
  if (expected) return expected;
  const bodyBytesMax = changetype<Settings>(SETTINGS).clientMaxBodyBytes;
  if (bodyBytesMax > 0 && <f64>head.contentLength > bodyBytesMax) return 413;
  return fillQuery(c);
}

// @ts-ignore: decorator
@inline
function findEntry(id: u32): HeaderEntry {
  return head.findHeader(REQUEST_HEADERS, head.headerCount, id) as HeaderEntry;
}

// @ts-ignore: decorator
@inline
function isMethod(name: string): bool {
  return isMethodName(head.method, head.methodLength, name);
}

/** Methods are case-sensitive: `name` in lower case stands for the one in upper case. */
// @ts-ignore: decorator
@inline
function isMethodName(p: usize, n: usize, name: string): bool {
  return isWord(p, n, name) && load<u8>(p) < 97;
}

/** What a method of n bytes at p says about its request (RFC 9110 9.2.2). */
export function methodFlags(p: usize, n: usize): u32 {
  const first = load<u8>(p);
  if (first == 0x47 && isMethodName(p, n, 'get')) return X_IDEMPOTENT;
  if (first == 0x48 && isMethodName(p, n, 'head')) return X_IDEMPOTENT | X_HEAD;
  if (isMethodName(p, n, 'put') || isMethodName(p, n, 'delete')) return X_IDEMPOTENT;
  return isMethodName(p, n, 'options') || isMethodName(p, n, 'trace') ? X_IDEMPOTENT : 0;
}

/** Splits the request target by its form (RFC 9112 3.2). */
function examineTarget(): u32 {
  host = 0;
  hostBytes = 0;
  asterisk = false;
  answerHere = false;
  maxForwards = -1;
  target = head.target;
  targetBytes = head.targetLength;
  if (isMethod('connect')) return 405;
  const traced = isMethod('trace');
  const options = isMethod('options');
  if (traced && (head.chunked || head.contentLength > 0)) return 400;
  if (traced || options) {
    const bad = examineMaxForwards();
    if (bad) return bad;
  }
  const first = load<u8>(target);
  if (first == 0x2f) return 0;
  if (first == 0x2a && targetBytes == 1) {
    asterisk = true;
    return options ? 0 : 400;
  }
  return examineAbsolute(options);
}

function examineMaxForwards(): u32 {
  if (!(head.present & (1 << H_MAX_FORWARDS))) return 0;
  const entry = findEntry(H_MAX_FORWARDS);
  let value: i32 = 0;
  for (let i: usize = 0; i < entry.valueLength; i++) {
    const digit = <i32>load<u8>(<usize>entry.value + i) - 48;
    if (digit < 0 || digit > 9 || value > 99999) return 400;
    value = value * 10 + digit;
  }
  if (!entry.valueLength) return 400;
  if (value == 0) answerHere = true;
  maxForwards = value - 1;
  return 0;
}

/** absolute-form: its authority replaces Host (RFC 9112 3.2.2). */
function examineAbsolute(options: bool): u32 {
  const end = target + targetBytes;
  let p = target;
  while (p < end && lower(load<u8>(p)) - 97 < 26) p++;
  const scheme = p - target;
  if (!isWord(target, scheme, 'http') && !isWord(target, scheme, 'https')) return 400;
  if (end - p < 4 || load<u8>(p) != 0x3a || load<u16>(p, 1) != 0x2f2f) return 400;
  host = p + 3;
  p = host;
  while (p < end && load<u8>(p) != 0x2f && load<u8>(p) != 0x3f) p++;
  hostBytes = <u32>(p - host);
  if (!validHost(host, hostBytes)) return 400;
  if (p < end && load<u8>(p) == 0x2f) {
    target = p;
    targetBytes = <u32>(end - p);
    return 0;
  }
  if (p == end && options) {
    asterisk = true;
    return 0;
  }
  // No path: "/" goes in front of the query, in the scratch space behind the normalised path.
  target = PATH + 0x10000;
  store<u8>(target, 0x2f);
  memory.copy(target + 1, p, end - p);
  targetBytes = <u32>(end - p) + 1;
  return 0;
}

/** uri-host [":" port] of RFC 3986 3.2.2, not empty, port at most 65535. */
export function validHost(p: usize, n: usize): bool {
  const end = p + n;
  if (p == end) return false;
  if (load<u8>(p) == 0x5b) {
    let colons = 0;
    p++;
    const from = p;
    while (p < end && load<u8>(p) != 0x5d) {
      const c = load<u8>(p++);
      if (c == 0x3a) colons++;
      else if (!isClass(c, HEX) && c != 0x2e) return false;
    }
    if (p == end || colons < 2 || colons > 7 || p - from > 45) return false;
    p++;
  } else {
    const from = p;
    p = skipClass(p, end, HOST_CHAR);
    if (p == from || (p < end && load<u8>(p) != 0x3a)) return false;
    for (let at = findByte(from, p, 0x25); at < p; at = findByte(at + 1, p, 0x25)) {
      if (at + 3 > p || !isClass(load<u8>(at, 1), HEX) || !isClass(load<u8>(at, 2), HEX)) {
        return false;
      }
    }
  }
  if (p == end) return true;
  if (load<u8>(p++) != 0x3a) return false;
  let port: u32 = 0;
  for (; p < end; p++) {
    if (!isClass(load<u8>(p), DIGIT) || port > 65535) return false;
    port = port * 10 + <u32>load<u8>(p) - 48;
  }
  return port <= 65535;
}

function examineExpect(x: Exchange): u32 {
  if (!(head.present & (1 << H_EXPECT)) || head.minorVersion == 0) return 0;
  const entry = findEntry(H_EXPECT);
  if (!isWord(entry.value, entry.valueLength, '100-continue')) return 417;
  if (head.chunked || head.contentLength > 0) x.flags |= X_CONTINUE;
  return 0;
}

/** Normalises the path and fills the look-up; 400 where the path cannot be trusted. */
function fillQuery(c: Connection): u32 {
  const q = query();
  pathBytes = <u32>(findByte(target + 1, target + targetBytes, 0x3f) - target);
  if (asterisk) {
    store<u8>(PATH, 0x2a);
    q.pathLength = 1;
  } else {
    const length = normalizePath(target, pathBytes, PATH);
    if (length < 0) return 400;
    q.pathLength = <u32>length;
  }
  q.path = <u32>PATH;
  q.method = <u32>head.method;
  q.methodLength = head.methodLength;
  q.host = <u32>host;
  q.hostLength = hostBytes;
  q.target = <u32>target;
  q.targetLength = targetBytes;
  q.headers = <u32>REQUEST_HEADERS;
  q.headerCount = head.headerCount;
  q.protocol = c.acceptFlags & <u16>ACCEPT_FLAG_TLS ? PROTOCOL_HTTPS : PROTOCOL_HTTP;
  q.localPort = c.localPort;
  q.peerPort = c.peerPort;
  q.sni = c.sni;
  q.sniLength = c.sniLength;
  q.prefixLength = 0;
  q.localAddress = c.localAddress;
  q.localAddress8 = c.localAddress8;
  return 0;
}
