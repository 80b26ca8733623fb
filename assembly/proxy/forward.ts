/**
 * Builds the head that goes to the upstream. Nothing is passed through: every line is written anew,
 * hop-by-hop fields are left out, the forwarding family is ours (RFC 9110 7.6).
 */
// raw memory: header lines are written in words
import { isWord, lower, put, putDecimal, putText } from '../bytes';
import * as head from '../http/head';
import {
  HOP_BY_HOP,
  H_CONTENT_LENGTH,
  H_EXPECT,
  H_HOST,
  H_MAX_FORWARDS,
  H_PROXY,
  H_REQUEST_ID,
  H_TE,
  H_UPGRADE,
  H_VIA,
  H_X_FORWARDED_FOR,
  H_X_FORWARDED_HOST,
  H_X_FORWARDED_PATH,
  H_X_FORWARDED_PORT,
  H_X_FORWARDED_PREFIX,
  H_X_FORWARDED_PROTO,
  H_X_REAL_IP,
} from '../http/names';
import { putEscaped } from '../http/path';
import {
  ACCEPT_FLAG_TLS,
  EDIT_OP_SET_METHOD,
  HEADER_ENTRY_SIZE,
  HeaderEntry,
  PATH,
  REQUEST_HEADERS,
  SETTINGS,
  SETTINGS_PRODUCT,
  Settings,
  TOKEN_FLAG_UPSTREAM_REQUEST_ID,
} from '../layout';
import { allocate } from '../memory';
import { putAddress } from './address';
import { Connection, PEER_ADDRESS } from './connection';
import { applyRemovals, editBytes, editValue, lastEdit, putAdditions, putLine } from './edits';
import {
  CLIENT_ADDRESS,
  EXCHANGE_ID,
  Exchange,
  X_HEAD,
  X_IDEMPOTENT,
  X_REQUEST_CHUNKED,
  X_REQUEST_SHELL,
  X_UPGRADE,
} from './exchange';
import * as request from './request';

/** Fields that we write ourselves in any case. */
const REPLACED: u32 =
  HOP_BY_HOP |
  (1 << H_HOST) |
  (1 << H_CONTENT_LENGTH) |
  (1 << H_EXPECT) |
  (1 << H_PROXY) |
  (1 << H_VIA) |
  (1 << H_X_FORWARDED_FOR) |
  (1 << H_X_REAL_IP);
/** Fields that stay as they are where the peer is trusted. */
const FAMILY: u32 =
  (1 << H_X_FORWARDED_PROTO) |
  (1 << H_X_FORWARDED_HOST) |
  (1 << H_X_FORWARDED_PORT) |
  (1 << H_X_FORWARDED_PATH) |
  (1 << H_X_FORWARDED_PREFIX);

/** Fields that tell of us and the peer: as in Kong, an edit of theirs has no effect. */
const WRITTEN: u32 = FAMILY | (1 << H_VIA) | (1 << H_X_FORWARDED_FOR) | (1 << H_X_REAL_IP);

/**
 * Writes the upstream head of the request just parsed into a slot of the exchange. `target` and
 * `host` are the upstream target and Host value. False: no memory.
 */
export function buildUpstreamHead(
  c: Connection,
  x: Exchange,
  target: usize,
  host: usize,
  trusted: bool,
  stripped: u32,
): bool {
  const bytes = <usize>x.requestHeadBytes + x.targetBytes + x.hostBytes + editBytes();
  const hostEdit = applyRemovals(REQUEST_HEADERS, head.headerCount);
  const slot = allocate(bytes + <usize>request.targetBytes * 4 + 2048);
  if (!slot) return false;
  let d = slot;
  const method = lastEdit(EDIT_OP_SET_METHOD);
  const name = method ? editValue(method) : <usize>head.method;
  const nameBytes: usize = method ? method.valueLength : head.methodLength;
  d = put(d, name, nameBytes);
  const traits = request.methodFlags(name, nameBytes);
  x.asksHead = traits & X_HEAD;
  x.flags = (x.flags & ~X_IDEMPOTENT) | (traits & X_IDEMPOTENT);
  store<u8>(d, 0x20);
  d = put(d + 1, target, x.targetBytes);
  d = putText(d, ' HTTP/1.1\r\nHost: ');
  if (hostEdit) d = put(d, editValue(hostEdit), hostEdit.valueLength);
  else {
    if (x.view && !x.hostFixed) x.hostAt = <u32>(d - slot);
    x.hostLength = x.hostBytes;
    d = put(d, host, x.hostBytes);
  }
  d = putBreak(d);
  d = putKept(d, trusted);
  d = putFamily(d, c, x, trusted, stripped);
  d = putConnection(d, x);
  d = putAdditions(d, WRITTEN);
  x.upstreamHead = <u32>slot;
  x.upstreamHeadBytes = <u32>(putBreak(d) - slot);
  return true;
}

// @ts-ignore: decorator
@inline
function putBreak(d: usize): usize {
  store<u16>(d, 0x0a0d);
  return d + 2;
}

function putKept(d: usize, trusted: bool): usize {
  let dropped = REPLACED;
  if (!trusted) dropped |= FAMILY;
  if (changetype<Settings>(SETTINGS).tokens & TOKEN_FLAG_UPSTREAM_REQUEST_ID) {
    dropped |= 1 << H_REQUEST_ID;
  }
  if (request.maxForwards >= 0) dropped |= 1 << H_MAX_FORWARDS;
  for (let i: u32 = 0; i < head.headerCount; i++) {
    const entry = changetype<HeaderEntry>(REQUEST_HEADERS + <usize>i * HEADER_ENTRY_SIZE);
    if (entry.flags & 1 || (dropped >> entry.id) & 1) continue;
    d = putLine(d, entry.name, entry.nameLength, entry.value, entry.valueLength);
  }
  if (request.maxForwards >= 0) {
    d = putBreak(putDecimal(putText(d, 'Max-Forwards: '), <u64>request.maxForwards));
  }
  return d;
}

