/**
 * The timer wheel: one deadline per connection, in ticks of LIMIT_TIMER_TICK_MS. Moving a deadline
 * later only writes a number; the connection is moved when its old place comes round. Nothing fires
 * early; it fires at most one tick late.
 */
// raw memory: the wheel's list heads
import { CONTROL, Control, LIMIT_TIMER_TICK_MS } from '../layout';
import { Connection, connectionAt, pointerOf } from './connection';

export const TIMER_HEADER: u32 = 1;
export const TIMER_KEEPALIVE: u32 = 2;
export const TIMER_BODY: u32 = 3;
export const TIMER_SEND: u32 = 4;
export const TIMER_CONNECT: u32 = 5;
export const TIMER_WRITE: u32 = 6;
export const TIMER_READ: u32 = 7;
export const TIMER_IDLE: u32 = 8;
export const TIMER_TUNNEL: u32 = 9;

/** 2,048 places of 32 ms: 65 s in one turn; later deadlines go round again. */
const PLACES: u32 = 2048;
const wheel: usize = memory.data(8192);

/** Milliseconds of the running batch, whole. */
export let nowMs: u32 = 0;
/** The same with its fraction. */
export let nowExact: f64 = 0;
let tick: u32 = 0;
let started: bool = false;

/** Takes over the clock of a batch. */
export function setClock(now: f64): void {
  nowExact = now;
  nowMs = <u32>(<u64>now);
  if (!started) {
    started = true;
    tick = nowTick();
  }
}

// @ts-ignore: decorator
@inline
function nowTick(): u32 {
  return <u32>(<u64>nowExact / <u64>LIMIT_TIMER_TICK_MS);
}

/** Sets the deadline of a connection `ms` from now; 0 switches it off. */
export function arm(c: Connection, kind: u32, ms: u32): void {
  c.timerKind = kind;
  if (!ms) {
    c.timerDue = 0;
    return;
  }
  const due = <u32>((<u64>nowExact + <u64>ms) / <u64>LIMIT_TIMER_TICK_MS) + 1;
  c.timerDue = due;
  if (c.timerLinked) {
    if (c.timerLinked <= due) return;
    unlinkTimer(c);
  }
  link(c, due);
}

// @ts-ignore: decorator
@inline
export function disarm(c: Connection): void {
  c.timerDue = 0;
}

function link(c: Connection, due: u32): void {
  const at = min(max(due, tick + 1), tick + PLACES - 1);
  const list = wheel + (<usize>(at & (PLACES - 1)) << 2);
  const first = load<u32>(list);
  c.timerLinked = at;
  c.timerNext = first;
  c.timerPrevious = 0;
  if (first) connectionAt(first).timerPrevious = pointerOf(c);
  store<u32>(list, pointerOf(c));
  changetype<Control>(CONTROL).timers++;
}

/** Takes a connection off the wheel. */
export function unlinkTimer(c: Connection): void {
  if (!c.timerLinked) return;
  if (c.timerPrevious) connectionAt(c.timerPrevious).timerNext = c.timerNext;
  else store<u32>(wheel + (<usize>(c.timerLinked & (PLACES - 1)) << 2), c.timerNext);
  if (c.timerNext) connectionAt(c.timerNext).timerPrevious = c.timerPrevious;
  c.timerLinked = 0;
  changetype<Control>(CONTROL).timers--;
}

/** The next connection whose deadline has passed, off the wheel; null when all are served. */
export function takeExpired(): Connection | null {
  const target = nowTick();
  while (tick <= target) {
    const list = wheel + (<usize>(tick & (PLACES - 1)) << 2);
    for (;;) {
      const first = load<u32>(list);
      if (!first) break;
      const c = connectionAt(first);
      if (c.timerLinked > tick) break;
      unlinkTimer(c);
      if (!c.timerDue) continue;
      if (c.timerDue > tick) {
        link(c, c.timerDue);
        continue;
      }
      c.timerDue = 0;
      return c;
    }
    if (tick == target) return null;
    tick++;
    if (target - tick > PLACES) tick = target - PLACES;
  }
  return null;
}
