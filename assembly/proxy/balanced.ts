/**
 * Exchanges whose service is an upstream: choosing a peer, for the first try and for each further
 * one, and telling what became of it. Exchanges without one do not come here.
 */
// raw memory: targets of views and of failed tries, the Host line
import { put } from '../bytes';
import { hashOf, cookieMissing } from '../balance/input';
import { reportFailure, reportStatus } from '../balance/health';
import { measure } from '../balance/latency';
import { NO_PEER, pick, triedBit } from '../balance/pick';
import { balancerAt, peerAt, peerState, tableBase, viewAt } from '../balance/table';
import {
  BALANCER_ALGORITHM_HASHING,
  BALANCER_ALGORITHM_LATENCY,
  Balancer,
  BalancerView,
} from '../layout';
import { allocate, release } from '../memory';
import { setHashCookie } from './hash-cookie';
import { EXCHANGE_FAILED, Exchange, FAILED_MAX } from './exchange';
import { nowExact } from './timers';

export const NO_PEER_TEXT: string = 'failure to get a peer from the ring-balancer';

/** The Host value of the peer that was chosen last. */
export let peerHost: usize = 0;
export let peerHostBytes: u32 = 0;

/** Chooses the peer of the first try. False: there is none that may be used. */
export function choosePeer(x: Exchange): bool {
  const view = viewAt(x.view - 1);
  if (!view) return false;
  const b = balancerAt(view.balancer - 1);
  if (b.algorithm == BALANCER_ALGORITHM_HASHING) {
    x.hashValue = hashOf(b, x);
    if (cookieMissing && !setHashCookie(b, x)) return false;
  }
  return enter(x, view, b);
}

/** Takes the peer off an exchange whose try failed, and chooses another for the next one. */
export function chooseAgain(x: Exchange): bool {
  leave(x);
  const view = viewAt(x.view - 1);
  if (!view || !enter(x, view, balancerAt(view.balancer - 1))) return false;
  return !x.hostAt || replaceHost(x);
}

/** A try failed, `late`: by a time-out. */
export function noteFailedTry(x: Exchange, late: bool): void {
  const view = viewAt(x.view - 1);
  x.tried |= triedBit(x.peer - 1);
  if (view) reportFailure(balancerAt(view.balancer - 1), x.peer - 1, late);
}

/** No further try follows: the client gets a status, which counts like an answer's. */
export function noteLastTry(x: Exchange, status: u32): void {
  const view = viewAt(x.view - 1);
  if (view) reportStatus(balancerAt(view.balancer - 1), x.peer - 1, status);
}

/** Keeps the target of a failed try for the log record. */
export function noteFailedTarget(x: Exchange): void {
  if (x.failedCount >= FAILED_MAX) return;
  const at = changetype<usize>(x) + EXCHANGE_FAILED + (<usize>x.failedCount << 2);
  store<u32>(at, x.target);
  x.failedCount++;
}

/** The exchange is over: its peer is told how it went, and is free for another. */
export function leavePeer(x: Exchange): void {
  const view = viewAt(x.view - 1);
  if (view && x.upstreamStatus) {
    const b = balancerAt(view.balancer - 1);
    reportStatus(b, x.peer - 1, x.upstreamStatus);
    if (b.algorithm == BALANCER_ALGORITHM_LATENCY) {
      measure(peerState(x.peer - 1), nowExact - x.triedMs, nowExact);
    }
  }
  leave(x);
}

function enter(x: Exchange, view: BalancerView, b: Balancer): bool {
  const index = pick(b, x.tried, x.hashValue, nowExact);
  if (index == NO_PEER) return false;
  const peer = peerAt(b, index);
  peerState(peer.slot).inFlight++;
  x.peer = peer.slot + 1;
  x.target = load<u32>(tableBase() + view.targets + (<usize>index << 2));
  x.triedMs = nowExact;
  peerHost = tableBase() + peer.host;
  const plain = peer.port == (view.secure ? <u32>443 : <u32>80);
  peerHostBytes = plain ? peer.nameLength : peer.hostLength;
  return true;
}

function leave(x: Exchange): void {
  if (!x.peer) return;
  peerState(x.peer - 1).inFlight--;
  x.peer = 0;
}

/** Writes the head anew with the Host of the peer just chosen. */
function replaceHost(x: Exchange): bool {
  const old = <usize>x.upstreamHead;
  const behind = old + x.hostAt + x.hostLength;
  const rest = x.upstreamHeadBytes - x.hostAt - x.hostLength;
  const slot = allocate(<usize>x.hostAt + peerHostBytes + rest);
  if (!slot) return false;
  const d = put(slot, old, x.hostAt);
  x.upstreamHeadBytes = <u32>(put(put(d, peerHost, peerHostBytes), behind, rest) - slot);
  x.upstreamHead = <u32>slot;
  x.hostLength = peerHostBytes;
  release(old);
  return true;
}
