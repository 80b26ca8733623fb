/**
 * From a complete request head to an upstream or an answer: checks, route, plugins, service. The
 * order of the checks is that of the kong-router reference, section 9.
 */
// raw memory: route record spans
import { isWord, put, putText } from '../bytes';
import { BODY_CHUNKED, BODY_LENGTH, BODY_NONE, beginBody } from '../http/body';
import * as head from '../http/head';
import {
  H_CONTENT_TYPE,
  H_KONG_DEBUG,
  H_X_FORWARDED_HOST,
  H_X_FORWARDED_PROTO,
} from '../http/names';
import {
  ACCEPT_FLAG_TLS,
  CONTROL,
  Control,
  HeaderEntry,
  PHASE_ACCESS,
  PHASE_REWRITE,
  PHASE_VERDICT_PARK,
  PHASE_VERDICT_REPLY,
  PROTOCOL_GRPC,
  PROTOCOL_GRPCS,
  PROTOCOL_HTTP,
  PROTOCOL_HTTPS,
  REQUEST_HEADERS,
  ROUTE_FLAG_PRESERVE_HOST,
  ROUTE_FLAG_STRIP_PATH,
  RouteRecord,
  SETTINGS,
  Settings,
  TOKEN_FLAG_DEBUG,
} from '../layout';
import { allocate } from '../memory';
import { matchRoute, putUpstreamTarget } from '../router/match';
import { routeAt, serviceAt, unmatchedRoute } from '../router/table';
import { chooseClientAddress, isTrusted } from './address';
import { out, pause, sendAbort } from './commands';
import {
  Connection,
  PEER_ADDRESS,
  STATE_HOLD,
  closeConnection,
} from './connection';
import { applyTargetEdits } from './target-edits';
import { clearEdits } from './edits';
import {
  CLIENT_ADDRESS,
  Exchange,
  X_DEBUG,
  X_KEEP_ALIVE,
  X_PARKED,
  X_REQUEST_DONE,
  X_UPGRADE,
  copyToSlot,
  openExchange,
} from './exchange';
import { draining, finishExchange, prepareLocal } from './finish';
import { asksWebSocket, buildUpstreamHead, putBareHost } from './forward';
import { isLogged } from './log';
import { runRequestPhase } from './phases';
import {
  FRESH,
  STALE,
  replyError,
  replyFromPlugin,
  replyMessage,
  replyRedirect,
  replyWithLines,
} from './reply';
import * as request from './request';
import { disarm, nowExact } from './timers';
import { connectUpstream } from './upstream';

/** Refuses what cannot be trusted as a request, and hangs up. */
export function refuse(c: Connection, from: usize, bytes: usize, status: u32): void {
  const control = changetype<Control>(CONTROL);
  control.badRequests += 1;
  const x = openExchange(c);
  if (!x) return giveUp(c);
  disarm(c);
  x.requestBytes = <f64>bytes;
  attach(x, null, 0);
  keepHead(x, from, min<usize>(bytes, 1024));
  memory.copy(changetype<usize>(x) + CLIENT_ADDRESS, changetype<usize>(c) + PEER_ADDRESS, 16);
  replyError(c, x, status, STALE);
  finishExchange(c, x);
}

function giveUp(c: Connection): void {
  sendAbort(c);
  closeConnection(c);
}

/** Starts the exchange of the head just parsed, which lies in [from, end). */
export function dispatch(c: Connection, from: usize, end: usize): void {
  const x = openExchange(c);
  if (!x) return giveUp(c);
  disarm(c);
  x.requestBytes = <f64>(end - from);
  x.requestHeadBytes = <u32>(end - from);
  startBody(c, x);
  if (keepsAlive(c)) x.flags |= X_KEEP_ALIVE;
  const peer = changetype<usize>(c) + PEER_ADDRESS;
  const trusted = isTrusted(peer);
  const client = changetype<usize>(x) + CLIENT_ADDRESS;
  chooseClientAddress(peer, trusted, REQUEST_HEADERS, head.headerCount, client);
  const bad = request.examine(c, x);
  if (bad) {
    changetype<Control>(CONTROL).badRequests += 1;
    attach(x, null, 0);
    keepHead(x, from, end - from);
    x.flags &= ~X_KEEP_ALIVE; // what follows may belong to what was refused
    return answer(c, x, bad);
  }
  const q = request.query();
  q.clientAddress = x.clientAddress;
  q.clientAddress8 = x.clientAddress8;
  const index = changetype<Control>(CONTROL).routeBase ? matchRoute(q) : -1;
  const route = index >= 0 ? routeAt(index) : null;
  attach(x, route, index);
  x.prefixLength = q.prefixLength;
  if (isLogged(x) || x.phases) keepHead(x, from, end - from);
  if (request.answerHere) return answerHere(c, x);
  if (!route) return answerMessage(c, x, 404, 'no Route matched with those values');
  if (!checkProtocols(c, x, route, trusted)) return;
  runPlugins(c, x, route, trusted);
}

