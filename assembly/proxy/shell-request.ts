/**
 * Requests whose body goes through the shell: read while a plugin waits for it, changed by filters,
 * or replaced. The client's bytes are given to the shell as they come; what the shell makes of them
 * is pulled while the upstream takes it, again from its start where a try is repeated.
 */
import { trailerBytes } from '../http/body';
import {
  LIMIT_PULLS_PER_EVENT,
  PHASE_REQUEST_BODY,
  PHASE_REQUEST_PULL,
  PHASE_VERDICT_CUT,
  PHASE_VERDICT_REPLY,
  REPLY,
  SETTINGS,
  Settings,
  VERDICT_FLAG_END,
  VERDICT_FLAG_HOLD_REQUEST,
  VERDICT_FLAG_REPLAY,
  VERDICT_FLAG_REQUEST_BODY,
} from '../layout';
import { answerForPlugin } from './access';
import { armBody, startBodyRate } from './body-rate';
import { pause, resume } from './commands';
import {
  Connection,
  FLAG_BLOCKED,
  STATE_BODY,
  STATE_CONNECTING,
  STATE_WAIT,
  connectionAt,
} from './connection';
import {
  Exchange,
  X_ANSWERED,
  X_BODY_SENT,
  X_KNOWN,
  X_REPLAY,
  X_REQUEST_CHUNKED,
  X_REQUEST_DONE,
  X_REQUEST_HOLD,
  X_REQUEST_OUT,
  X_REQUEST_SHELL,
  X_RESTART,
} from './exchange';
import { cut, dropUpstream, failExchange } from './finish';
import { gather, gathered, gatheredBytes, relayBad, relayDone, sendPiece } from './framing';
import { giveBody, outBytes, outTrailerBytes, pullBody } from './phases';
import { markReady } from './ready';
import { TIMER_READ, arm, disarm } from './timers';
import { sendContinue } from './upstream';

/** Takes over what a verdict says about the request's body. */
export function noteRequestBody(x: Exchange, verdict: u32, length: f64): void {
  if (verdict & VERDICT_FLAG_REQUEST_BODY) x.flags |= X_REQUEST_SHELL | X_KNOWN;
  if (!(x.flags & X_REQUEST_SHELL)) return;
  if (verdict & VERDICT_FLAG_REPLAY) x.flags |= X_REPLAY;
  x.requestBytesDue = length;
  if (length < 0) x.flags |= X_REQUEST_CHUNKED;
  restartRequest(x);
}

/** Reads the body of a parked request for the shell. */
export function readForShell(c: Connection, x: Exchange): void {
  if (x.flags & (X_REQUEST_SHELL | X_REQUEST_DONE)) return;
  x.flags |= X_REQUEST_SHELL | X_KNOWN;
  readBody(c, x);
}

/** The client's body is wanted from now on. */
export function readBody(c: Connection, x: Exchange): void {
  c.state = STATE_BODY;
  sendContinue(c, x);
  if (c.held) markReady(c);
  if (x.flags & X_REQUEST_HOLD) return;
  startBodyRate(c, x);
  resume(c);
}

/** Body bytes of such a request. Returns the position behind the last one consumed. */
export function takeShellRequest(c: Connection, x: Exchange, p: usize, end: usize): usize {
  const position = gather(c, p, end);
  x.requestBytes += <f64>(position - p);
  x.bodyBytesReceived += <f64>gatheredBytes;
  x.rateBytes += <f64>gatheredBytes;
  const limit = changetype<Settings>(SETTINGS).clientMaxBodyBytes;
  if (relayBad || (limit > 0 && x.bodyBytesReceived > limit)) {
    failExchange(c, x, relayBad ? 400 : 413);
    return end;
  }
  const last = relayDone;
  if (last) {
    x.flags |= X_REQUEST_DONE;
    c.state = STATE_WAIT;
    disarm(c);
  } else armBody(c);
  const t = trailerBytes;
  if (!gatheredBytes && !last && !t) return position;
  const verdict = giveBody(c, x, PHASE_REQUEST_BODY, gathered, gatheredBytes, last, t);
  if (obeyRequest(c, x, verdict)) pumpRequest(c, x);
  return position;
}

/** Does what the shell said about the request's body; false: the exchange is over. */
export function obeyRequest(c: Connection, x: Exchange, verdict: u32): bool {
  const code = verdict & 15;
  if (code == PHASE_VERDICT_REPLY || code == PHASE_VERDICT_CUT) {
    dropUpstream(x);
    if (x.flags & X_ANSWERED) cut(c, x);
    else if (code == PHASE_VERDICT_CUT) failExchange(c, x, 500);
    else answerForPlugin(c, x);
    return false;
  }
  holdRequest(c, x, (verdict & VERDICT_FLAG_HOLD_REQUEST) != 0);
  return true;
}

/** Stops or goes on reading the client's body. */
function holdRequest(c: Connection, x: Exchange, hold: bool): void {
  if (hold == ((x.flags & X_REQUEST_HOLD) != 0)) return;
  x.flags ^= X_REQUEST_HOLD;
  if (c.state != STATE_BODY) return;
  if (hold) {
    pause(c);
    disarm(c);
  } else if (!c.peer || !(connectionAt(c.peer).flags & FLAG_BLOCKED)) {
    startBodyRate(c, x);
    resume(c);
    if (c.held) markReady(c);
  }
}

/** A new try: the body comes from its start. */
export function restartRequest(x: Exchange): void {
  x.flags = (x.flags & ~X_REQUEST_OUT) | X_RESTART;
  x.requestRemaining = <u64>max<f64>(0, x.requestBytesDue);
}

/** Sends what the shell has for the upstream, as far as the upstream takes it. */
export function pumpRequest(c: Connection, x: Exchange): void {
  if (!x.upstream || x.flags & X_REQUEST_OUT || !(x.flags & X_REQUEST_SHELL)) return;
  const u = connectionAt(x.upstream);
  if (u.state == STATE_CONNECTING) return;
  const chunked = (x.flags & X_REQUEST_CHUNKED) != 0;
  for (let i: u32 = 0; i < LIMIT_PULLS_PER_EVENT; i++) {
    if (u.flags & FLAG_BLOCKED) return;
    const restart = (x.flags & X_RESTART) != 0;
    x.flags &= ~X_RESTART;
    const verdict = pullBody(c, x, PHASE_REQUEST_PULL, restart);
    if (!obeyRequest(c, x, verdict)) return;
    const last = (verdict & VERDICT_FLAG_END) != 0;
    const bytes = outBytes;
    if (!chunked && !fits(x, bytes, last)) {
      dropUpstream(x);
      return failExchange(c, x, 500);
    }
    if (bytes && !(x.flags & X_REPLAY)) x.flags |= X_BODY_SENT;
    if (bytes || last) sendPiece(u, REPLY, bytes, chunked, last, outTrailerBytes);
    if (last) {
      x.flags |= X_REQUEST_OUT;
      arm(u, TIMER_READ, x.readTimeoutMs);
      return;
    }
    if (!bytes) return;
  }
}

/** A promised length must be kept, or the upstream would wait, or take the rest for a request. */
function fits(x: Exchange, bytes: u32, last: bool): bool {
  if (bytes > x.requestRemaining) return false;
  x.requestRemaining -= bytes;
  return !last || !x.requestRemaining;
}
