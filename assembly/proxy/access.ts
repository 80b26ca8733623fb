/**
 * From a matched route to its service: the access phase, what it may change about the request, and
 * how a parked exchange goes on.
 */
// raw memory: the asterisk of OPTIONS
import { put } from '../bytes';
import * as head from '../http/head';
import {
  CONTROL,
  Control,
  PHASE_ACCESS,
  PHASE_VERDICT_CONTINUE,
  PHASE_VERDICT_CUT,
  PHASE_VERDICT_PARK,
  PHASE_VERDICT_REPLY,
  PHASE_VIEW,
  PhaseView,
  ROUTE_FLAG_PRESERVE_HOST,
  ROUTE_FLAG_STRIP_PATH,
  RouteRecord,
  VERDICT_FLAG_READ,
} from '../layout';
import { allocate } from '../memory';
import { PASSED, runPolicy } from '../policy/run';
import { putUpstreamTarget } from '../router/match';
import { serviceAt } from '../router/table';
import { isTrusted } from './address';
import { NO_PEER_TEXT, choosePeer, peerHost, peerHostBytes } from './balanced';
import { noteSettled } from './client-edits';
import { pause } from './commands';
import { Connection, PEER_ADDRESS, STATE_HOLD } from './connection';
import { answer, answerMessage } from './dispatch';
import { clearEdits } from './edits';
import {
  Exchange,
  X_ANSWERED,
  X_HEAD_HELD,
  X_KNOWN,
  X_PARKED,
  X_REQUEST_DONE,
  X_REQUEST_SHELL,
  X_REWRITE,
  X_TUNNEL,
  X_UPGRADE,
} from './exchange';
import { cut, dropUpstream, prepareLocal } from './finish';
import { asksWebSocket, buildUpstreamHead } from './forward';
import { askResumed, outLength, runRequestPhase } from './phases';
import { replyFromPlugin } from './reply';
import * as request from './request';
import { finishRewrite } from './rewrite';
import { applyServiceEdits } from './service-edits';
import { obeyBody, pumpAnswer, resumeAnswer } from './shell-answer';
import { noteRequestBody, obeyRequest, pumpRequest, readForShell } from './shell-request';
import { applyTargetEdits } from './target-edits';
import { nowExact } from './timers';
import { resumeTunnel } from './tunnel';
import { connectUpstream } from './upstream';

/**
 * Upstream target and Host are settled before plugins run, because they may read and change them.
 */
export function runAccess(c: Connection, x: Exchange, route: RouteRecord, trusted: bool): void {
  if (!settleTarget(x, route)) return answer(c, x, 503);
  clearEdits();
  if (!(x.phases & PHASE_ACCESS)) return proceed(c, x, trusted);
  changetype<PhaseView>(PHASE_VIEW).ranSteps = 0;
  if (route.policy && runPolicy(c, x, route) == PASSED) return proceed(c, x, trusted);
  const verdict = runRequestPhase(c, x, PHASE_ACCESS);
  obeyAccess(c, x, verdict, trusted);
}

function obeyAccess(c: Connection, x: Exchange, verdict: u32, trusted: bool): void {
  switch (verdict & 15) {
    case PHASE_VERDICT_PARK: return parkRequest(c, x);
    case PHASE_VERDICT_REPLY: return answerForPlugin(c, x);
    case PHASE_VERDICT_CUT: return cut(c, x);
  }
  if (!noteSettled(x, verdict)) return answer(c, x, 503);
  noteRequestBody(x, verdict, outLength);
  proceed(c, x, trusted);
}

/** The exchange waits for a RESUME event; its body is not read until the shell asks for it. */
export function parkRequest(c: Connection, x: Exchange): void {
  x.flags |= X_PARKED | X_KNOWN;
  c.state = STATE_HOLD;
  if (!(x.flags & X_REQUEST_DONE)) pause(c);
}