function startBody(c: Connection, x: Exchange): void {
  if (head.chunked) beginBody(c, BODY_CHUNKED, 0);
  else if (head.contentLength > 0) beginBody(c, BODY_LENGTH, <u64>head.contentLength);
  else {
    beginBody(c, BODY_NONE, 0);
    x.flags |= X_REQUEST_DONE;
  }
}

function keepsAlive(c: Connection): bool {
  if (draining || c.requests >= changetype<Settings>(SETTINGS).keepaliveRequests) return false;
  if (head.minorVersion) return !head.connectionClose;
  return head.connectionKeepAlive && !head.connectionClose;
}

/** Copies what the exchange needs of its route; null: of the record for requests without one. */
function attach(x: Exchange, route: RouteRecord | null, index: i32): void {
  const base = <usize>changetype<Control>(CONTROL).routeBase;
  if (!base) return;
  const record = route ? route : unmatchedRoute();
  x.route = route ? <u32>index : 0xffffffff;
  x.metricSlot = record.metricSlot;
  x.phases = record.phases;
  x.ringCount = min<u32>(record.ringCount, 8);
  for (let i: u32 = 0; i < x.ringCount; i++) {
    const ring = load<u32>(base + record.rings + (<usize>i << 2));
    x.ringIds |= <u64>ring << (<u64>i << 3);
  }
  const debugged = changetype<Settings>(SETTINGS).tokens & TOKEN_FLAG_DEBUG;
  if (route && debugged && head.present & (1 << H_KONG_DEBUG)) {
    x.flags |= X_DEBUG;
    x.debug = copyToSlot(base + record.debug, record.debugLength);
    x.debugBytes = x.debug ? record.debugLength : 0;
  }
}

function keepHead(x: Exchange, from: usize, bytes: usize): void {
  x.requestHead = copyToSlot(from, bytes);
  x.requestHeadBytes = x.requestHead ? <u32>bytes : 0;
}

function answer(c: Connection, x: Exchange, status: u32): void {
  prepareLocal(c, x);
  replyError(c, x, status, FRESH);
  finishExchange(c, x);
}

function answerMessage(c: Connection, x: Exchange, status: u32, message: string): void {
  prepareLocal(c, x);
  replyMessage(c, x, status, message);
  finishExchange(c, x);
}

