/**
 * Answers whose body goes through the shell: filters that change it, plugins that need all of it,
 * heads that wait. The upstream's bytes are given to the shell as they come; what the shell makes
 * of them is pulled while the client takes it. Both ends may rest: the shell by HOLD, the client by
 * not reading.
 */
import { trailerBytes } from '../http/body';
import * as head from '../http/head';
import {
  LIMIT_PULLS_PER_EVENT,
  PHASE_RESPONSE_BODY,
  PHASE_RESPONSE_PULL,
  PHASE_VERDICT_CUT,
  PHASE_VERDICT_PARK,
  PHASE_VERDICT_REPLY,
  REPLY,
  VERDICT_FLAG_END,
  VERDICT_FLAG_GO_ON,
  VERDICT_FLAG_HOLD_RESPONSE,
  VERDICT_FLAG_RESPONSE_BODY,
} from '../layout';
import { release } from '../memory';
import { releaseUpstream } from './answer';
import { pause, resume } from './commands';
import { Connection, FLAG_BLOCKED, connectionAt } from './connection';
import {
  Exchange,
  X_ANSWERED,
  X_CHUNK_OUT,
  X_CLOSE_OUT,
  X_HEAD_HELD,
  X_INPUT_DONE,
  X_KNOWN,
  X_NO_BODY,
  X_RESPONSE_HOLD,
  X_RESPONSE_SHELL,
  copyToSlot,
  exchangeOf,
} from './exchange';
import { cut, dropUpstream, failExchange, finishExchange } from './finish';
import { gather, gathered, gatheredBytes, relayBad, relayDone, sendPiece } from './framing';
import { waitForShell } from './own-answer';
import { giveBody, outBytes, outLength, outTrailerBytes, pullBody } from './phases';
import { replyInstead } from './reply';
import { sendHead } from './response';
import { TIMER_READ, arm, disarm } from './timers';
import { upstreamFailed } from './upstream';

/** What becomes of an upstream's head. */
export const HEAD_SENT: u32 = 0;
export const HEAD_WAITS: u32 = 1;
export const HEAD_OVER: u32 = 2;

/** Does what the header filters said about the upstream's head in [p, after) beyond edits. */
export function obeyHead(c: Connection, x: Exchange, verdict: u32, p: usize, after: usize): u32 {
  const code = verdict & 15;
  if (code == PHASE_VERDICT_REPLY || code == PHASE_VERDICT_CUT) {
    dropUpstream(x);
    if (code == PHASE_VERDICT_REPLY) replyInstead(c, x, verdict);
    else cut(c, x);
    return HEAD_OVER;
  }
  const held = code == PHASE_VERDICT_PARK;
  if (held || verdict & VERDICT_FLAG_RESPONSE_BODY) x.flags |= X_RESPONSE_SHELL | X_KNOWN;
  if (!held) return HEAD_SENT;
  x.heldHead = copyToSlot(p, after - p);
  x.heldHeadBytes = <u32>(after - p);
  if (!x.heldHead) {
    failExchange(c, x, 503);
    return HEAD_OVER;
  }
  x.flags |= X_HEAD_HELD;
  return HEAD_WAITS;
}

/** Body bytes of such an answer. Returns the first byte not consumed, or `end`. */
export function takeShellBody(u: Connection, x: Exchange, p: usize, end: usize): usize {
  const c = connectionAt(x.client);
  const position = gather(u, p, end);
  if (relayBad) {
    upstreamFailed(u, 502);
    return end;
  }
  if (relayDone) {
    endInput(u, x, position == end, gathered, gatheredBytes, trailerBytes);
    return end;
  }
  if (!gatheredBytes && !trailerBytes) return position;
  if (!(c.flags & FLAG_BLOCKED)) arm(u, TIMER_READ, x.readTimeoutMs);
  give(c, x, gathered, gatheredBytes, false, trailerBytes);
  return position;
}

/** The upstream's answer is complete with these bytes; `clean`: nothing came behind it. */
export function endInput(
  u: Connection,
  x: Exchange,
  clean: bool,
  from: usize,
  n: usize,
  ofTrailers: usize,
): void {
  const c = connectionAt(x.client);
  x.flags |= X_INPUT_DONE;
  releaseUpstream(u, x, clean);
  waitForShell(c, x);
  give(c, x, from, n, true, ofTrailers);
}

