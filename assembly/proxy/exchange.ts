/**
 * One request and its answer, in a slot of its own from the moment the head is complete until the
 * log record is written. It copies what it needs of its route, so that a route table may be
 * replaced while exchanges of older generations are still under way.
 */
// raw memory: the counters of exchanges per generation
import { put } from '../bytes';
import { CONTROL, Control, PHASE_ENDED } from '../layout';
import { allocate, release } from '../memory';
import { leavePeer } from './balanced';
import { Connection, connectionAt, pointerOf } from './connection';
import { tellEnded } from './phases';
import { nowExact } from './timers';

export const X_HTTP10: u32 = 1; // the client speaks HTTP/1.0
export const X_KEEP_ALIVE: u32 = 2; // the client connection may serve another request
export const X_HEAD: u32 = 4;
export const X_IDEMPOTENT: u32 = 8;
export const X_CONTINUE: u32 = 16; // the client waits for 100
export const X_UPGRADE: u32 = 32; // a WebSocket upgrade was forwarded
export const X_REQUEST_DONE: u32 = 64; // the request body is complete
export const X_SENT: u32 = 128; // something of the request may have left for the upstream
export const X_BODY_SENT: u32 = 256; // body bytes left: nothing can be sent a second time
export const X_ANSWERED: u32 = 512; // the head of the final answer left for the client
export const X_PARKED: u32 = 1024; // a plugin has it
export const X_LOCAL: u32 = 2048; // the answer is ours
export const X_CHUNK_OUT: u32 = 4096; // the answer's body goes out chunked
export const X_CLIENT_ABORT: u32 = 8192;
export const X_DEBUG: u32 = 16384;
export const X_TUNNEL: u32 = 32768;
export const X_CONTINUE_SENT: u32 = 65536; // 100 was sent
export const X_CLOSE_OUT: u32 = 131072; // only the close tells the client where the answer ends
/** From here on: exchanges that the shell takes part in, see shell-request.ts, shell-answer.ts. */
export const X_KNOWN: u32 = 1 << 18; // the shell is told of the end
export const X_REWRITE: u32 = 1 << 19; // parked before routing
export const X_REQUEST_SHELL: u32 = 1 << 20; // the request body goes through the shell
export const X_REQUEST_HOLD: u32 = 1 << 21; // the shell takes no more of it for now
export const X_REQUEST_OUT: u32 = 1 << 22; // all of it was sent to the upstream
export const X_REQUEST_CHUNKED: u32 = 1 << 23; // it goes out chunked
export const X_REPLAY: u32 = 1 << 24; // the shell can give it again
export const X_RESTART: u32 = 1 << 25; // and must, with the next pull
export const X_RESPONSE_SHELL: u32 = 1 << 26; // the answer's body goes through the shell
export const X_RESPONSE_HOLD: u32 = 1 << 27;
export const X_HEAD_HELD: u32 = 1 << 28; // the answer's head waits for the shell
export const X_INPUT_DONE: u32 = 1 << 29; // the shell has all of the answer's body
export const X_NO_BODY: u32 = 1 << 30; // the client gets no body, whatever the upstream sends
export const X_TRIED: u32 = 1 << 31; // our own answer tells of a failed upstream

/** What belongs to an answer in the making, and ends when another takes its place. */
export const X_ANSWER_STATE: u32 =
  X_CHUNK_OUT |
  X_CLOSE_OUT |
  X_RESPONSE_SHELL |
  X_RESPONSE_HOLD |
  X_HEAD_HELD |
  X_INPUT_DONE |
  X_NO_BODY |
  X_TRIED;

@unmanaged
export class Exchange {
  client: u32;
  upstream: u32;
  flags: u32;
  generation: u32;
  route: u32;
  target: u32;
  connectTimeoutMs: u32;
  writeTimeoutMs: u32;
  readTimeoutMs: u32;
  triesLeft: u32;
  tries: u32;
  metricSlot: u32;
  phases: u32;
  ringCount: u32;
  /** Up to eight ring ids, a byte each. */
  ringIds: u64;
  status: u32;
  upstreamStatus: u32;
  informational: u32;
  prefixLength: u32;
  /** Slots with copies; 0 where nobody needs them. */
  requestHead: u32;
  requestHeadBytes: u32;
  upstreamHead: u32;
  upstreamHeadBytes: u32;
  responseHead: u32;
  responseHeadBytes: u32;
  /** Slot with the upstream target, then the Host value. */
  upstreamTarget: u32;
  targetBytes: u32;
  hostBytes: u32;
  debug: u32;
  debugBytes: u32;
  /** Bytes of the path that strip_path removed. */
  strippedBytes: u32;
  /** Number of the exchange on its connection: late news for another one is ignored. */
  sequence: u32;
  /** Slot with a head of the upstream or of ours that waits for the shell. */
  heldHead: u32;
  heldHeadBytes: u32;
  /** The upstream gets a HEAD request, whatever the client sent. */
  asksHead: u32;
  /** One of the UPGRADE constants of response.ts. */
  upgradeOffer: u32;
  /** Slot with edits of the answer that were made before there was one; 0: none. */
  clientEdits: u32;
  clientEditBytes: u32;
  clientEditCount: u32;
  /** Place + 1 of the credential that a policy found, 0: none. */
  credential: u32;
  /** Number + 1 of the view of an upstream, 0: its target is fixed; see balanced.ts. */
  view: u32;
  /** Slot + 1 of the peer that has it now, 0: none. */
  peer: u32;
  /** 1: Host is not the peer's. */
  hostFixed: u32;
  /** Offset of the Host value in the upstream head, and its length. */
  hostAt: u32;
  hostLength: u32;
  /** Of what the upstream hashes. */
  hashValue: u32;
  /** Targets of failed tries, FAILED_MAX at most. */
  failedCount: u32;
  failed0: u64;
  failed8: u64;
  failed16: u64;
  failed24: u64;
  /** A bit for each peer that failed. */
  tried: u64;
  /** When the running try began. */
  triedMs: f64;
  /** Slot with the name of a cookie that the answer sets, its length; 0: none. */
  cookie: u32;
  cookieBytes: u32;
  /** Body bytes still to come from the shell where their number was promised. */
  requestRemaining: u64;
  responseRemaining: u64;
  startMs: f64;
  startWallMs: f64;
  balancedMs: f64;
  upstreamHeadMs: f64;
  requestBytes: f64;
  responseBytes: f64;
  bodyBytesSent: f64;
  bodyBytesReceived: f64;
  /** Start of the span over which the body's rate is measured, and its bytes. */
  rateStartMs: f64;
  rateBytes: f64;
  /** Length of the body that the upstream gets from the shell, below 0: chunked. */
  requestBytesDue: f64;
  clientAddress: u64;
  clientAddress8: u64;
  id0: u64;
  id8: u64;
  id16: u64;
  id24: u64;
}

