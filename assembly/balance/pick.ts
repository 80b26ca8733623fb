/**
 * Which peer gets a request. Kong's algorithms (kong-config reference, section 12); round-robin
 * takes its turns from a list made at load, in which every round is exact.
 */
// raw memory: turns and points
import {
  BALANCER_ALGORITHM_HASHING,
  BALANCER_ALGORITHM_LATENCY,
  BALANCER_ALGORITHM_LEAST_CONNECTIONS,
  Balancer,
  BalancerState,
  Peer,
  PeerState,
} from '../layout';
import { decayed } from './latency';
import { balancerState, peerAt, peerState, tableBase } from './table';

export const NO_PEER: i32 = -1;

/**
 * Index of the peer for a request, or NO_PEER. `tried`: a bit for each peer that failed in this
 * request already, `hash`: of what the balancer hashes, `now`: the clock in milliseconds.
 */
export function pick(b: Balancer, tried: u64, hash: u32, now: f64): i32 {
  const state = balancerState(b);
  if (!state.usable) return NO_PEER;
  switch (b.algorithm) {
    case BALANCER_ALGORITHM_HASHING: return onRing(b, hash);
    case BALANCER_ALGORITHM_LEAST_CONNECTIONS: return leastBusy(b, state, tried);
    case BALANCER_ALGORITHM_LATENCY: return fastest(b, state, tried, now);
  }
  return nextTurn(b, state, tried);
}

/** The bit of a peer among those that a request has tried. */
// @ts-ignore: decorator
@inline
export function triedBit(slot: u32): u64 {
  return <u64>1 << <u64>(slot & 63);
}

// @ts-ignore: decorator
@inline
function entry(b: Balancer, at: u32): u32 {
  return load<u16>(tableBase() + b.sequence + (<usize>at << 1));
}

/** The next turn whose peer is healthy and was not tried; where all were tried, the first. */
function nextTurn(b: Balancer, state: BalancerState, tried: u64): i32 {
  const n = b.sequenceLength;
  let at = state.cursor < n ? state.cursor : 0;
  let again = NO_PEER;
  for (let i: u32 = 0; i < n; i++) {
    const index = entry(b, at);
    if (++at == n) at = 0;
    const slot = peerAt(b, index).slot;
    if (peerState(slot).down) continue;
    if (!(tried & triedBit(slot))) {
      state.cursor = at;
      return <i32>index;
    }
    if (again == NO_PEER) again = <i32>index;
  }
  return again;
}

/** The peer with the fewest exchanges for its weight; equals take turns. */
function leastBusy(b: Balancer, state: BalancerState, tried: u64): i32 {
  const n = b.peerCount;
  let best = NO_PEER;
  let busy: f64 = 0;
  let at = firstOf(state, n);
  for (let i: u32 = 0; i < n; i++, at = at + 1 < n ? at + 1 : 0) {
    const peer = peerAt(b, at);
    const p = peerState(peer.slot);
    if (p.down || !peer.weight || tried & triedBit(peer.slot)) continue;
    const load = <f64>(p.inFlight + 1) / <f64>peer.weight;
    if (best != NO_PEER && load >= busy) continue;
    best = <i32>at;
    busy = load;
  }
  if (best == NO_PEER && tried) return leastBusy(b, state, 0);
  return best;
}

/**
 * The peer with the lowest latency for its weight. One that failed is not used again, unless it is
 * the only one. A peer that was never measured counts as the average of the others.
 */
function fastest(b: Balancer, state: BalancerState, tried: u64, now: f64): i32 {
  const n = b.peerCount;
  const average = averageLatency(b, now);
  let best = NO_PEER;
  let shortest: f64 = 0;
  let at = firstOf(state, n);
  for (let i: u32 = 0; i < n; i++, at = at + 1 < n ? at + 1 : 0) {
    const peer = peerAt(b, at);
    const p = peerState(peer.slot);
    if (p.down || !peer.weight || (n > 1 && tried & triedBit(peer.slot))) continue;
    const score = (p.latencyAtMs > 0 ? decayed(p, now) : average) / <f64>peer.weight;
    if (best != NO_PEER && score >= shortest) continue;
    best = <i32>at;
    shortest = score;
  }
  return best;
}

function averageLatency(b: Balancer, now: f64): f64 {
  let sum: f64 = 0;
  let count: f64 = 0;
  for (let i: u32 = 0; i < b.peerCount; i++) {
    const p = peerState(peerAt(b, i).slot);
    if (p.latencyAtMs <= 0) continue;
    sum += decayed(p, now);
    count += 1;
  }
  return count > 0 ? sum / count : 0;
}

/** Where a search begins, so that the first of equals is not always the same. */
function firstOf(state: BalancerState, n: u32): u32 {
  const at = state.cursor < n ? state.cursor : 0;
  state.cursor = at + 1;
  return at;
}

/** From the point of the hash downwards to the first peer that is healthy. */
function onRing(b: Balancer, hash: u32): i32 {
  const n = b.sequenceLength;
  if (!n) return NO_PEER;
  let at = hash % n;
  for (let i: u32 = 0; i < n; i++) {
    const index = entry(b, at);
    if (!peerState(peerAt(b, index).slot).down) return <i32>index;
    at = at ? at - 1 : n - 1;
  }
  return NO_PEER;
}