/** Max-Forwards reached zero at this hop (RFC 9110 7.6.2): it answers for itself. */
function answerHere(c: Connection, x: Exchange): void {
  if (load<u8>(head.method) == 0x54) return answer(c, x, 405);
  prepareLocal(c, x);
  replyWithLines(c, x, 200, 'OK', 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n');
  finishExchange(c, x);
}

/** Checks 2 to 5 of the reference; false: answered. */
function checkProtocols(c: Connection, x: Exchange, route: RouteRecord, trusted: bool): bool {
  const accepted = route.protocols;
  if (accepted & PROTOCOL_HTTPS && !(accepted & PROTOCOL_HTTP) && !cameSecure(c, trusted)) {
    prepareLocal(c, x);
    if (route.redirectStatus == 426) {
      const lines = 'Upgrade: TLS/1.2, HTTP/1.1\r\nConnection: Upgrade\r\n';
      replyWithLines(c, x, 426, 'Please use HTTPS protocol', lines);
    } else {
      const end = putSecureLocation(out + 0x40000, trusted);
      const at = out + 0x40000;
      replyRedirect(c, x, route.redirectStatus, at, end - at);
    }
    finishExchange(c, x);
    return false;
  }
  if (!(accepted & (PROTOCOL_GRPC | PROTOCOL_GRPCS))) return true;
  prepareLocal(c, x);
  if (isGrpc()) {
    const lines = 'Upgrade: HTTP/2\r\nConnection: Upgrade\r\n';
    replyWithLines(c, x, 426, 'Please use HTTP2 protocol', lines);
  } else replyMessage(c, x, 415, 'Non-gRPC request matched gRPC route');
  finishExchange(c, x);
  return false;
}

function isGrpc(): bool {
  const entry = head.findHeader(REQUEST_HEADERS, head.headerCount, H_CONTENT_TYPE);
  return entry != null && entry.valueLength >= 16 && isWord(entry.value, 16, 'application/grpc');
}

function cameSecure(c: Connection, trusted: bool): bool {
  if (trusted && head.present & (1 << H_X_FORWARDED_PROTO)) {
    const entry = head.findHeader(REQUEST_HEADERS, head.headerCount, H_X_FORWARDED_PROTO);
    return entry != null && isWord(entry.value, entry.valueLength, 'https');
  }
  return (c.acceptFlags & <u16>ACCEPT_FLAG_TLS) != 0;
}

function putSecureLocation(d: usize, trusted: bool): usize {
  d = putText(d, 'https://');
  let given: HeaderEntry | null = null;
  if (trusted) given = head.findHeader(REQUEST_HEADERS, head.headerCount, H_X_FORWARDED_HOST);
  if (given) d = put(d, given.value, given.valueLength);
  else if (request.hostBytes) d = putBareHost(d);
  return put(d, request.target, request.targetBytes);
}

/**
 * Upstream target and Host are settled before plugins run, because they may read and change them.
 */
function runPlugins(c: Connection, x: Exchange, route: RouteRecord, trusted: bool): void {
  if (!settleTarget(x, route)) return answer(c, x, 503);
  clearEdits();
  const wanted = x.phases & (PHASE_REWRITE | PHASE_ACCESS);
  if (wanted) {
    const verdict = runRequestPhase(c, x, wanted);
    if (verdict == PHASE_VERDICT_PARK) {
      x.flags |= X_PARKED;
      c.state = STATE_HOLD;
      if (!(x.flags & X_REQUEST_DONE)) pause(c);
      return;
    }
    if (verdict == PHASE_VERDICT_REPLY) return answerForPlugin(c, x);
  }
  proceed(c, x, trusted);
}

function settleTarget(x: Exchange, route: RouteRecord): bool {
  const q = request.query();
  const bytes = <usize>q.targetLength * 3 + q.hostLength;
  const service = route.service >= 0 ? serviceAt(route.service) : null;
  const extra = service ? <usize>service.pathLength * 3 + service.hostLength : 0;
  const slot = allocate(bytes + extra + 64);
  if (!slot) return false;
  x.upstreamTarget = <u32>slot;
  let d = slot;
  if (request.asterisk) store<u8>(d++, 0x2a);
  else if (service) d = putUpstreamTarget(d, q, route);
  x.targetBytes = <u32>(d - slot);
  if (!service) return true;
  const base = <usize>changetype<Control>(CONTROL).routeBase;
  if (route.flags & ROUTE_FLAG_PRESERVE_HOST && q.hostLength) d = put(d, q.host, q.hostLength);
  else d = put(d, base + service.host, service.hostLength);
  x.hostBytes = <u32>(d - slot) - x.targetBytes;
  x.target = service.target;
  x.connectTimeoutMs = service.connectTimeoutMs;
  x.writeTimeoutMs = service.writeTimeoutMs;
  x.readTimeoutMs = service.readTimeoutMs;
  x.triesLeft = service.retries + 1;
  // The stripped prefix is reported upstream; without strip_path nothing was stripped.
  x.strippedBytes = route.flags & ROUTE_FLAG_STRIP_PATH ? q.prefixLength : 0;
  return true;
}

/** A parked exchange has its verdict; edits or reply lie in their regions. */
export function resumeParked(c: Connection, x: Exchange, verdict: u32): void {
  if (!(x.flags & X_PARKED)) return;
  x.flags &= ~X_PARKED;
  const edits = changetype<Control>(CONTROL).editCount;
  head.parseRequest(x.requestHead, <usize>x.requestHead + x.requestHeadBytes);
  const flags = x.flags;
  request.examine(c, x);
  x.flags = flags;
  changetype<Control>(CONTROL).editCount = edits;
  if (verdict == PHASE_VERDICT_REPLY) return answerForPlugin(c, x);
  proceed(c, x, isTrusted(changetype<usize>(c) + PEER_ADDRESS));
}

function answerForPlugin(c: Connection, x: Exchange): void {
  prepareLocal(c, x);
  replyFromPlugin(c, x);
  finishExchange(c, x);
}

/** Plugins are done: on to the service. */
function proceed(c: Connection, x: Exchange, trusted: bool): void {
  if (!x.triesLeft) return answerMessage(c, x, 503, 'no Service found with those values');
  if (asksWebSocket()) x.flags |= X_UPGRADE;
  applyTargetEdits(x);
  const host = <usize>x.upstreamTarget + x.targetBytes;
  if (!buildUpstreamHead(c, x, x.upstreamTarget, host, trusted, x.strippedBytes)) {
    return answer(c, x, 503);
  }
  clearEdits();
  x.balancedMs = nowExact;
  connectUpstream(c, x);
}
