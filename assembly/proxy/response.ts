/**
 * Builds the head that goes to the client, from an upstream's answer (RFC 9110 7.6, RFC 9112 6.3)
 * or with the lines every answer of ours has in common.
 */
// raw memory: header lines are written in words
import { put, putDecimal, putText } from '../bytes';
import { DATE_BYTES, dateText } from '../http/date';
import * as head from '../http/head';
import {
  HOP_BY_HOP,
  H_CONTENT_LENGTH,
  H_DATE,
  H_PROXY_LATENCY,
  H_REQUEST_ID,
  H_SERVER,
  H_UPSTREAM_LATENCY,
  H_VIA,
} from '../http/names';
import { reasonPhrase } from '../http/reasons';
import {
  EDIT_OP_STATUS,
  HEADER_ENTRY_SIZE,
  HeaderEntry,
  RESPONSE_HEADERS,
  SETTINGS,
  SETTINGS_PRODUCT,
  Settings,
  TOKEN_FLAG_PROXY_LATENCY,
  TOKEN_FLAG_REQUEST_ID,
  TOKEN_FLAG_RESPONSE_LATENCY,
  TOKEN_FLAG_SERVER,
  TOKEN_FLAG_UPSTREAM_LATENCY,
  TOKEN_FLAG_UPSTREAM_STATUS,
  TOKEN_FLAG_VIA,
} from '../layout';
import { keepOut, out, send } from './commands';
import { Connection } from './connection';
import {
  applyRemovals,
  clearEdits,
  editNumber,
  editsField,
  lastEdit,
  putAdditions,
  putLine,
} from './edits';
import {
  EXCHANGE_ID,
  Exchange,
  X_ANSWERED,
  X_CHUNK_OUT,
  X_CLOSE_OUT,
  X_HEAD,
  X_HTTP10,
  X_KEEP_ALIVE,
  X_LOCAL,
  X_NO_BODY,
  X_RESPONSE_SHELL,
  X_TRIED,
} from './exchange';
import { noteResponseHead } from './log';
import { nowExact } from './timers';

/** Fields that we write after any filter, as Kong does; an edit of theirs has no effect. */
const WRITTEN_LAST: u32 =
  (1 << H_VIA) | (1 << H_REQUEST_ID) | (1 << H_PROXY_LATENCY) | (1 << H_UPSTREAM_LATENCY);

/** Framing of the answer's body toward the client. */
const FRAME_NONE: u32 = 0; // no body and no length
const FRAME_LENGTH: u32 = 1;
const FRAME_CHUNKED: u32 = 2;
const FRAME_CLOSE: u32 = 3; // HTTP/1.0 client and no length

/** What a 426 answer offers to switch to; the field is hop-by-hop, so no table carries it. */
export const UPGRADE_NONE: u32 = 0;
export const UPGRADE_TLS: u32 = 1;
export const UPGRADE_HTTP2: u32 = 2;

/**
 * Sends the head just parsed, an upstream's or one of ours, with the edits that wait in their
 * region, and `bytes` of a body that is complete. `length`: of the whole body, -1 where it is not
 * known.
 */
export function sendHead(c: Connection, x: Exchange, length: i64, body: usize, bytes: usize): void {
  const edited = applyStatusEdit(x);
  const framing = chooseFraming(x, length);
  applyRemovals(RESPONSE_HEADERS, head.headerCount);
  const from = out;
  let d = from;
  if (edited || x.flags & X_LOCAL) d = putStatusLine(d, x.status);
  else d = putGivenStatusLine(d);
  d = putKept(d, (x.flags & X_LOCAL) != 0);
  d = x.flags & X_LOCAL ? putLocalLines(d, x) : putGatewayLines(d, x);
  d = putAdditions(d, WRITTEN_LAST);
  if (framing == FRAME_CHUNKED) d = putText(d, 'Transfer-Encoding: chunked\r\n');
  else if (framing == FRAME_LENGTH) d = putLength(d, <u64>framedLength);
  d = putEnd(d, x);
  clearEdits();
  noteResponseHead(x, from, d - from);
  if (bytes && !(x.flags & X_NO_BODY)) {
    d = put(d, body, bytes);
    x.bodyBytesSent += <f64>bytes;
  }
  x.flags |= X_ANSWERED;
  x.responseBytes += <f64>(d - from);
  send(c, from, d - from);
  keepOut(d);
}

/** True where an edit sets the status. */
function applyStatusEdit(x: Exchange): bool {
  const edit = lastEdit(EDIT_OP_STATUS);
  if (!edit) return false;
  const status = editNumber(edit);
  if (status < 200 || status > 599) return false;
  x.status = status;
  return true;
}

