/**
 * Health of peers. Four counters each; a success clears those of failures and the other way round,
 * so that limits are of events in a row. What agrees with the settled state counts nothing.
 */
// raw memory: bits of statuses
import {
  Balancer,
  CONTROL,
  Control,
  HEALTH_EVENT_HTTP_FAILURE,
  HEALTH_EVENT_SUCCESS,
  HEALTH_EVENT_TCP_FAILURE,
  HEALTH_EVENT_TIMEOUT,
  PeerState,
} from '../layout';
import { balancerAt, balancerCount, peerAt, peerState, tableBase, weigh } from './table';

/** Takes the status of an answer of a peer into account. */
export function reportStatus(b: Balancer, slot: u32, status: u32): void {
  if (!b.checks) return;
  if (hasBit(b.goodStatuses, status)) report(b, slot, HEALTH_EVENT_SUCCESS, b.successes);
  else if (hasBit(b.badStatuses, status)) {
    report(b, slot, HEALTH_EVENT_HTTP_FAILURE, b.httpFailures);
  }
}

/** Takes a failed try into account: a time-out, or a connection that came to nothing. */
export function reportFailure(b: Balancer, slot: u32, late: bool): void {
  if (!b.checks) return;
  if (late) report(b, slot, HEALTH_EVENT_TIMEOUT, b.timeouts);
  else report(b, slot, HEALTH_EVENT_TCP_FAILURE, b.tcpFailures);
}

/** One event of a probe, for the peer at an index; `limit` in a row change its state, 0: never. */
export function reportProbe(balancer: u32, peer: u32, event: u32, limit: u32): void {
  if (balancer >= balancerCount()) return;
  const b = balancerAt(balancer);
  if (peer < b.peerCount) report(b, peerAt(b, peer).slot, event, limit);
}

/** Sets the state of the peer at an index. */
export function setHealth(balancer: u32, peer: u32, healthy: bool): void {
  if (balancer >= balancerCount()) return;
  const b = balancerAt(balancer);
  if (peer >= b.peerCount) return;
  const p = peerState(peerAt(b, peer).slot);
  clear(p);
  if ((p.down == 0) != healthy) flip(b, p);
}

function report(b: Balancer, slot: u32, event: u32, limit: u32): void {
  const p = peerState(slot);
  if (event == HEALTH_EVENT_SUCCESS) {
    p.httpFailures = p.tcpFailures = p.timeouts = 0;
    if (p.down && limit && ++p.successes >= limit) flip(b, p);
    return;
  }
  p.successes = 0;
  if (p.down || !limit) return;
  let count: u32 = 0;
  if (event == HEALTH_EVENT_HTTP_FAILURE) count = ++p.httpFailures;
  else if (event == HEALTH_EVENT_TCP_FAILURE) count = ++p.tcpFailures;
  else count = ++p.timeouts;
  if (count >= limit) flip(b, p);
}

function flip(b: Balancer, p: PeerState): void {
  p.down ^= 1;
  clear(p);
  weigh(b);
  changetype<Control>(CONTROL).healthChanges++;
}

function clear(p: PeerState): void {
  p.successes = p.httpFailures = p.tcpFailures = p.timeouts = 0;
}

function hasBit(bits: u32, status: u32): bool {
  if (status > 1023) return false;
  const word = load<u32>(tableBase() + bits + ((status >> 5) << 2));
  return ((word >> (status & 31)) & 1) != 0;
}
