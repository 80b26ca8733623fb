/**
 * The one way out of the core: `phase(connection, phase)` runs the plugins of the exchange's plan
 * in the shell. Called only where the route's record says that there is code for the phase.
 */
import { copy16, put } from '../bytes';
import { trailers } from '../http/body';
import * as head from '../http/head';
import {
  BODY_FLAG_END,
  BODY_FLAG_RESTART,
  CONTROL,
  Control,
  LIMIT_PULL_BYTES,
  LIMIT_TRAILER_BYTES,
  PHASE_COUNT,
  PHASE_ENDED,
  PHASE_HEADER_FILTER,
  PHASE_RESUMED,
  PHASE_VERDICT_CONTINUE,
  PHASE_VIEW,
  PHASE_VIEW_CLIENT_ADDRESS,
  PHASE_VIEW_LOCAL_ADDRESS,
  PHASE_VIEW_PEER_ADDRESS,
  PHASE_VIEW_REQUEST_ID,
  PhaseView,
  REQUEST_HEADERS,
  RESPONSE_HEADERS,
} from '../layout';
import { Connection, LOCAL_ADDRESS, PEER_ADDRESS, connectionAt } from './connection';
import { CLIENT_ADDRESS, EXCHANGE_ID, Exchange } from './exchange';
import * as request from './request';

// @ts-ignore: decorator
@external('env', 'phase')
declare function phase(connection: u32, phase: u32): u32;

/** What a call left in the phase view: bytes of a pull, and the length of the shell's body. */
export let outBytes: u32 = 0;
export let outLength: f64 = -1;
/** Trailer lines behind those bytes; for the end of a body. */
export let outTrailerBytes: u32 = 0;

/** Runs a request phase; the request's parse results must be in place. Returns the verdict. */
export function runRequestPhase(c: Connection, x: Exchange, which: u32): u32 {
  const v = changetype<PhaseView>(PHASE_VIEW);
  fill(v, c, x);
  const q = request.query();
  v.method = <u32>head.method;
  v.methodLength = head.methodLength;
  v.target = <u32>request.target;
  v.targetLength = request.targetBytes;
  v.path = q.path;
  v.pathLength = q.pathLength;
  v.headers = <u32>REQUEST_HEADERS;
  v.headerCount = head.headerCount;
  v.minorVersion = head.minorVersion;
  v.contentLength = head.chunked ? -1 : max<f64>(0, <f64>head.contentLength);
  v.upstreamTarget = x.upstreamTarget;
  v.upstreamTargetLength = x.targetBytes;
  v.responseHeaderCount = 0;
  v.status = 0;
  return call(c, x, which);
}

/**
 * Runs the header filters on the answer whose head was just parsed, an upstream's or ours.
 * `ends`: no body follows. Returns the verdict.
 */
export function runHeaderFilter(c: Connection, x: Exchange, source: u32, ends: bool): u32 {
  const v = changetype<PhaseView>(PHASE_VIEW);
  fill(v, c, x);
  v.headerCount = 0;
  v.methodLength = 0;
  v.targetLength = 0;
  v.pathLength = 0;
  v.upstreamTargetLength = 0;
  v.responseHeaders = <u32>RESPONSE_HEADERS;
  v.responseHeaderCount = head.headerCount;
  v.status = x.status;
  v.source = source;
  v.bodyFlags = ends ? BODY_FLAG_END : 0;
  return call(c, x, PHASE_HEADER_FILTER);
}

/** Asks the shell what it meant by a RESUME event. */
export function askResumed(c: Connection, x: Exchange): u32 {
  return call(c, x, PHASE_RESUMED);
}

/** Gives the shell body bytes and octets of the trailer section, which it takes all. */
export function giveBody(
  c: Connection,
  x: Exchange,
  which: u32,
  from: usize,
  bytes: usize,
  last: bool,
  trailerBytes: usize,
): u32 {
  const v = changetype<PhaseView>(PHASE_VIEW);
  v.body = <u32>from;
  v.bodyBytes = <u32>bytes;
  v.bodyFlags = last ? BODY_FLAG_END : 0;
  v.trailers = <u32>trailers;
  v.trailerBytes = <u32>trailerBytes;
  return call(c, x, which);
}

/** Asks the shell for body bytes: `outBytes` of them lie in the reply region afterwards. */
export function pullBody(c: Connection, x: Exchange, which: u32, restart: bool): u32 {
  const v = changetype<PhaseView>(PHASE_VIEW);
  v.outBytes = 0;
  v.outTrailerBytes = 0;
  v.bodyFlags = restart ? BODY_FLAG_RESTART : 0;
  const verdict = call(c, x, which);
  outBytes = min(v.outBytes, LIMIT_PULL_BYTES);
  outTrailerBytes = min(v.outTrailerBytes, LIMIT_TRAILER_BYTES);
  return verdict;
}

/** Counts in the `count` counters of the reply region. False: one of them is used up. */
export function askCounters(c: Connection, x: Exchange, count: u32): bool {
  changetype<PhaseView>(PHASE_VIEW).status = count;
  return call(c, x, PHASE_COUNT) == PHASE_VERDICT_CONTINUE;
}

/** Tells the shell that an exchange is over, however it ended. */
export function tellEnded(x: Exchange): void {
  const v = changetype<PhaseView>(PHASE_VIEW);
  const c = connectionAt(x.client);
  v.status = x.status;
  v.upstreamStatus = x.upstreamStatus;
  v.requestBytes = x.requestBytes;
  v.responseBytes = x.responseBytes;
  v.bodyBytesSent = x.bodyBytesSent;
  call(c, x, PHASE_ENDED);
}

function call(c: Connection, x: Exchange, which: u32): u32 {
  const v = changetype<PhaseView>(PHASE_VIEW);
  v.connection = c.id;
  v.sequence = x.sequence;
  v.outLength = -1;
  v.clientEditCount = 0;
  changetype<Control>(CONTROL).editCount = 0;
  const verdict = phase(c.id, which);
  outLength = v.outLength;
  return verdict;
}

function fill(v: PhaseView, c: Connection, x: Exchange): void {
  v.generation = x.generation;
  v.route = x.route;
  v.flags = c.acceptFlags;
  v.prefixLength = x.prefixLength;
  v.peerPort = c.peerPort;
  v.localPort = c.localPort;
  v.upstreamStatus = x.upstreamStatus;
  v.startWallMs = x.startWallMs;
  v.sni = c.sni;
  v.sniLength = c.sniLength;
  v.tls = c.tls;
  v.attempt = x.target;
  v.upstreamMs = x.upstreamStatus ? <u32>(x.upstreamHeadMs - x.balancedMs) : u32.MAX_VALUE;
  const base = changetype<usize>(v);
  copy16(base + PHASE_VIEW_CLIENT_ADDRESS, changetype<usize>(x) + CLIENT_ADDRESS);
  copy16(base + PHASE_VIEW_PEER_ADDRESS, changetype<usize>(c) + PEER_ADDRESS);
  copy16(base + PHASE_VIEW_LOCAL_ADDRESS, changetype<usize>(c) + LOCAL_ADDRESS);
  put(base + PHASE_VIEW_REQUEST_ID, changetype<usize>(x) + EXCHANGE_ID, 32);
}
