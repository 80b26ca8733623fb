/**
 * Upgraded connections. Bytes pass by untouched, except where the shell looks at the frames: then
 * each side's bytes are given to the shell as they come, and what it makes of them is pulled while
 * the other side takes it. The shell ends both directions; the core closes when both are out.
 */
import {
  LIMIT_PULLS_PER_EVENT,
  PHASE_REQUEST_BODY,
  PHASE_REQUEST_PULL,
  PHASE_RESPONSE_BODY,
  PHASE_RESPONSE_PULL,
  PHASE_VERDICT_CONTINUE,
  REPLY,
  VERDICT_FLAG_END,
  VERDICT_FLAG_HOLD_REQUEST,
  VERDICT_FLAG_HOLD_RESPONSE,
} from '../layout';
import { pause, resume, send, sendAbort, sendClose, shutdown } from './commands';
import {
  Connection,
  FLAG_BLOCKED,
  FLAG_ENDED,
  closeConnection,
  connectionAt,
} from './connection';
import {
  Exchange,
  X_INPUT_DONE,
  X_KEEP_ALIVE,
  X_REQUEST_HOLD,
  X_REQUEST_OUT,
  X_REQUEST_SHELL,
  X_RESPONSE_HOLD,
  exchangeOf,
} from './exchange';
import { abandon, dropUpstream, finishExchange } from './finish';
import { sendPiece } from './framing';
import { giveBody, outBytes, pullBody } from './phases';
import { TIMER_TUNNEL, arm } from './timers';

/** Bytes of the client. Returns the first byte not consumed: all are. */
export function takeTunnel(c: Connection, p: usize, end: usize): usize {
  const x = exchangeOf(c);
  x.requestBytes += <f64>(end - p);
  if (x.upstream) arm(connectionAt(x.upstream), TIMER_TUNNEL, x.readTimeoutMs);
  if (x.flags & X_REQUEST_SHELL) give(c, x, PHASE_REQUEST_BODY, p, end - p, false);
  else send(connectionAt(x.upstream), p, end - p);
  return end;
}

/** Bytes of the upstream. */
export function tunnelDown(u: Connection, p: usize, end: usize): void {
  const x = exchangeOf(u);
  const c = connectionAt(x.client);
  arm(u, TIMER_TUNNEL, x.readTimeoutMs);
  if (x.flags & X_REQUEST_SHELL) return give(c, x, PHASE_RESPONSE_BODY, p, end - p, false);
  send(c, p, end - p);
  x.responseBytes += <f64>(end - p);
  x.bodyBytesSent += <f64>(end - p);
}

/** One side sends nothing more; the other is told, and both are closed when both are done. */
export function endTunnel(done: Connection, x: Exchange, client: bool): void {
  const c = connectionAt(x.client);
  if (x.flags & X_REQUEST_SHELL) {
    give(c, x, client ? PHASE_REQUEST_BODY : PHASE_RESPONSE_BODY, 0, 0, true);
    return;
  }
  const other = client ? connectionAt(x.upstream) : c;
  if (!(other.flags & FLAG_ENDED)) return shutdown(other);
  closeBoth(c, x);
}

/** The upstream's connection broke. */
export function breakTunnel(u: Connection): void {
  const x = exchangeOf(u);
  const c = connectionAt(x.client);
  if (x.flags & X_REQUEST_SHELL) {
    // The client may still be told why.
    dropUpstream(x);
    c.peer = 0;
    x.flags |= X_REQUEST_OUT;
    give(c, x, PHASE_RESPONSE_BODY, 0, 0, true);
    return;
  }
  abandon(c);
  sendClose(c);
  closeConnection(c);
}

/** The shell has news of a tunnel that it looks at. */
export function resumeTunnel(c: Connection, x: Exchange, verdict: u32): void {
  if (obey(c, x, verdict)) pumpTunnel(c, x);
}

/** Sends both sides what the shell has for them, as far as they take it. */
export function pumpTunnel(c: Connection, x: Exchange): void {
  if (!pumpUp(c, x) || !pumpDown(c, x)) return;
  if (x.flags & X_REQUEST_OUT && x.flags & X_INPUT_DONE) closeBoth(c, x);
}

function give(c: Connection, x: Exchange, which: u32, p: usize, n: usize, last: bool): void {
  if (obey(c, x, giveBody(c, x, which, p, n, last, 0))) pumpTunnel(c, x);
}

/** Does what the shell said; false: the tunnel is over. */
function obey(c: Connection, x: Exchange, verdict: u32): bool {
  if ((verdict & 15) != PHASE_VERDICT_CONTINUE) {
    abandon(c);
    sendAbort(c);
    closeConnection(c);
    return false;
  }
  const u = x.upstream ? connectionAt(x.upstream) : null;
  hold(x, c, u, X_REQUEST_HOLD, (verdict & VERDICT_FLAG_HOLD_REQUEST) != 0);
  if (u) hold(x, u, c, X_RESPONSE_HOLD, (verdict & VERDICT_FLAG_HOLD_RESPONSE) != 0);
  return true;
}

/** Stops or goes on reading `from`, whose bytes go to `to`. */
function hold(x: Exchange, from: Connection, to: Connection | null, flag: u32, on: bool): void {
  if (on == ((x.flags & flag) != 0)) return;
  x.flags ^= flag;
  if (on) pause(from);
  else if (!to || !(to.flags & FLAG_BLOCKED)) resume(from);
}

/** False: the tunnel is over. */
function pumpUp(c: Connection, x: Exchange): bool {
  for (let i: u32 = 0; i < LIMIT_PULLS_PER_EVENT; i++) {
    if (!x.upstream || x.flags & X_REQUEST_OUT) return true;
    const u = connectionAt(x.upstream);
    if (u.flags & FLAG_BLOCKED) return true;
    const verdict = pullBody(c, x, PHASE_REQUEST_PULL, false);
    if (!obey(c, x, verdict)) return false;
    if (outBytes) sendPiece(u, REPLY, outBytes, false, false, 0);
    if (verdict & VERDICT_FLAG_END) x.flags |= X_REQUEST_OUT;
    if (!outBytes) return true;
  }
  return true;
}

function pumpDown(c: Connection, x: Exchange): bool {
  for (let i: u32 = 0; i < LIMIT_PULLS_PER_EVENT; i++) {
    if (x.flags & X_INPUT_DONE || c.flags & FLAG_BLOCKED) return true;
    const verdict = pullBody(c, x, PHASE_RESPONSE_PULL, false);
    if (!obey(c, x, verdict)) return false;
    if (outBytes) sendPiece(c, REPLY, outBytes, false, false, 0);
    x.responseBytes += <f64>outBytes;
    x.bodyBytesSent += <f64>outBytes;
    if (verdict & VERDICT_FLAG_END) x.flags |= X_INPUT_DONE;
    if (!outBytes) return true;
  }
  return true;
}

function closeBoth(c: Connection, x: Exchange): void {
  if (x.upstream) {
    const u = connectionAt(x.upstream);
    x.upstream = 0;
    sendClose(u);
    closeConnection(u);
  }
  x.flags &= ~X_KEEP_ALIVE;
  finishExchange(c, x);
}