let framedLength: i64 = -1;

/** How the client learns where the body ends (RFC 9112 6.3). */
function chooseFraming(x: Exchange, length: i64): u32 {
  const status = x.status;
  if (status == 204 || status < 200) {
    x.flags |= X_NO_BODY;
    return FRAME_NONE;
  }
  framedLength = length;
  if (x.flags & X_HEAD || status == 304) {
    x.flags |= X_NO_BODY;
    if (status == 304 && x.flags & X_LOCAL) return FRAME_NONE;
    // The length that the upstream's answer would have with a body.
    if (!(x.flags & (X_LOCAL | X_RESPONSE_SHELL))) framedLength = head.contentLength;
    // Filters were given nothing: what they would have made of a body is not known (RFC 9110 8.6).
    else if (!(x.flags & X_LOCAL) && framedLength == 0) framedLength = -1;
    return framedLength >= 0 ? FRAME_LENGTH : FRAME_NONE;
  }
  if (length >= 0) {
    x.responseRemaining = <u64>length;
    return FRAME_LENGTH;
  }
  if (x.flags & X_HTTP10) {
    x.flags = (x.flags & ~X_KEEP_ALIVE) | X_CLOSE_OUT;
    return FRAME_CLOSE;
  }
  x.flags |= X_CHUNK_OUT;
  return FRAME_CHUNKED;
}

/** Writes an informational response (RFC 9110 15.2) as given, without hop-by-hop fields. */
export function putInformational(d: usize): usize {
  d = putKept(putGivenStatusLine(d), false);
  store<u16>(d, 0x0a0d);
  return d + 2;
}

