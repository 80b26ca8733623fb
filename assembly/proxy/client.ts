/**
 * The downstream side: what the next bytes of a client mean. One loop over the bytes at hand, so
 * that a pipeline costs no recursion; what cannot be used yet is kept.
 */
import { equal, findByte } from '../bytes';
import * as head from '../http/head';
import { BODY_CHUNKED, bodyBad, bodyDone, nextPiece } from '../http/body';
import {
  LIMIT_LEADING_EMPTY_LINES,
  LIMIT_PIPELINE_BYTES,
  LIMIT_REQUEST_HEAD_BYTES,
  LIMIT_REQUEST_LINE_BYTES,
  SETTINGS,
  Settings,
} from '../layout';
import { hasRoom, pause, sendAbort } from './commands';
import {
  Connection,
  FLAG_BLOCKED,
  FLAG_ENDED,
  FLAG_LINE_SEEN,
  KIND_FREE,
  STATE_BODY,
  STATE_DRAIN,
  STATE_HEAD,
  STATE_TUNNEL,
  closeConnection,
  connectionAt,
} from './connection';
import { dispatch, refuse } from './dispatch';
import { X_BODY_SENT, X_REQUEST_SHELL, exchangeOf } from './exchange';
import { abandon, awaitHead, failExchange, hangUp } from './finish';
import { relay, relayBad, relayDone, relayedBytes } from './framing';
import { consume, heldBytes, keep } from './held';
import { armBody } from './body-rate';
import { markReady } from './ready';
import { takeShellRequest } from './shell-request';
import { TIMER_HEADER, arm, nowMs } from './timers';
import { takeTunnel } from './tunnel';
import { requestSent } from './upstream';

/** Bytes from a client. */
export function clientData(c: Connection, from: usize, bytes: usize): void {
  c.readAt = nowMs;
  const id = c.id;
  if (c.held) {
    if (!keep(c, from, bytes)) overflow(c);
    else workHeld(c);
  } else {
    const end = from + bytes;
    const rest = takeInput(c, from, end);
    if (c.kind == KIND_FREE || c.id != id) return;
    if (rest < end && !keep(c, rest, end - rest)) overflow(c);
  }
  if (c.kind == KIND_FREE || c.id != id) return;
  restrain(c);
}

/** Reads no more while as much as may wait behind the running exchange does wait. */
function restrain(c: Connection): void {
  if (isFull(c)) pause(c);
}

/** True where a further read might not fit. */
export function isFull(c: Connection): bool {
  return c.state != STATE_HEAD && heldBytes(c) > LIMIT_PIPELINE_BYTES / 2;
}

/** Goes on with the bytes that were kept. */
export function workHeld(c: Connection): void {
  if (!c.held) return;
  const id = c.id;
  const rest = takeInput(c, <usize>c.held + c.heldStart, <usize>c.held + c.heldEnd);
  if (c.kind == KIND_FREE || c.id != id) return;
  consume(c, rest);
  // What woke this connection also resumed it.
  restrain(c);
  if (!c.held && c.state == STATE_HEAD && c.flags & FLAG_ENDED) hangUp(c);
}

/** More than may wait: only a peer (or driver) that ignores back-pressure gets here. */
function overflow(c: Connection): void {
  abandon(c);
  sendAbort(c);
  closeConnection(c);
}

function takeInput(c: Connection, p: usize, end: usize): usize {
  const id = c.id;
  while (p < end) {
    const before = p;
    const state = c.state;
    if (state == STATE_HEAD) {
      if (c.flags & FLAG_BLOCKED) return holdRequests(c, p);
      if (!hasRoom()) return awaitRoom(c, p);
      p = takeHead(c, p, end);
    }
    else if (state == STATE_BODY) p = takeBody(c, p, end);
    else if (state == STATE_DRAIN) p = takeUnwanted(c, p, end);
    else if (state == STATE_TUNNEL) p = takeTunnel(c, p, end);
    else return p;
    if (c.kind == KIND_FREE || c.id != id) return end;
    if (p == before && c.state == state) return p;
  }
  return p;
}

/** A client that does not take its answers gets no further request answered. */
function holdRequests(c: Connection, p: usize): usize {
  pause(c);
  return p;
}