/** Writes the values of all lines of a field, joined with ", ", and a separator behind them. */
function putJoined(d: usize, id: u32): usize {
  if (!(head.present & (1 << id))) return d;
  for (let i: u32 = 0; i < head.headerCount; i++) {
    const entry = changetype<HeaderEntry>(REQUEST_HEADERS + <usize>i * HEADER_ENTRY_SIZE);
    if (entry.id != id || entry.flags & 1) continue;
    d = put(d, entry.value, entry.valueLength);
    store<u16>(d, 0x202c);
    d += 2;
  }
  return d;
}

// @ts-ignore: decorator
@inline
function missing(id: u32, trusted: bool): bool {
  return !trusted || !(head.present & (1 << id));
}

function putFamily(d: usize, c: Connection, x: Exchange, trusted: bool, stripped: u32): usize {
  const self = changetype<usize>(x);
  const forwarded = (head.present & (1 << H_X_FORWARDED_FOR)) != 0;
  d = putJoined(putText(d, 'X-Forwarded-For: '), H_X_FORWARDED_FOR);
  d = putAddress(d, forwarded ? changetype<usize>(c) + PEER_ADDRESS : self + CLIENT_ADDRESS);
  d = putAddress(putText(d, '\r\nX-Real-IP: '), self + CLIENT_ADDRESS);
  if (missing(H_X_FORWARDED_PROTO, trusted)) {
    d = putText(d, '\r\nX-Forwarded-Proto: ');
    d = c.acceptFlags & <u16>ACCEPT_FLAG_TLS ? putText(d, 'https') : putText(d, 'http');
  }
  if (missing(H_X_FORWARDED_HOST, trusted) && request.hostBytes) {
    d = putBareHost(putText(d, '\r\nX-Forwarded-Host: '));
  }
  if (missing(H_X_FORWARDED_PORT, trusted)) {
    d = putDecimal(putText(d, '\r\nX-Forwarded-Port: '), c.localPort);
  }
  if (missing(H_X_FORWARDED_PATH, trusted)) {
    d = put(putText(d, '\r\nX-Forwarded-Path: '), request.target, request.pathBytes);
  }
  if (stripped > 1 && missing(H_X_FORWARDED_PREFIX, trusted)) {
    d = putEscaped(putText(d, '\r\nX-Forwarded-Prefix: '), PATH, stripped);
  }
  d = putJoined(putText(d, '\r\nVia: '), H_VIA);
  d = head.minorVersion ? putText(d, '1.1 ') : putText(d, '1.0 ');
  const settings = changetype<Settings>(SETTINGS);
  d = put(d, SETTINGS + SETTINGS_PRODUCT, settings.productLength);
  if (settings.tokens & TOKEN_FLAG_UPSTREAM_REQUEST_ID) {
    d = put(putText(d, '\r\nX-Kong-Request-Id: '), self + EXCHANGE_ID, 32);
  }
  return putBreak(d);
}

/** The request's host in lower case without its port. */
export function putBareHost(d: usize): usize {
  const from = request.host;
  const end = from + request.hostBytes;
  const literal = load<u8>(from) == 0x5b;
  for (let p = from; p < end; p++) {
    const c = lower(load<u8>(p));
    if (c == 0x3a && !literal) break;
    store<u8>(d++, <u8>c);
    if (c == 0x5d) break;
  }
  return d;
}

/** Connection, upgrade, TE and framing: decided here, never copied. */
function putConnection(d: usize, x: Exchange): usize {
  if (x.flags & X_UPGRADE) {
    d = putText(d, 'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n');
  } else d = putText(d, 'Connection: keep-alive\r\n');
  if (acceptsTrailers()) d = putText(d, 'TE: trailers\r\n');
  if (x.flags & X_REQUEST_SHELL) {
    if (x.flags & X_REQUEST_CHUNKED) return putText(d, 'Transfer-Encoding: chunked\r\n');
    return putBreak(putDecimal(putText(d, 'Content-Length: '), <u64>x.requestBytesDue));
  }
  if (head.chunked) return putText(d, 'Transfer-Encoding: chunked\r\n');
  if (head.contentLength < 0) return d;
  return putBreak(putDecimal(putText(d, 'Content-Length: '), <u64>head.contentLength));
}

function acceptsTrailers(): bool {
  if (!(head.present & (1 << H_TE))) return false;
  const entry = head.findHeader(REQUEST_HEADERS, head.headerCount, H_TE);
  return entry != null && isWord(entry.value, entry.valueLength, 'trailers');
}

/** True where the request asks for a WebSocket upgrade that may be forwarded. */
export function asksWebSocket(): bool {
  if (!head.connectionUpgrade || !head.minorVersion) return false;
  if (!(head.present & (1 << H_UPGRADE))) return false;
  if (head.chunked || head.contentLength > 0 || head.methodLength != 3) return false;
  const entry = head.findHeader(REQUEST_HEADERS, head.headerCount, H_UPGRADE);
  return entry != null && isWord(entry.value, entry.valueLength, 'websocket');
}