export const CLIENT_ADDRESS: usize = offsetof<Exchange>('clientAddress');
/** Failed tries whose targets an exchange keeps. */
export const FAILED_MAX: u32 = 8;
export const EXCHANGE_FAILED: usize = offsetof<Exchange>('failed0');
export const EXCHANGE_ID: usize = offsetof<Exchange>('id0');
const EXCHANGE_SIZE: usize = offsetof<Exchange>();

/** Exchanges per generation, modulo 1,024. */
const users: usize = memory.data(4096);
let random0: u64 = 1;
let random1: u64 = 2;

/** Seeds the request ids; they are unique with overwhelming likelihood, not secrets. */
export function seedIds(low: u32, high: u32): void {
  random0 = ((<u64>high << 32) | <u64>low) ^ 0x9e3779b97f4a7c15;
  random1 = ((<u64>low << 32) | <u64>high) ^ 0xbf58476d1ce4e5b9;
  for (let i = 0; i < 16; i++) nextRandom();
}

/** xorshift128+. */
function nextRandom(): u64 {
  let a = random0;
  const b = random1;
  random0 = b;
  a ^= a << 23;
  a ^= a >> 17;
  a ^= b ^ (b >> 26);
  random1 = a;
  return a + b;
}

/** All of the request was sent to the upstream. */
// @ts-ignore: decorator
@inline
export function requestIsOut(x: Exchange): bool {
  return (x.flags & (x.flags & X_REQUEST_SHELL ? X_REQUEST_OUT : X_REQUEST_DONE)) != 0;
}

// @ts-ignore: decorator
@inline
export function exchangeOf(c: Connection): Exchange {
  return changetype<Exchange>(<usize>c.exchange);
}

/** Starts an exchange on a downstream connection, or returns null where memory is used up. */
export function openExchange(c: Connection): Exchange | null {
  const pointer = allocate(EXCHANGE_SIZE);
  if (!pointer) return null;
  // A slot has room for whole words of 16.
  for (let at = pointer; at < pointer + EXCHANGE_SIZE; at += 16) v128.store(at, i8x16.splat(0));
  const control = changetype<Control>(CONTROL);
  const x = changetype<Exchange>(pointer);
  x.client = pointerOf(c);
  x.startMs = nowExact;
  x.startWallMs = control.wallMs;
  x.target = 0xffffffff;
  x.generation = control.generation;
  putRandom(pointer + EXCHANGE_ID);
  putRandom(pointer + EXCHANGE_ID + 16);
  c.exchange = <u32>pointer;
  x.sequence = ++c.requests;
  control.activeExchanges++;
  control.requests += 1;
  addUser(x.generation, 1);
  return x;
}

/** Writes 16 random hexadecimal digits. */
export function putRandom(d: usize): void {
  putId(d, nextRandom());
}

/** Writes 16 hexadecimal digits, the lowest first. */
function putId(d: usize, value: u64): void {
  const bytes = i64x2.splat(value);
  const low = v128.and(bytes, i8x16.splat(15));
  const high = v128.and(i64x2.shr_u(bytes, 4), i8x16.splat(15));
  const digits = i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const letters = v128.and(i8x16.gt_u(digits, i8x16.splat(9)), i8x16.splat(39));
  v128.store(d, i8x16.add(i8x16.add(digits, i8x16.splat(48)), letters));
}

/** Gives everything back. */
export function closeExchange(x: Exchange): void {
  if (x.flags & X_KNOWN || x.phases & PHASE_ENDED) tellEnded(x);
  const control = changetype<Control>(CONTROL);
  control.activeExchanges--;
  addUser(x.generation, -1);
  if (x.flags & X_TUNNEL) control.activeTunnels--;
  connectionAt(x.client).exchange = 0;
  if (x.peer) leavePeer(x);
  release(x.requestHead);
  release(x.upstreamHead);
  release(x.responseHead);
  release(x.heldHead);
  release(x.upstreamTarget);
  release(x.debug);
  release(x.clientEdits);
  release(x.cookie);
  release(changetype<usize>(x));
}

function addUser(generation: u32, change: i32): void {
  const at = users + (<usize>(generation & 1023) << 2);
  store<i32>(at, load<i32>(at) + change);
}

/** Exchanges of a generation that have not ended. */
export function generationUsers(generation: u32): u32 {
  return load<u32>(users + (<usize>(generation & 1023) << 2));
}

/** A slot with a copy of n bytes, or 0. */
export function copyToSlot(from: usize, n: usize): u32 {
  const slot = allocate(n);
  if (slot) put(slot, from, n);
  return <u32>slot;
}
