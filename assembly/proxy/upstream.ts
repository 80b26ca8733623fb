/**
 * The upstream side: connecting, sending the request, reading the answer, and the rule when a
 * failed try may be repeated: where nothing was sent, or a reused connection fails before the first
 * byte of an answer to an idempotent request whose body we still have (RFC 9110 9.2.2, RFC 9112
 * 9.3.1).
 */
import * as head from '../http/head';
import {
  CONTROL,
  Control,
  LIMIT_RESPONSE_HEAD_BYTES,
  LIMIT_UPSTREAM_TRIES,
} from '../layout';
import { pause, send, sendAbort, sendClose, sendConnect } from './commands';
import {
  Connection,
  FLAG_BLOCKED,
  FLAG_REUSED,
  KIND_FREE,
  STATE_CONNECTING,
  STATE_HOLD,
  STATE_IDLE,
  STATE_RESPONSE_HEAD,
  STATE_WAIT,
  closeConnection,
  connectionAt,
  openUpstream,
  pointerOf,
} from './connection';
import { answerBegins } from './answer';
import {
  Exchange,
  X_ANSWERED,
  X_BODY_SENT,
  X_CONTINUE,
  X_CONTINUE_SENT,
  X_IDEMPOTENT,
  X_REQUEST_DONE,
  X_REQUEST_SHELL,
  X_SENT,
  exchangeOf,
} from './exchange';
import { chooseAgain, noteFailedTarget, noteFailedTry, noteLastTry } from './balanced';
import { failExchange, failWithoutPeer } from './finish';
import { heldBytes } from './held';
import { leavePool, takeIdle } from './pool';
import { pumpRequest, readBody, restartRequest } from './shell-request';
import { TIMER_CONNECT, TIMER_READ, arm } from './timers';

const CONTINUE: usize = memory.data<u8>([
  72, 84, 84, 80, 47, 49, 46, 49, 32, 49, 48, 48, 32, 67, 111, 110, 116, 105, 110, 117, 101, 13, 10,
  13, 10,
]);

/** Starts a try: a pooled connection at once, or a new one that must connect first. */
export function connectUpstream(c: Connection, x: Exchange): void {
  x.tries++;
  x.triesLeft--;
  if (x.tries >= LIMIT_UPSTREAM_TRIES) x.triesLeft = 0;
  let u = takeIdle(x.target);
  if (u) {
    couple(c, x, u);
    sendRequest(c, x, u);
    return;
  }
  u = openUpstream();
  if (!u) {
    failExchange(c, x, 503);
    return;
  }
  couple(c, x, u);
  u.target = x.target;
  changetype<Control>(CONTROL).upstreamConnects += 1;
  sendConnect(u, x.target);
  arm(u, TIMER_CONNECT, x.connectTimeoutMs);
  c.state = STATE_HOLD;
  if (!(x.flags & X_REQUEST_DONE)) pause(c);
}

function couple(c: Connection, x: Exchange, u: Connection): void {
  x.upstream = pointerOf(u);
  u.exchange = c.exchange;
  u.peer = pointerOf(c);
  c.peer = pointerOf(u);
}

/** The socket is connected: the request goes out. */
export function upstreamConnected(u: Connection): void {
  if (u.state != STATE_CONNECTING) return;
  const x = exchangeOf(u);
  sendRequest(connectionAt(x.client), x, u);
}

/** Sends the head, and lets the body follow. */
function sendRequest(c: Connection, x: Exchange, u: Connection): void {
  u.requests++;
  u.state = STATE_RESPONSE_HEAD;
  u.scanned = 0;
  x.flags |= X_SENT;
  send(u, x.upstreamHead, x.upstreamHeadBytes);
  if (x.flags & X_REQUEST_SHELL) return sendShellRequest(c, x);
  if (x.flags & X_REQUEST_DONE) {
    c.state = STATE_WAIT;
    arm(u, TIMER_READ, x.readTimeoutMs);
    return;
  }
  readBody(c, x);
}

function sendShellRequest(c: Connection, x: Exchange): void {
  if (x.flags & X_REQUEST_DONE) c.state = STATE_WAIT;
  else readBody(c, x);
  pumpRequest(c, x);
}