function settleTarget(x: Exchange, route: RouteRecord): bool {
  const q = request.query();
  const bytes = <usize>q.targetLength * 3 + q.hostLength;
  const service = route.service >= 0 ? serviceAt(route.service) : null;
  const extra = service ? <usize>service.pathLength * 3 + service.hostLength : 0;
  const slot = allocate(bytes + extra + 64);
  if (!slot) return false;
  x.upstreamTarget = <u32>slot;
  let d = slot;
  if (request.asterisk) store<u8>(d++, 0x2a);
  else if (service) d = putUpstreamTarget(d, q, route);
  x.targetBytes = <u32>(d - slot);
  if (!service) return true;
  const base = <usize>changetype<Control>(CONTROL).routeBase;
  if (route.flags & ROUTE_FLAG_PRESERVE_HOST && q.hostLength) {
    d = put(d, q.host, q.hostLength);
    x.hostFixed = 1;
  } else d = put(d, base + service.host, service.hostLength);
  x.hostBytes = <u32>(d - slot) - x.targetBytes;
  x.target = service.target;
  x.view = service.view;
  x.connectTimeoutMs = service.connectTimeoutMs;
  x.writeTimeoutMs = service.writeTimeoutMs;
  x.readTimeoutMs = service.readTimeoutMs;
  x.triesLeft = service.retries + 1;
  // The stripped prefix is reported upstream; without strip_path nothing was stripped.
  x.strippedBytes = route.flags & ROUTE_FLAG_STRIP_PATH ? q.prefixLength : 0;
  return true;
}

/** The shell has news of an exchange: what it waited for, a body to send, an answer. */
export function resumeExchange(c: Connection, x: Exchange, sequence: u32): void {
  if (x.sequence != sequence) return;
  const verdict = askResumed(c, x);
  if (x.flags & X_TUNNEL) {
    if (x.flags & X_REQUEST_SHELL) resumeTunnel(c, x, verdict);
    return;
  }
  if (x.flags & X_PARKED) return resumeRequest(c, x, verdict);
  if (x.flags & X_HEAD_HELD) return resumeAnswer(c, x, verdict);
  const code = verdict & 15;
  if (code == PHASE_VERDICT_REPLY || code == PHASE_VERDICT_CUT) {
    // A second answer is too late.
    if (code == PHASE_VERDICT_REPLY && x.flags & X_ANSWERED) return;
    obeyRequest(c, x, verdict);
    return;
  }
  if (!obeyRequest(c, x, verdict) || !obeyBody(c, x, verdict)) return;
  pumpRequest(c, x);
  if (c.exchange == changetype<usize>(x) && x.sequence == sequence) pumpAnswer(c, x);
}

function resumeRequest(c: Connection, x: Exchange, verdict: u32): void {
  const code = verdict & 15;
  if (code == PHASE_VERDICT_PARK) {
    if (obeyRequest(c, x, verdict) && verdict & VERDICT_FLAG_READ) readForShell(c, x);
    return;
  }
  x.flags &= ~X_PARKED;
  if (code != PHASE_VERDICT_CONTINUE) {
    obeyRequest(c, x, verdict);
    return;
  }
  const length = outLength;
  if (!noteSettled(x, verdict)) return answer(c, x, 503);
  parseAgain(c, x);
  const trusted = isTrusted(changetype<usize>(c) + PEER_ADDRESS);
  if (x.flags & X_REWRITE) return finishRewrite(c, x, trusted);
  noteRequestBody(x, verdict, length);
  proceed(c, x, trusted);
}

/** Puts the parse results of an exchange's request in place again. */
function parseAgain(c: Connection, x: Exchange): void {
  const edits = changetype<Control>(CONTROL).editCount;
  const flags = x.flags;
  head.parseRequest(x.requestHead, <usize>x.requestHead + x.requestHeadBytes);
  request.examine(c, x);
  x.flags = flags;
  changetype<Control>(CONTROL).editCount = edits;
}

/** Sends the answer that a plugin left in the reply region. */
export function answerForPlugin(c: Connection, x: Exchange): void {
  prepareLocal(c, x);
  replyFromPlugin(c, x);
}

/** Plugins are done: on to the service. */
function proceed(c: Connection, x: Exchange, trusted: bool): void {
  if (!x.triesLeft) return answerMessage(c, x, 503, 'no Service found with those values');
  if (asksWebSocket() && !(x.flags & X_REQUEST_SHELL)) x.flags |= X_UPGRADE;
  applyTargetEdits(x);
  applyServiceEdits(x);
  let host = <usize>x.upstreamTarget + x.targetBytes;
  if (x.view) {
    if (!choosePeer(x)) return answerMessage(c, x, 503, NO_PEER_TEXT);
    if (!x.hostFixed) {
      host = peerHost;
      x.hostBytes = peerHostBytes;
    }
  }
  if (!buildUpstreamHead(c, x, x.upstreamTarget, host, trusted, x.strippedBytes)) {
    return answer(c, x, 503);
  }
  clearEdits();
  x.balancedMs = nowExact;
  connectUpstream(c, x);
}
