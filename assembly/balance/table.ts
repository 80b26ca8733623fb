/** The balancer table in use, the swap to the next one, and the state that outlives both. */
import {
  BALANCERS_A,
  BALANCERS_B,
  BALANCER_ERROR_NONE,
  BALANCER_SIZE,
  BALANCER_STATES,
  BALANCER_STATE_SIZE,
  BALANCER_VIEW_SIZE,
  Balancer,
  BalancerState,
  BalancerTable,
  BalancerView,
  CONTROL,
  Control,
  PEERS,
  PEER_SIZE,
  PEER_STATE_SIZE,
  Peer,
  PeerState,
} from '../layout';
import { balancerError } from './validate';

/** Pointer to where the shell writes the next table; limits.balancerTableBytes fit. */
export function stageBalancers(): usize {
  const base = changetype<Control>(CONTROL).balancerBase;
  return base == <u32>BALANCERS_A ? BALANCERS_B : BALANCERS_A;
}

/** Checks the staged table and puts it in use: 0, or the balancerError that kept the old one. */
export function commitBalancers(): i32 {
  const base = stageBalancers();
  const error = balancerError(base);
  if (error != BALANCER_ERROR_NONE) return <i32>error;
  changetype<Control>(CONTROL).balancerBase = <u32>base;
  const count = changetype<BalancerTable>(base).balancerCount;
  for (let i: u32 = 0; i < count; i++) weigh(balancerAt(i));
  return 0;
}

// @ts-ignore: decorator
@inline
export function tableBase(): usize {
  return changetype<Control>(CONTROL).balancerBase;
}

/** The view of a number, or null where it is not in use. */
export function viewAt(number: u32): BalancerView | null {
  const base = tableBase();
  if (!base) return null;
  const table = changetype<BalancerTable>(base);
  if (number >= table.viewCount) return null;
  const view = changetype<BalancerView>(base + table.views + <usize>number * BALANCER_VIEW_SIZE);
  return view.balancer ? view : null;
}

/** Balancers of the table in use. */
export function balancerCount(): u32 {
  const base = tableBase();
  return base ? changetype<BalancerTable>(base).balancerCount : 0;
}

/** A balancer by its index in the table in use. */
// @ts-ignore: decorator
@inline
export function balancerAt(index: u32): Balancer {
  const base = tableBase();
  const balancers = changetype<BalancerTable>(base).balancers;
  return changetype<Balancer>(base + balancers + <usize>index * BALANCER_SIZE);
}

// @ts-ignore: decorator
@inline
export function peerAt(b: Balancer, index: u32): Peer {
  return changetype<Peer>(tableBase() + b.peers + <usize>index * PEER_SIZE);
}

// @ts-ignore: decorator
@inline
export function peerState(slot: u32): PeerState {
  return changetype<PeerState>(PEERS + <usize>slot * PEER_STATE_SIZE);
}

// @ts-ignore: decorator
@inline
export function balancerState(b: Balancer): BalancerState {
  return changetype<BalancerState>(BALANCER_STATES + <usize>b.slot * BALANCER_STATE_SIZE);
}

/** Adds the weights of a balancer's peers up anew, and decides whether it can be used. */
export function weigh(b: Balancer): void {
  let all: f64 = 0;
  let healthy: f64 = 0;
  for (let i: u32 = 0; i < b.peerCount; i++) {
    const peer = peerAt(b, i);
    all += <f64>peer.weight;
    if (!peerState(peer.slot).down) healthy += <f64>peer.weight;
  }
  const state = balancerState(b);
  state.weight = <u32>min<f64>(all, 4294967295);
  state.healthyWeight = <u32>min<f64>(healthy, 4294967295);
  // More than the threshold, and something at all: 0 asks for one healthy peer.
  state.usable = <u32>(healthy * 100000000 > all * <f64>b.threshold);
}