function give(
  c: Connection,
  x: Exchange,
  from: usize,
  bytes: usize,
  last: bool,
  ofTrailers: usize,
): void {
  // Nobody will see what a body becomes that must not be sent.
  const n: usize = x.flags & X_NO_BODY ? 0 : bytes;
  if (!n && !last && !ofTrailers) return;
  const verdict = giveBody(c, x, PHASE_RESPONSE_BODY, from, n, last, ofTrailers);
  if (verdict & VERDICT_FLAG_GO_ON && x.flags & X_HEAD_HELD) return resumeAnswer(c, x, verdict);
  if (obeyBody(c, x, verdict)) pumpAnswer(c, x);
}

/** Does what the shell said to body bytes; false: the exchange is over. */
export function obeyBody(c: Connection, x: Exchange, verdict: u32): bool {
  const code = verdict & 15;
  if (code == PHASE_VERDICT_CUT || (code == PHASE_VERDICT_REPLY && x.flags & X_ANSWERED)) {
    dropUpstream(x);
    cut(c, x);
    return false;
  }
  if (code == PHASE_VERDICT_REPLY) {
    dropUpstream(x);
    replyInstead(c, x, verdict);
    return false;
  }
  holdAnswer(c, x, (verdict & VERDICT_FLAG_HOLD_RESPONSE) != 0);
  return true;
}

/** Stops or goes on reading the upstream's answer. */
function holdAnswer(c: Connection, x: Exchange, hold: bool): void {
  if (hold == ((x.flags & X_RESPONSE_HOLD) != 0)) return;
  x.flags ^= X_RESPONSE_HOLD;
  if (!x.upstream) return;
  const u = connectionAt(x.upstream);
  if (hold) {
    pause(u);
    disarm(u);
  } else if (!(c.flags & FLAG_BLOCKED)) {
    resume(u);
    arm(u, TIMER_READ, x.readTimeoutMs);
  }
}

/** Sends what the shell has for the client, as far as the client takes it. */
export function pumpAnswer(c: Connection, x: Exchange): void {
  if (x.flags & X_HEAD_HELD || !(x.flags & X_ANSWERED)) return;
  if (x.flags & X_NO_BODY) {
    if (x.flags & X_INPUT_DONE) finishExchange(c, x);
    return;
  }
  const chunked = (x.flags & X_CHUNK_OUT) != 0;
  for (let i: u32 = 0; i < LIMIT_PULLS_PER_EVENT; i++) {
    if (c.flags & FLAG_BLOCKED) return;
    const verdict = pullBody(c, x, PHASE_RESPONSE_PULL, false);
    if (!obeyBody(c, x, verdict)) return;
    const last = (verdict & VERDICT_FLAG_END) != 0;
    const bytes = outBytes;
    if (bytes || last) {
      if (!fits(c, x, bytes, last)) return;
      sendPiece(c, REPLY, bytes, chunked, last, outTrailerBytes);
      x.bodyBytesSent += <f64>bytes;
      x.responseBytes += <f64>bytes;
    }
    if (last) {
      dropUpstream(x);
      finishExchange(c, x);
      return;
    }
    if (!bytes) return;
  }
}

/** Keeps a promised length; the answer is cut where the shell breaks it. */
function fits(c: Connection, x: Exchange, bytes: u32, last: bool): bool {
  if (x.flags & (X_CHUNK_OUT | X_CLOSE_OUT)) return true;
  if (bytes <= x.responseRemaining) {
    x.responseRemaining -= bytes;
    if (!last || !x.responseRemaining) return true;
  }
  dropUpstream(x);
  cut(c, x);
  return false;
}

/** A held head has its verdict. */
export function resumeAnswer(c: Connection, x: Exchange, verdict: u32): void {
  const length = <i64>outLength;
  const code = verdict & 15;
  if (code == PHASE_VERDICT_PARK) {
    holdAnswer(c, x, (verdict & VERDICT_FLAG_HOLD_RESPONSE) != 0);
    return;
  }
  if (!obeyBody(c, x, verdict)) return;
  head.parseResponse(x.heldHead, <usize>x.heldHead + x.heldHeadBytes);
  x.flags &= ~X_HEAD_HELD;
  sendHead(c, x, length, 0, 0);
  release(x.heldHead);
  x.heldHead = 0;
  pumpAnswer(c, x);
}
