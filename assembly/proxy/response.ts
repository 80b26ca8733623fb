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
  H_PROXY_LATENCY,
  H_REQUEST_ID,
  H_SERVER,
  H_UPSTREAM_LATENCY,
  H_VIA,
} from '../http/names';
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
import { applyRemovals, editValue, editsField, lastEdit, putAdditions, putLine } from './edits';
import {
  EXCHANGE_ID,
  Exchange,
  X_HTTP10,
  X_KEEP_ALIVE,
} from './exchange';
import { reasonPhrase } from '../http/reasons';
import { nowExact } from './timers';

/** Framing of the answer's body toward the client. */
export const FRAME_NONE: u32 = 0; // no body and no length: 1xx, 204
export const FRAME_AS_GIVEN: u32 = 1; // HEAD, 304: the length the upstream named, if any
export const FRAME_LENGTH: u32 = 2;
export const FRAME_CHUNKED: u32 = 3;
export const FRAME_CLOSE: u32 = 4; // HTTP/1.0 client and no length

/** Writes the client's head for the upstream answer just parsed; returns the end. */
export function putResponseHead(d: usize, x: Exchange, framing: u32): usize {
  applyRemovals(RESPONSE_HEADERS, head.headerCount);
  const statusEdit = lastEdit(EDIT_OP_STATUS);
  if (statusEdit) {
    x.status = 0;
    const digits = editValue(statusEdit);
    for (let i: u32 = 0; i < statusEdit.valueLength; i++) {
      x.status = x.status * 10 + <u32>load<u8>(digits + i) - 48;
    }
    d = putStatusLine(d, x.status);
  } else d = putGivenStatusLine(d);
  d = putKept(d);
  d = putGatewayLines(d, x);
  d = putAdditions(d);
  if (framing == FRAME_CHUNKED) d = putText(d, 'Transfer-Encoding: chunked\r\n');
  else if (framing == FRAME_LENGTH || (framing == FRAME_AS_GIVEN && head.contentLength >= 0)) {
    d = putLength(d, <u64>head.contentLength);
  }
  return putEnd(d, x);
}

/** Writes an informational response (RFC 9110 15.2) as given, without hop-by-hop fields. */
export function putInformational(d: usize): usize {
  d = putKept(putGivenStatusLine(d));
  store<u16>(d, 0x0a0d);
  return d + 2;
}

/** Writes the 101 that opens a tunnel. */
export function putSwitch(d: usize, x: Exchange): usize {
  d = putGatewayLines(putKept(putGivenStatusLine(d)), x);
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

function putKept(d: usize): usize {
  const tokens = changetype<Settings>(SETTINGS).tokens;
  let dropped: u32 = HOP_BY_HOP | (1 << H_CONTENT_LENGTH);
  if (tokens & TOKEN_FLAG_VIA) dropped |= 1 << H_VIA;
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
 * Lines of an answer that the gateway makes itself. `tried`: the proxy attempt failed after an
 * upstream was chosen, so latencies and Via belong to it (kong-config reference, section 18).
 */
export function putLocalLines(d: usize, x: Exchange, tried: bool): usize {
  const settings = changetype<Settings>(SETTINGS);
  const tokens = settings.tokens;
  const product = SETTINGS + SETTINGS_PRODUCT;
  d = put(putText(d, 'Date: '), dateText(), DATE_BYTES);
  store<u16>(d, 0x0a0d);
  d += 2;
  if (tokens & TOKEN_FLAG_SERVER && !editsField(H_SERVER)) {
    d = putLine1(putText(d, 'Server: '), product, settings.productLength);
  }
  if (tried) {
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

/** Content-Length, unless the client must find the end by itself. */
export function putLength(d: usize, bytes: u64): usize {
  return putNumberLine(putText(d, 'Content-Length: '), bytes);
}

/** The Connection line, where one is needed, and the empty line. */
export function putEnd(d: usize, x: Exchange): usize {
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