/** A pipeline whose answers fill the output arena goes on in the next batch. */
function awaitRoom(c: Connection, p: usize): usize {
  markReady(c);
  return p;
}

/** A request head, once it is complete. Returns what is behind it, or where it begins. */
function takeHead(c: Connection, p: usize, end: usize): usize {
  if (c.timerKind != TIMER_HEADER || !c.timerDue) {
    arm(c, TIMER_HEADER, changetype<Settings>(SETTINGS).clientHeaderTimeoutMs);
  }
  if (!c.scanned) {
    const start = skipEmptyLines(c, p, end);
    if (c.emptyLines > <u16>LIMIT_LEADING_EMPTY_LINES) {
      refuse(c, p, end - p, 400);
      return end;
    }
    if (start != p) return start;
    if (p + 1 == end && isReturn(p)) return p;
  } else if (!head.findHeadEnd(p + max<usize>(c.scanned, 3) - 3, end)) {
    return waitForHead(c, p, end);
  }
  const after = head.parseRequest(p, end);
  if (after == head.INCOMPLETE) {
    if (!c.scanned || !head.findHeadEnd(p, end)) return waitForHead(c, p, end);
    refuse(c, p, end - p, 400);
    return end;
  }
  if (after < 1000) {
    refuse(c, p, end - p, <u32>after);
    return end;
  }
  if (after - p > <usize>LIMIT_REQUEST_HEAD_BYTES) {
    refuse(c, p, end - p, 431);
    return end;
  }
  c.scanned = 0;
  c.emptyLines = 0;
  c.flags &= ~FLAG_LINE_SEEN;
  dispatch(c, p, after);
  return after;
}

const RETURN: usize = memory.data<u8>([13, 10]);

function isReturn(p: usize): bool {
  return equal(p, RETURN, 1);
}

/**
 * A server should ignore an empty line before a request line (RFC 9112 2.2); a few, not a flood.
 */
function skipEmptyLines(c: Connection, p: usize, end: usize): usize {
  while (p + 2 <= end && equal(p, RETURN, 2) && c.emptyLines <= <u16>LIMIT_LEADING_EMPTY_LINES) {
    c.emptyLines++;
    p += 2;
  }
  return p;
}

/** The head is not complete: it may go on growing within its limits. */
function waitForHead(c: Connection, p: usize, end: usize): usize {
  const bytes = end - p;
  c.scanned = <u32>bytes;
  // The line and its CR LF.
  const lineBytes: usize = LIMIT_REQUEST_LINE_BYTES + 2;
  if (!(c.flags & FLAG_LINE_SEEN) && bytes >= lineBytes) {
    const limit = p + lineBytes;
    if (findByte(p, limit, 10) == limit) {
      refuse(c, p, bytes, 414);
      return end;
    }
    c.flags |= FLAG_LINE_SEEN;
  }
  if (bytes <= <usize>LIMIT_REQUEST_HEAD_BYTES) return p;
  refuse(c, p, bytes, 431);
  return end;
}

function takeBody(c: Connection, p: usize, end: usize): usize {
  const x = exchangeOf(c);
  if (x.flags & X_REQUEST_SHELL) return takeShellRequest(c, x, p, end);
  const u = connectionAt(x.upstream);
  const position = relay(c, u, p, end, c.bodyMode == BODY_CHUNKED);
  x.requestBytes += <f64>(position - p);
  x.bodyBytesReceived += <f64>relayedBytes;
  x.rateBytes += <f64>relayedBytes;
  if (relayedBytes) x.flags |= X_BODY_SENT;
  const limit = changetype<Settings>(SETTINGS).clientMaxBodyBytes;
  if (relayBad || (limit > 0 && x.bodyBytesReceived > limit)) {
    failExchange(c, x, relayBad ? 400 : 413);
    return end;
  }
  if (relayDone) requestSent(c, x);
  else armBody(c);
  return position;
}

/** The rest of a body whose exchange is over. */
function takeUnwanted(c: Connection, p: usize, end: usize): usize {
  p = nextPiece(c, p, end);
  if (bodyBad) {
    hangUp(c);
    return end;
  }
  if (bodyDone) awaitHead(c);
  return p;
}
