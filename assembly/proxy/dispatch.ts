/**
 * From a complete request head to its route, or to an answer. The order of the checks is that of
 * the kong-router reference, section 9.
 */
// raw memory: route record spans
import { copy16, isWord, put, putText } from '../bytes';
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
  PHASE_REWRITE,
  PROTOCOL_GRPC,
  PROTOCOL_GRPCS,
  PROTOCOL_HTTP,
  PROTOCOL_HTTPS,
  REQUEST_HEADERS,
  RouteRecord,
  SETTINGS,
  Settings,
  TOKEN_FLAG_DEBUG,
} from '../layout';
import { matchRoute } from '../router/match';
import { routeAt, unmatchedRoute } from '../router/table';
import { runAccess } from './access';
import { chooseClientAddress, isTrusted } from './address';
import { out, sendAbort } from './commands';
import { Connection, FLAG_LAST, PEER_ADDRESS, closeConnection } from './connection';
import {
  CLIENT_ADDRESS,
  Exchange,
  X_DEBUG,
  X_KEEP_ALIVE,
  X_REQUEST_DONE,
  copyToSlot,
  openExchange,
} from './exchange';
import { draining, prepareLocal } from './finish';
import { putBareHost } from './forward';
import { isLogged } from './log';
import { FRESH, STALE, replyAllow, replyError, replyMessage, replyRedirect } from './reply';
import * as request from './request';
import { UPGRADE_HTTP2, UPGRADE_TLS } from './response';
import { runRewrite } from './rewrite';
import { disarm } from './timers';

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
  copy16(changetype<usize>(x) + CLIENT_ADDRESS, changetype<usize>(c) + PEER_ADDRESS);
  replyError(c, x, status, STALE);
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
  if (wantsEnd()) c.flags |= FLAG_LAST;
  if (changetype<Control>(CONTROL).routeBase && unmatchedRoute().phases & PHASE_REWRITE) {
    attach(x, null, 0);
    keepHead(x, from, end - from);
    return runRewrite(c, x);
  }
  routeRequest(c, x, trusted, from, end);
}

/** Goes on with the request just parsed; its head is kept or lies in [from, end). */
export function routeRequest(
  c: Connection,
  x: Exchange,
  trusted: bool,
  from: usize,
  end: usize,
): void {
  const q = request.query();
  q.clientAddress = x.clientAddress;
  q.clientAddress8 = x.clientAddress8;
  const index = changetype<Control>(CONTROL).routeBase ? matchRoute(q) : -1;
  const route = index >= 0 ? routeAt(index) : null;
  attach(x, route, index);
  x.prefixLength = q.prefixLength;
  if (!x.requestHead && (isLogged(x) || x.phases)) keepHead(x, from, end - from);
  if (request.answerHere) return answerHere(c, x);
  if (!route) return answerMessage(c, x, 404, 'no Route matched with those values');
  if (!checkProtocols(c, x, route, trusted)) return;
  runAccess(c, x, route, trusted);
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
  return !wantsEnd();
}

/** The client sends no further request on this connection (RFC 9112 9.3). */
function wantsEnd(): bool {
  return head.connectionClose || (!head.minorVersion && !head.connectionKeepAlive);
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
  x.ringIds = 0;
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

/** Answers with the server-level text of a status. */
export function answer(c: Connection, x: Exchange, status: u32): void {
  prepareLocal(c, x);
  replyError(c, x, status, FRESH);
}

/** Answers with a text of the gateway's own. */
export function answerMessage(c: Connection, x: Exchange, status: u32, message: string): void {
  prepareLocal(c, x);
  replyMessage(c, x, status, message);
}

/** Max-Forwards reached zero at this hop (RFC 9110 7.6.2): it answers for itself. */
function answerHere(c: Connection, x: Exchange): void {
  if (load<u8>(head.method) == 0x54) return answer(c, x, 405);
  prepareLocal(c, x);
  replyAllow(c, x);
}

/** Checks 2 to 5 of the reference; false: answered. */
function checkProtocols(c: Connection, x: Exchange, route: RouteRecord, trusted: bool): bool {
  const accepted = route.protocols;
  if (accepted & PROTOCOL_HTTPS && !(accepted & PROTOCOL_HTTP) && !cameSecure(c, trusted)) {
    if (route.redirectStatus == 426) {
      x.upgradeOffer = UPGRADE_TLS;
      answerMessage(c, x, 426, 'Please use HTTPS protocol');
    } else {
      prepareLocal(c, x);
      const end = putSecureLocation(out + 0x40000, trusted);
      const at = out + 0x40000;
      replyRedirect(c, x, route.redirectStatus, at, end - at);
    }
    return false;
  }
  if (!(accepted & (PROTOCOL_GRPC | PROTOCOL_GRPCS))) return true;
  if (isGrpc()) {
    x.upgradeOffer = UPGRADE_HTTP2;
    answerMessage(c, x, 426, 'Please use HTTP2 protocol');
  } else answerMessage(c, x, 415, 'Non-gRPC request matched gRPC route');
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