/** Writes the 101 that opens a tunnel, with the edits that wait. */
export function putSwitch(d: usize, x: Exchange): usize {
  applyRemovals(RESPONSE_HEADERS, head.headerCount);
  d = putGatewayLines(putKept(putGivenStatusLine(d), false), x);
  d = putAdditions(d, WRITTEN_LAST);
  return putText(d, 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
}

function putGivenStatusLine(d: usize): usize {
  d = putText(d, 'HTTP/1.1 ');
  d = putDecimal(d, head.statusCode);
  store<u8>(d, 0x20);
  d = put(d + 1, head.reason, head.reasonLength);
  store<u16>(d, 0x0a0d);
  return d + 2;
}

/** Writes a status line with the standard reason phrase. */
export function putStatusLine(d: usize, status: u32): usize {
  d = putText(d, 'HTTP/1.1 ');
  d = putDecimal(d, status);
  store<u8>(d, 0x20);
  d = putText(d + 1, reasonPhrase(status));
  store<u16>(d, 0x0a0d);
  return d + 2;
}

function putKept(d: usize, local: bool): usize {
  const tokens = changetype<Settings>(SETTINGS).tokens;
  let dropped: u32 = HOP_BY_HOP | (1 << H_CONTENT_LENGTH);
  if (tokens & TOKEN_FLAG_VIA && !local) dropped |= 1 << H_VIA;
  if (tokens & TOKEN_FLAG_REQUEST_ID) dropped |= 1 << H_REQUEST_ID;
  if (tokens & TOKEN_FLAG_PROXY_LATENCY) dropped |= 1 << H_PROXY_LATENCY;
  if (tokens & TOKEN_FLAG_UPSTREAM_LATENCY) dropped |= 1 << H_UPSTREAM_LATENCY;
  for (let i: u32 = 0; i < head.headerCount; i++) {
    const entry = changetype<HeaderEntry>(RESPONSE_HEADERS + <usize>i * HEADER_ENTRY_SIZE);
    if (entry.flags & 1 || (dropped >> entry.id) & 1) continue;
    d = putLine(d, entry.name, entry.nameLength, entry.value, entry.valueLength);
  }
  return d;
}

/** Server, Via, latencies and request id, as the setting `headers` says. */
function putGatewayLines(d: usize, x: Exchange): usize {
  const settings = changetype<Settings>(SETTINGS);
  const tokens = settings.tokens;
  const product = SETTINGS + SETTINGS_PRODUCT;
  if (tokens & TOKEN_FLAG_SERVER && !(head.present & (1 << H_SERVER)) && !editsField(H_SERVER)) {
    d = putLine1(putText(d, 'Server: '), product, settings.productLength);
  }
  if (tokens & TOKEN_FLAG_VIA) {
    d = putVia(putText(d, 'Via: '));
    d = putLine1(putText(d, '1.1 '), product, settings.productLength);
  }
  d = putLatencies(d, x, tokens);
  if (tokens & TOKEN_FLAG_UPSTREAM_STATUS) {
    d = putNumberLine(putText(d, 'X-Kong-Upstream-Status: '), x.upstreamStatus);
  }
  return putIdAndDebug(d, x, tokens);
}

function putLatencies(d: usize, x: Exchange, tokens: u32): usize {
  if (tokens & TOKEN_FLAG_UPSTREAM_LATENCY && x.upstreamHeadMs > 0) {
    const ms = <u64>max(0, x.upstreamHeadMs - x.balancedMs);
    d = putNumberLine(putText(d, 'X-Kong-Upstream-Latency: '), ms);
  }
  if (tokens & TOKEN_FLAG_PROXY_LATENCY && x.balancedMs > 0) {
    const ms = <u64>max(0, x.balancedMs - x.startMs);
    d = putNumberLine(putText(d, 'X-Kong-Proxy-Latency: '), ms);
  }
  return d;
}

function putIdAndDebug(d: usize, x: Exchange, tokens: u32): usize {
  if (tokens & TOKEN_FLAG_REQUEST_ID) {
    const id = changetype<usize>(x) + EXCHANGE_ID;
    d = putLine1(putText(d, 'X-Kong-Request-Id: '), id, 32);
  }
  return x.debugBytes ? put(d, x.debug, x.debugBytes) : d;
}

function putVia(d: usize): usize {
  if (!(head.present & (1 << H_VIA))) return d;
  for (let i: u32 = 0; i < head.headerCount; i++) {
    const entry = changetype<HeaderEntry>(RESPONSE_HEADERS + <usize>i * HEADER_ENTRY_SIZE);
    if (entry.id != H_VIA || entry.flags & 1) continue;
    d = put(d, entry.value, entry.valueLength);
    store<u16>(d, 0x202c);
    d += 2;
  }
  return d;
}

/**
 * Lines of an answer that the gateway makes itself. Where the proxy attempt failed after an
 * upstream was chosen, latencies and Via belong to it (kong-config reference, section 18).
 */
function putLocalLines(d: usize, x: Exchange): usize {
  const settings = changetype<Settings>(SETTINGS);
  const tokens = settings.tokens;
  const product = SETTINGS + SETTINGS_PRODUCT;
  if (!(head.present & (1 << H_DATE)) && !editsField(H_DATE)) {
    d = putLine1(putText(d, 'Date: '), dateText(), DATE_BYTES);
  }
  if (tokens & TOKEN_FLAG_SERVER && !(head.present & (1 << H_SERVER)) && !editsField(H_SERVER)) {
    d = putLine1(putText(d, 'Server: '), product, settings.productLength);
  }
  if (x.upgradeOffer && x.status == 426) {
    d = putText(d, 'Upgrade: ');
    d = putText(d, x.upgradeOffer == UPGRADE_TLS ? 'TLS/1.2, HTTP/1.1' : 'HTTP/2');
    d = putText(d, '\r\nConnection: Upgrade\r\n');
  }
  if (x.flags & X_TRIED) {
    if (tokens & TOKEN_FLAG_VIA) {
      d = putLine1(putText(d, 'Via: 1.1 '), product, settings.productLength);
    }
    if (x.upstreamHeadMs == 0) x.upstreamHeadMs = nowExact;
    d = putLatencies(d, x, tokens);
  } else if (tokens & TOKEN_FLAG_RESPONSE_LATENCY) {
    const ms = <u64>max(0, nowExact - x.startMs);
    d = putNumberLine(putText(d, 'X-Kong-Response-Latency: '), ms);
  }
  return putIdAndDebug(d, x, tokens);
}

function putLength(d: usize, bytes: u64): usize {
  return putNumberLine(putText(d, 'Content-Length: '), bytes);
}

/** The Connection line, where one is needed, and the empty line. */
function putEnd(d: usize, x: Exchange): usize {
  if (!(x.flags & X_KEEP_ALIVE)) d = putText(d, 'Connection: close\r\n');
  else if (x.flags & X_HTTP10) d = putText(d, 'Connection: keep-alive\r\n');
  store<u16>(d, 0x0a0d);
  return d + 2;
}

function putNumberLine(d: usize, value: u64): usize {
  d = putDecimal(d, value);
  store<u16>(d, 0x0a0d);
  return d + 2;
}

function putLine1(d: usize, from: usize, bytes: usize): usize {
  d = put(d, from, bytes);
  store<u16>(d, 0x0a0d);
  return d + 2;
}
