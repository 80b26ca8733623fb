/** Idle upstream connections, a list per target, most recently used first. */
// raw memory: the per-target list heads
import {
  CONTROL,
  Control,
  LIMIT_TARGETS,
  SETTINGS,
  Settings,
  TARGETS,
} from '../layout';
import { sendClose } from './commands';
import {
  Connection,
  FLAG_BLOCKED,
  FLAG_ENDED,
  FLAG_PAUSED,
  FLAG_REUSED,
  STATE_IDLE,
  closeConnection,
  connectionAt,
  pointerOf,
} from './connection';
import { TIMER_IDLE, arm, disarm } from './timers';

// +0 first of the list (pointer)  +4 length
// @ts-ignore: decorator
@inline
function list(target: u32): usize {
  return TARGETS + (<usize>min(target, LIMIT_TARGETS - 1) << 6);
}

/** Takes an idle connection to a target out of the pool, or returns null. */
export function takeIdle(target: u32): Connection | null {
  const first = load<u32>(list(target));
  if (!first) return null;
  const u = connectionAt(first);
  leavePool(u);
  disarm(u);
  changetype<Control>(CONTROL).upstreamReuses += 1;
  return u;
}

/** Puts a connection into the pool, or closes it where the pool's settings say so. */
export function park(u: Connection): void {
  const settings = changetype<Settings>(SETTINGS);
  const at = list(u.target);
  const length = load<u32>(at, 4);
  const worn = u.requests >= settings.upstreamKeepaliveMaxRequests;
  const unfit = u.flags & (FLAG_ENDED | FLAG_BLOCKED | FLAG_PAUSED);
  if (worn || unfit || u.held || length >= settings.upstreamKeepalivePoolSize) {
    sendClose(u);
    closeConnection(u);
    return;
  }
  const first = load<u32>(at);
  u.state = STATE_IDLE;
  u.flags |= FLAG_REUSED;
  u.idleNext = first;
  u.idlePrevious = 0;
  if (first) connectionAt(first).idlePrevious = pointerOf(u);
  store<u32>(at, pointerOf(u));
  store<u32>(at, length + 1, 4);
  changetype<Control>(CONTROL).idleUpstream++;
  arm(u, TIMER_IDLE, settings.upstreamKeepaliveIdleMs);
}

/** Takes a connection out of its target's list. */
export function leavePool(u: Connection): void {
  const at = list(u.target);
  if (u.idlePrevious) connectionAt(u.idlePrevious).idleNext = u.idleNext;
  else store<u32>(at, u.idleNext);
  if (u.idleNext) connectionAt(u.idleNext).idlePrevious = u.idlePrevious;
  u.idleNext = 0;
  u.idlePrevious = 0;
  store<u32>(at, load<u32>(at, 4) - 1, 4);
  changetype<Control>(CONTROL).idleUpstream--;
}

/** Closes every idle connection to a target. */
export function dropTarget(target: u32): void {
  for (;;) {
    const first = load<u32>(list(target));
    if (!first) return;
    const u = connectionAt(first);
    leavePool(u);
    sendClose(u);
    closeConnection(u);
  }
}