/** Answers Expect: 100-continue (RFC 9110 10.1.1), unless the body has begun to come. */
export function sendContinue(c: Connection, x: Exchange): void {
  if (!(x.flags & X_CONTINUE) || x.flags & X_CONTINUE_SENT || heldBytes(c)) return;
  x.flags |= X_CONTINUE_SENT;
  send(c, CONTINUE, 25);
}

/** The request body is complete: from now on the upstream's time runs. */
export function requestSent(c: Connection, x: Exchange): void {
  x.flags |= X_REQUEST_DONE;
  c.state = STATE_WAIT;
  if (!x.upstream) return;
  const u = connectionAt(x.upstream);
  if (!(u.flags & FLAG_BLOCKED)) arm(u, TIMER_READ, x.readTimeoutMs);
}

/** Bytes of a response head. Returns the first byte not consumed, or `end`. */
export function takeResponseHead(u: Connection, p: usize, end: usize): usize {
  const x = exchangeOf(u);
  const id = u.id;
  while (p < end) {
    if (u.scanned) {
      const from = p + max<usize>(u.scanned, 3) - 3;
      if (!head.findHeadEnd(from, end)) {
        u.scanned = <u32>(end - p);
        if (end - p <= <usize>LIMIT_RESPONSE_HEAD_BYTES) return p;
        upstreamFailed(u, 502);
        return end;
      }
    }
    const after = head.parseResponse(p, end);
    if (after == head.INCOMPLETE && !u.scanned && end - p <= <usize>LIMIT_RESPONSE_HEAD_BYTES) {
      u.scanned = <u32>(end - p);
      return p;
    }
    if (after < 1000 || after - p > <usize>LIMIT_RESPONSE_HEAD_BYTES) {
      upstreamFailed(u, 502);
      return end;
    }
    u.scanned = 0;
    const next = answerBegins(u, x, p, after);
    // An answer without a body may have ended the connection as well.
    if (!next || u.kind == KIND_FREE || u.id != id) return end;
    p = after;
    if (u.state != STATE_RESPONSE_HEAD || p == end) break;
  }
  return p;
}

/** A try failed; `status`: what the client gets unless the try may be repeated. */
export function upstreamFailed(u: Connection, status: u32): void {
  const state = u.state;
  const fresh = !heldBytes(u);
  const reused = (u.flags & FLAG_REUSED) != 0;
  if (state == STATE_IDLE) leavePool(u);
  const exchange = u.exchange;
  const client = u.peer;
  sendAbort(u);
  closeConnection(u);
  if (!exchange) return;
  const x = changetype<Exchange>(<usize>exchange);
  const c = connectionAt(client);
  x.upstream = 0;
  c.peer = 0;
  const control = changetype<Control>(CONTROL);
  const stale = state == STATE_RESPONSE_HEAD && reused && fresh && status == 502;
  if (stale) control.staleReuses += 1;
  if (!stale && !x.upstreamStatus) {
    noteFailedTarget(x);
    if (x.peer) noteFailedTry(x, status == 504);
  }
  if (x.triesLeft && mayRepeat(x, state, stale)) {
    control.retries += 1;
    // Another connection to the same peer serves where only the old one had gone.
    if (x.view && !stale && !chooseAgain(x)) return failWithoutPeer(c, x);
    if (x.flags & X_REQUEST_SHELL) restartRequest(x);
    connectUpstream(c, x);
    return;
  }
  if (x.peer && !x.upstreamStatus && status == 502) noteLastTry(x, status);
  failExchange(c, x, status);
}

function mayRepeat(x: Exchange, state: u8, stale: bool): bool {
  if (x.flags & (X_ANSWERED | X_BODY_SENT)) return false;
  if (state == STATE_CONNECTING) return true;
  return stale && (x.flags & X_IDEMPOTENT) != 0;
}

/** Closes an idle connection that the upstream ended, timed out, or spoke out of turn on. */
export function dropIdle(u: Connection): void {
  leavePool(u);
  sendClose(u);
  closeConnection(u);
}
