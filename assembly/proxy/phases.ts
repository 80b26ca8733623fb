/**
 * The one way out of the core: `phase(connection, phase)` runs the plugins of the exchange's plan
 * in the shell. Called only where the route's record says that there is code for the phase.
 */
import * as head from '../http/head';
import {
  CONTROL,
  Control,
  PHASE_HEADER_FILTER,
  PHASE_VIEW,
  PHASE_VIEW_CLIENT_ADDRESS,
  PHASE_VIEW_PEER_ADDRESS,
  PHASE_VIEW_REQUEST_ID,
  PhaseView,
  REQUEST_HEADERS,
  RESPONSE_HEADERS,
} from '../layout';
import { Connection, PEER_ADDRESS } from './connection';
import { CLIENT_ADDRESS, EXCHANGE_ID, Exchange } from './exchange';
import * as request from './request';

// @ts-ignore: decorator
@external('env', 'phase')
declare function phase(connection: u32, phase: u32): u32;

/** Runs a request phase; the request's parse results must be in place. Returns a PhaseVerdict. */
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
  changetype<Control>(CONTROL).editCount = 0;
  return phase(c.id, which);
}

/** Runs header filters on the upstream answer just parsed. */
export function filterResponse(c: Connection, x: Exchange): void {
  changetype<Control>(CONTROL).editCount = 0;
  if (!(x.phases & PHASE_HEADER_FILTER)) return;
  callFilter(c, x, head.headerCount);
}

/** Runs header filters on an answer of ours, which has no fields of an upstream. */
export function filterLocal(c: Connection, x: Exchange): void {
  if (x.phases & PHASE_HEADER_FILTER) callFilter(c, x, 0);
}

function callFilter(c: Connection, x: Exchange, responseHeaders: u32): void {
  const v = changetype<PhaseView>(PHASE_VIEW);
  fill(v, c, x);
  v.headerCount = 0;
  v.methodLength = 0;
  v.targetLength = 0;
  v.pathLength = 0;
  v.responseHeaders = <u32>RESPONSE_HEADERS;
  v.responseHeaderCount = responseHeaders;
  v.status = x.status;
  phase(c.id, PHASE_HEADER_FILTER);
}

function fill(v: PhaseView, c: Connection, x: Exchange): void {
  v.connection = c.id;
  v.generation = x.generation;
  v.route = x.route;
  v.flags = c.acceptFlags;
  v.prefixLength = x.prefixLength;
  v.peerPort = c.peerPort;
  v.localPort = c.localPort;
  v.startWallMs = x.startWallMs;
  const base = changetype<usize>(v);
  memory.copy(base + PHASE_VIEW_CLIENT_ADDRESS, changetype<usize>(x) + CLIENT_ADDRESS, 16);
  memory.copy(base + PHASE_VIEW_PEER_ADDRESS, changetype<usize>(c) + PEER_ADDRESS, 16);
  memory.copy(base + PHASE_VIEW_REQUEST_ID, changetype<usize>(x) + EXCHANGE_ID, 32);
}
