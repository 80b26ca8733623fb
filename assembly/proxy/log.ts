/**
 * The log phase: copies raw heads, sizes and times of an ended exchange into the rings of its
 * route. Bytes only; text is made by the consumer, off the request path.
 */
// raw memory: ring ids are packed a byte each
import { copy16, put } from '../bytes';
import {
  ACCEPT_FLAG_TLS,
  LIMIT_RING_ENTRY_BYTES,
  LIMIT_RINGS_PER_ROUTE,
  LOG_FLAG_CLIENT_ABORT,
  LOG_FLAG_HEAD_CUT,
  LOG_FLAG_LOCAL,
  LOG_FLAG_REQUEST_CUT,
  LOG_FLAG_TLS,
  LOG_FLAG_TUNNEL,
  LOG_RECORD_CLIENT_ADDRESS,
  LOG_RECORD_PEER_ADDRESS,
  LOG_RECORD_REQUEST_ID,
  LOG_RECORD_SIZE,
  LogRecord,
  SETTINGS,
  Settings,
} from '../layout';
import { ringCommit, ringReserve } from '../queue/ring';
import { Connection, KIND_DOWNSTREAM, PEER_ADDRESS, connectionAt, find } from './connection';
import {
  CLIENT_ADDRESS,
  EXCHANGE_FAILED,
  EXCHANGE_ID,
  FAILED_MAX,
  Exchange,
  X_CLIENT_ABORT,
  X_LOCAL,
  X_REQUEST_DONE,
  X_TUNNEL,
  copyToSlot,
  exchangeOf,
} from './exchange';
import { nowExact } from './timers';

const NO_RING: u32 = 0xffffffff;
const NONE: u32 = 0xffffffff;

/** True where some ring takes the record of this exchange, so that heads must be kept. */
export function isLogged(x: Exchange): bool {
  return x.ringCount != 0 || changetype<Settings>(SETTINGS).accessRing != NO_RING;
}

/**
 * Replaces the rings of an exchange by those of its client: up to eight ids, a byte each. Nothing
 * happens where the exchange is over.
 */
export function chooseRings(id: u32, sequence: u32, count: u32, low: u32, high: u32): void {
  const c = find(id);
  if (!c || c.kind != KIND_DOWNSTREAM || !c.exchange) return;
  const x = exchangeOf(c);
  if (x.sequence != sequence) return;
  x.ringCount = min(count, LIMIT_RINGS_PER_ROUTE);
  x.ringIds = <u64>low | (<u64>high << 32);
}

/** Keeps the head that was sent to the client. */
export function noteResponseHead(x: Exchange, from: usize, bytes: usize): void {
  if (!isLogged(x)) return;
  x.responseHead = copyToSlot(from, bytes);
  x.responseHeadBytes = x.responseHead ? <u32>bytes : 0;
}

/** Writes the record of an ended exchange into its rings. */
export function logExchange(x: Exchange): void {
  for (let i: u32 = 0; i < x.ringCount; i++) {
    writeRecord(<u32>(x.ringIds >> (<u64>i << 3)) & 0xff, x);
  }
  const accessRing = changetype<Settings>(SETTINGS).accessRing;
  if (accessRing != NO_RING) writeRecord(accessRing, x);
}

function writeRecord(ring: u32, x: Exchange): void {
  let requestBytes = x.requestHead ? x.requestHeadBytes : 0;
  let targetBytes = x.upstreamTarget ? x.targetBytes : 0;
  let responseBytes = x.responseHead ? x.responseHeadBytes : 0;
  let cut: u32 = 0;
  const room = LIMIT_RING_ENTRY_BYTES - <u32>LOG_RECORD_SIZE - (FAILED_MAX << 2);
  if (requestBytes + targetBytes + responseBytes > room) {
    cut = LOG_FLAG_HEAD_CUT;
    requestBytes = min(requestBytes, room / 2);
    targetBytes = min(targetBytes, room / 8);
    responseBytes = min(responseBytes, room / 4);
  }
  const failed: u32 = x.view ? x.failedCount : 0;
  const bytes = LOG_RECORD_SIZE + requestBytes + targetBytes + responseBytes + (failed << 2);
  const at = ringReserve(ring, <u32>bytes);
  if (!at) return;
  memory.fill(at, 0, LOG_RECORD_SIZE);
  const r = changetype<LogRecord>(at);
  r.bytes = <u32>bytes;
  r.requestHeadBytes = requestBytes;
  r.upstreamTargetBytes = targetBytes;
  r.responseHeadBytes = responseBytes;
  r.failedCount = failed;
  fill(r, x, cut);
  let d = at + LOG_RECORD_SIZE;
  put(d, x.requestHead, requestBytes);
  d += requestBytes;
  put(d, x.upstreamTarget, targetBytes);
  d += targetBytes;
  d = put(d, x.responseHead, responseBytes);
  put(d, changetype<usize>(x) + EXCHANGE_FAILED, failed << 2);
  ringCommit(ring, <u32>bytes);
}

function fill(r: LogRecord, x: Exchange, cut: u32): void {
  const c = connectionAt(x.client);
  r.generation = x.generation;
  r.route = x.route;
  r.flags = cut | flagsOf(c, x);
  r.status = x.status;
  r.upstreamStatus = x.upstreamStatus;
  r.tries = x.tries;
  r.target = x.target;
  r.credential = x.credential;
  r.peerPort = c.peerPort;
  r.localPort = c.localPort;
  r.tls = c.tls;
  r.requestMs = <u32>(nowExact - x.startMs);
  r.gatewayMs = <u32>((x.balancedMs > 0 ? x.balancedMs : nowExact) - x.startMs);
  r.upstreamMs = x.upstreamStatus ? <u32>(x.upstreamHeadMs - x.balancedMs) : NONE;
  r.receiveMs = x.upstreamStatus ? <u32>(nowExact - x.upstreamHeadMs) : 0;
  r.startWallMs = x.startWallMs;
  r.requestBytes = x.requestBytes;
  r.responseBytes = x.responseBytes;
  r.bodyBytesSent = x.bodyBytesSent;
  const base = changetype<usize>(r);
  copy16(base + LOG_RECORD_CLIENT_ADDRESS, changetype<usize>(x) + CLIENT_ADDRESS);
  copy16(base + LOG_RECORD_PEER_ADDRESS, changetype<usize>(c) + PEER_ADDRESS);
  put(base + LOG_RECORD_REQUEST_ID, changetype<usize>(x) + EXCHANGE_ID, 32);
}

function flagsOf(c: Connection, x: Exchange): u32 {
  let flags: u32 = 0;
  if (c.acceptFlags & <u16>ACCEPT_FLAG_TLS) flags |= LOG_FLAG_TLS;
  if (x.flags & X_LOCAL) flags |= LOG_FLAG_LOCAL;
  if (x.flags & X_CLIENT_ABORT) flags |= LOG_FLAG_CLIENT_ABORT;
  if (x.flags & X_TUNNEL) flags |= LOG_FLAG_TUNNEL;
  if (!(x.flags & X_REQUEST_DONE)) flags |= LOG_FLAG_REQUEST_CUT;
  return flags;
}
