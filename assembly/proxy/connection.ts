/**
 * Connections of both sides, in one table: downstream ones at the indices the driver chose,
 * upstream ones behind them at indices chosen here. An id is index | generation << 16. An idle
 * connection owns nothing but its 256 bytes.
 */
import {
  CONNECTIONS,
  CONTROL,
  Control,
  LIMIT_DOWNSTREAM_CONNECTIONS,
  LIMIT_UPSTREAM_CONNECTIONS,
} from '../layout';
import { release } from '../memory';
import { unlinkTimer } from './timers';
import { unlinkReady } from './ready';

export const KIND_FREE: u8 = 0;
export const KIND_DOWNSTREAM: u8 = 1;
export const KIND_UPSTREAM: u8 = 2;

/** Downstream: what the next byte from the client means. */
export const STATE_HEAD: u8 = 1; // part of a request head, or nothing yet
export const STATE_HOLD: u8 = 2; // body or next request, kept: upstream not connected, or parked
export const STATE_BODY: u8 = 3; // body, forwarded
export const STATE_WAIT: u8 = 4; // next request, kept: the answer is still under way
export const STATE_DRAIN: u8 = 5; // rest of a body that nobody wants
export const STATE_TUNNEL: u8 = 6;
/** Upstream. */
export const STATE_CONNECTING: u8 = 11;
export const STATE_IDLE: u8 = 12;
export const STATE_RESPONSE_HEAD: u8 = 13;
export const STATE_RESPONSE_BODY: u8 = 14;

export const FLAG_BLOCKED: u32 = 1; // the driver holds unsent bytes for it
export const FLAG_PAUSED: u32 = 2; // we told the driver not to read from it
export const FLAG_ENDED: u32 = 4; // its FIN has been seen
export const FLAG_SHUTDOWN: u32 = 8; // we sent a FIN
export const FLAG_REUSED: u32 = 16; // upstream: has served an exchange before
export const FLAG_LINE_SEEN: u32 = 32; // the request line is complete and within its limit
export const FLAG_KEEP: u32 = 64; // upstream: may be reused after this response
export const FLAG_LAST: u32 = 128; // downstream: the client wants no further exchange

@unmanaged
export class Connection {
  id: u32;
  kind: u8;
  state: u8;
  generation: u16;
  flags: u32;
  /** Pointer to the connection of the other side, 0: none. */
  peer: u32;
  /** Pointer to the running Exchange, 0: none. */
  exchange: u32;
  /** Bytes received and not consumed: slot, offset of the first, end of the last. */
  held: u32;
  heldStart: u32;
  heldEnd: u32;
  /** Offset in `held` up to which no end of a head was found. */
  scanned: u32;
  /** Framing of the body that this side sends, see http/body.ts. */
  bodyMode: u8;
  chunkState: u8;
  /** Downstream: empty lines before the request line. */
  emptyLines: u16;
  chunkCount: u32;
  bodyRemaining: u64;
  /** Timer: tick when due (0: off), tick it is linked at, kind, list. */
  timerDue: u32;
  timerLinked: u32;
  timerKind: u32;
  timerNext: u32;
  timerPrevious: u32;
  readyNext: u32;
  requests: u32;
  /** Clock in milliseconds of the last byte read. */
  readAt: u32;
  /** Upstream: interned target and neighbours in its idle list. */
  target: u32;
  idleNext: u32;
  idlePrevious: u32;
  trailerBytes: u32;
  /** Downstream: copied from AcceptInfo. */
  peerPort: u16;
  localPort: u16;
  listener: u16;
  acceptFlags: u16;
  sni: u32;
  sniLength: u32;
  tls: u32;
  peerAddress: u64;
  peerAddress8: u64;
  localAddress: u64;
  localAddress8: u64;
}

const CONNECTION_SIZE: usize = 256;
export const PEER_ADDRESS: usize = offsetof<Connection>('peerAddress');
export const LOCAL_ADDRESS: usize = offsetof<Connection>('localAddress');

/** Indices never used so far; below it the free list decides. */
let upstreamFresh: u32 = LIMIT_DOWNSTREAM_CONNECTIONS;
let upstreamFree: usize = 0;

/** The connection at an index, of whatever generation. */
// @ts-ignore: decorator
@inline
export function at(index: u32): Connection {
  return changetype<Connection>(CONNECTIONS + <usize>index * CONNECTION_SIZE);
}

// @ts-ignore: decorator
@inline
export function pointerOf(connection: Connection): u32 {
  return <u32>changetype<usize>(connection);
}

// @ts-ignore: decorator
@inline
export function connectionAt(pointer: u32): Connection {
  return changetype<Connection>(<usize>pointer);
}

/** Makes the slot of a downstream id ready for a new connection. */
export function openDownstream(id: u32): Connection {
  const c = at(id & 0xffff);
  if (c.kind != KIND_FREE) closeConnection(c);
  memory.fill(changetype<usize>(c), 0, CONNECTION_SIZE);
  c.id = id;
  c.kind = KIND_DOWNSTREAM;
  c.state = STATE_HEAD;
  c.generation = <u16>(id >> 16);
  changetype<Control>(CONTROL).activeDownstream++;
  return c;
}

/** A connection for a new upstream socket, or null where the limit is reached. */
export function openUpstream(): Connection | null {
  let c: Connection;
  let generation: u32 = 0;
  if (upstreamFree) {
    c = changetype<Connection>(upstreamFree);
    upstreamFree = c.idleNext;
    generation = (<u32>c.generation + 1) & 0xffff;
  } else {
    if (upstreamFresh >= LIMIT_DOWNSTREAM_CONNECTIONS + LIMIT_UPSTREAM_CONNECTIONS) return null;
    c = at(upstreamFresh++);
  }
  const index = <u32>((changetype<usize>(c) - CONNECTIONS) / CONNECTION_SIZE);
  memory.fill(changetype<usize>(c), 0, CONNECTION_SIZE);
  c.id = index | (generation << 16);
  c.kind = KIND_UPSTREAM;
  c.state = STATE_CONNECTING;
  c.generation = <u16>generation;
  changetype<Control>(CONTROL).activeUpstream++;
  return c;
}

/** Forgets a connection: whatever it owns goes back, later events for its id are ignored. */
export function closeConnection(c: Connection): void {
  if (c.kind == KIND_FREE) return;
  unlinkTimer(c);
  unlinkReady(c);
  release(c.held);
  release(c.sni);
  c.held = 0;
  c.sni = 0;
  const control = changetype<Control>(CONTROL);
  if (c.kind == KIND_UPSTREAM) {
    control.activeUpstream--;
    c.idleNext = <u32>upstreamFree;
    upstreamFree = changetype<usize>(c);
  } else control.activeDownstream--;
  c.kind = KIND_FREE;
}

/** The live connection of an id, or null for one that is gone. */
export function find(id: u32): Connection | null {
  const index = id & 0xffff;
  if (index >= LIMIT_DOWNSTREAM_CONNECTIONS + LIMIT_UPSTREAM_CONNECTIONS) return null;
  const c = at(index);
  return c.kind != KIND_FREE && c.id == id ? c : null;
}
