/** How an exchange ends, and what becomes of the client's connection afterwards. */
import { BODY_LENGTH } from '../http/body';
import { LIMIT_DRAIN_CLIENT_BODY_BYTES, SETTINGS, Settings } from '../layout';
import { NO_PEER_TEXT } from './balanced';
import { resume, sendAbort, sendClose, sendLastClose } from './commands';
import {
  Connection,
  FLAG_BLOCKED,
  FLAG_ENDED,
  FLAG_LAST,
  FLAG_LINE_SEEN,
  STATE_DRAIN,
  STATE_HEAD,
  closeConnection,
  connectionAt,
} from './connection';
import {
  Exchange,
  X_ANSWERED,
  X_CONTINUE_SENT,
  X_CLOSE_OUT,
  X_CLIENT_ABORT,
  X_CONTINUE,
  X_KEEP_ALIVE,
  X_REQUEST_DONE,
  closeExchange,
} from './exchange';
import { isLogged, logExchange } from './log';
import { countExchange } from './metrics';
import { markReady } from './ready';
import { replyError, replyStaleMessage, STALE } from './reply';
import { TIMER_BODY, TIMER_KEEPALIVE, TIMER_SEND, arm, disarm } from './timers';

/** Set while the gateway drains: no connection is kept for another request. */
export let draining: bool = false;

export function setDraining(): void {
  draining = true;
}

/**
 * Decides before an answer of ours whether the connection can live on: only where the rest of the
 * request body is short and sure to come.
 */
export function prepareLocal(c: Connection, x: Exchange): void {
  if (draining) x.flags &= ~X_KEEP_ALIVE;
  if (x.flags & X_REQUEST_DONE) return;
  const waits = x.flags & X_CONTINUE && !(x.flags & X_CONTINUE_SENT);
  const short = c.bodyMode == BODY_LENGTH && c.bodyRemaining <= LIMIT_DRAIN_CLIENT_BODY_BYTES;
  if (waits || !short) x.flags &= ~X_KEEP_ALIVE;
}

/** Ends an exchange with an error answer of ours, or by cutting an answer that has begun. */
export function failExchange(c: Connection, x: Exchange, status: u32): void {
  dropUpstream(x);
  if (x.flags & X_ANSWERED) {
    cut(c, x);
    return;
  }
  prepareLocal(c, x);
  replyError(c, x, status, STALE);
}

/** Ends an exchange for which there is no peer left to try. */
export function failWithoutPeer(c: Connection, x: Exchange): void {
  prepareLocal(c, x);
  replyStaleMessage(c, x, 503, NO_PEER_TEXT);
}

/** Resets the upstream side of an exchange, if there is one. */
export function dropUpstream(x: Exchange): void {
  if (!x.upstream) return;
  const u = connectionAt(x.upstream);
  x.upstream = 0;
  u.exchange = 0;
  u.peer = 0;
  sendAbort(u);
  closeConnection(u);
}

/** Breaks an answer off so that the client sees it is not whole (RFC 9112 8). */
export function cut(c: Connection, x: Exchange): void {
  // A reset may overtake earlier answers, so it is kept for the one case that a FIN would complete.
  const byClose = (x.flags & X_CLOSE_OUT) != 0;
  recordEnd(x);
  closeExchange(x);
  if (byClose) sendAbort(c);
  else sendClose(c);
  closeConnection(c);
}

/** The client went away: the upstream is told by a reset. */
export function abandon(c: Connection): void {
  if (c.exchange) {
    const x = changetype<Exchange>(<usize>c.exchange);
    dropUpstream(x);
    x.flags |= X_CLIENT_ABORT;
    if (!x.status) x.status = 499;
    recordEnd(x);
    closeExchange(x);
  }
}

/** Counts and logs an exchange that is over. */
function recordEnd(x: Exchange): void {
  countExchange(x);
  if (isLogged(x)) logExchange(x);
}

/** The answer is complete: logs, then closes, drains or goes on to the next request. */
export function finishExchange(c: Connection, x: Exchange): void {
  recordEnd(x);
  const goesOn = (x.flags & X_KEEP_ALIVE) != 0;
  const requestDone = (x.flags & X_REQUEST_DONE) != 0;
  closeExchange(x);
  c.peer = 0;
  // A head sent before the drain may have promised to go on; a client copes with the end of that.
  if (!goesOn || ((draining || c.flags & FLAG_ENDED) && !c.held)) {
    // Only lingering for what a client still sends keeps a reset from overtaking the answer.
    if (requestDone && c.flags & FLAG_LAST && !c.held) partFrom(c);
    else hangUp(c);
    return;
  }
  const settings = changetype<Settings>(SETTINGS);
  if (!requestDone) {
    c.state = STATE_DRAIN;
    arm(c, TIMER_BODY, settings.clientBodyTimeoutMs);
  } else awaitHead(c);
  if (c.held) markReady(c);
  if (!(c.flags & FLAG_BLOCKED)) resume(c);
}

/** The connection is ready for the next request head. */
export function awaitHead(c: Connection): void {
  c.state = STATE_HEAD;
  c.flags &= ~FLAG_LINE_SEEN;
  c.scanned = 0;
  const settings = changetype<Settings>(SETTINGS);
  if (c.flags & FLAG_BLOCKED) arm(c, TIMER_SEND, settings.sendTimeoutMs);
  else arm(c, TIMER_KEEPALIVE, settings.keepaliveTimeoutMs);
}

function partFrom(c: Connection): void {
  disarm(c);
  sendLastClose(c);
  closeConnection(c);
}

/** Flushes and closes a client connection that has no exchange. */
export function hangUp(c: Connection): void {
  disarm(c);
  sendClose(c);
  closeConnection(c);
}
