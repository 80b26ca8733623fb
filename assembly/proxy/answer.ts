/**
 * The upstream's answer on its way to the client: informational responses, the switch to a tunnel,
 * the final head with the framing it needs on our side, and the body behind it.
 */
// raw memory: the last chunk
import {
  BODY_CHUNKED,
  BODY_LENGTH,
  BODY_NONE,
  BODY_UNTIL_CLOSE,
  beginBody,
} from '../http/body';
import * as head from '../http/head';
import { H_UPGRADE } from '../http/names';
import {
  CONTROL,
  Control,
  LIMIT_INFORMATIONAL_RESPONSES,
  PHASE_HEADER_FILTER,
  PHASE_VERDICT_CUT,
  RESPONSE_HEADERS,
  RESPONSE_SOURCE_SERVICE,
  VERDICT_FLAG_RESPONSE_BODY,
} from '../layout';
import { isWord } from '../bytes';
import { recallClientEdits } from './client-edits';
import { keepOut, out, resume, send, sendClose } from './commands';
import {
  Connection,
  FLAG_BLOCKED,
  FLAG_KEEP,
  STATE_RESPONSE_BODY,
  STATE_TUNNEL,
  closeConnection,
  connectionAt,
} from './connection';
import {
  Exchange,
  X_ANSWERED,
  X_CHUNK_OUT,
  X_HTTP10,
  X_KEEP_ALIVE,
  X_KNOWN,
  X_NO_BODY,
  X_REQUEST_DONE,
  X_REQUEST_SHELL,
  X_RESPONSE_SHELL,
  X_TUNNEL,
  X_UPGRADE,
  exchangeOf,
  requestIsOut,
} from './exchange';
import { clearEdits } from './edits';
import { draining, failExchange, finishExchange } from './finish';
import { dropSameCookie } from './hash-cookie';
import { gather, relay, relayBad, relayDone, relayedBytes } from './framing';
import { noteResponseHead } from './log';
import { outLength, runHeaderFilter } from './phases';
import { park } from './pool';
import { markReady } from './ready';
import { putInformational, putSwitch, sendHead } from './response';
import { HEAD_OVER, HEAD_SENT, endInput, obeyHead, takeShellBody } from './shell-answer';
import { TIMER_READ, TIMER_TUNNEL, arm, disarm, nowExact } from './timers';
import { upstreamFailed } from './upstream';

/** Handles the response head just parsed, [p, after). False: the try failed, stop reading. */
export function answerBegins(u: Connection, x: Exchange, p: usize, after: usize): bool {
  const c = connectionAt(x.client);
  const status = head.statusCode;
  if (status < 200) return informational(u, c, x);
  x.upstreamStatus = status;
  x.status = status;
  x.upstreamHeadMs = nowExact;
  expectBody(u, x, status);
  if (x.cookie) dropSameCookie(x);
  if (!(x.flags & X_REQUEST_DONE) || draining) x.flags &= ~X_KEEP_ALIVE;
  clearEdits();
  const fate = x.phases & PHASE_HEADER_FILTER ? filterAnswer(u, c, x, p, after) : HEAD_SENT;
  if (fate == HEAD_OVER) return false;
  if (!(x.phases & PHASE_HEADER_FILTER)) {
    recallClientEdits(x);
    sendHead(c, x, answerLength(u), 0, 0);
  }
  if (u.bodyMode != BODY_NONE) u.state = STATE_RESPONSE_BODY;
  else if (x.flags & X_RESPONSE_SHELL) endInput(u, x, true, 0, 0, 0);
  else answerDone(u, x, true);
  return true;
}

function filterAnswer(u: Connection, c: Connection, x: Exchange, p: usize, after: usize): u32 {
  const verdict = runHeaderFilter(c, x, RESPONSE_SOURCE_SERVICE, u.bodyMode == BODY_NONE);
  const promised = <i64>outLength;
  const fate = verdict ? obeyHead(c, x, verdict, p, after) : HEAD_SENT;
  if (fate != HEAD_SENT) return fate;
  sendHead(c, x, x.flags & X_RESPONSE_SHELL ? promised : answerLength(u), 0, 0);
  return fate;
}

/** Decides how the body comes. */
function expectBody(u: Connection, x: Exchange, status: u32): void {
  const persistent = head.minorVersion ? !head.connectionClose : head.connectionKeepAlive;
  if (persistent && !head.connectionClose) u.flags |= FLAG_KEEP;
  else u.flags &= ~FLAG_KEEP;
  if (x.asksHead || status == 204 || status == 304 || head.contentLength == 0) {
    beginBody(u, BODY_NONE, 0);
  } else if (head.contentLength > 0) beginBody(u, BODY_LENGTH, <u64>head.contentLength);
  else if (head.chunked) beginBody(u, BODY_CHUNKED, 0);
  else {
    beginBody(u, BODY_UNTIL_CLOSE, 0);
    u.flags &= ~FLAG_KEEP;
  }
}

/** Length of the body that the client gets, -1: not known. */
function answerLength(u: Connection): i64 {
  return u.bodyMode == BODY_NONE ? 0 : head.contentLength;
}

/** 1xx: 101 opens a tunnel we asked for, 100 is ours to give, the rest goes on to 1.1 clients. */
function informational(u: Connection, c: Connection, x: Exchange): bool {
  if (head.statusCode == 101) {
    const entry = head.findHeader(RESPONSE_HEADERS, head.headerCount, H_UPGRADE);
    const agreed = entry != null && isWord(entry.value, entry.valueLength, 'websocket');
    if (x.flags & X_UPGRADE && agreed) {
      return openTunnel(u, c, x);
    }
    upstreamFailed(u, 502);
    return false;
  }
  if (++x.informational > LIMIT_INFORMATIONAL_RESPONSES || head.chunked) {
    upstreamFailed(u, 502);
    return false;
  }
  if (head.statusCode == 100 || x.flags & X_HTTP10) return true;
  clearEdits();
  const from = out;
  const end = putInformational(from);
  keepOut(end);
  send(c, from, end - from);
  return true;
}

/** False: the shell refuses what the upstream has agreed to. */
function openTunnel(u: Connection, c: Connection, x: Exchange): bool {
  x.status = 101;
  x.upstreamStatus = 101;
  x.upstreamHeadMs = nowExact;
  clearEdits();
  if (x.phases & PHASE_HEADER_FILTER) {
    const verdict = runHeaderFilter(c, x, RESPONSE_SOURCE_SERVICE, true);
    if ((verdict & 15) == PHASE_VERDICT_CUT) {
      failExchange(c, x, 501);
      return false;
    }
    // The shell looks at the frames.
    if (verdict & VERDICT_FLAG_RESPONSE_BODY) {
      x.flags |= X_REQUEST_SHELL | X_RESPONSE_SHELL | X_KNOWN;
    }
  } else recallClientEdits(x);
  const from = out;
  const end = putSwitch(from, x);
  clearEdits();
  keepOut(end);
  send(c, from, end - from);
  x.responseBytes += <f64>(end - from);
  noteResponseHead(x, from, end - from);
  x.flags |= X_ANSWERED | X_TUNNEL;
  changetype<Control>(CONTROL).activeTunnels++;
  u.state = STATE_TUNNEL;
  c.state = STATE_TUNNEL;
  disarm(c);
  arm(u, TIMER_TUNNEL, x.readTimeoutMs);
  if (c.held) markReady(c);
  return true;
}

/** Body bytes of the answer. Returns the first byte not consumed, or `end`. */
export function takeResponseBody(u: Connection, p: usize, end: usize): usize {
  const x = exchangeOf(u);
  if (x.flags & X_RESPONSE_SHELL) return takeShellBody(u, x, p, end);
  if (x.flags & X_NO_BODY) return skipBody(u, x, p, end);
  const c = connectionAt(x.client);
  const position = relay(u, c, p, end, (x.flags & X_CHUNK_OUT) != 0);
  x.bodyBytesSent += <f64>relayedBytes;
  x.responseBytes += <f64>relayedBytes;
  if (relayBad) {
    upstreamFailed(u, 502);
    return end;
  }
  if (relayDone) {
    answerDone(u, x, position == end);
    return end;
  }
  if (!(c.flags & FLAG_BLOCKED)) arm(u, TIMER_READ, x.readTimeoutMs);
  return position;
}

/** A body that the client must not get. */
function skipBody(u: Connection, x: Exchange, p: usize, end: usize): usize {
  const position = gather(u, p, end);
  if (relayBad) upstreamFailed(u, 502);
  else if (relayDone) answerDone(u, x, position == end);
  else arm(u, TIMER_READ, x.readTimeoutMs);
  return relayBad || relayDone ? end : position;
}

/** The upstream closed: the end of the answer where its framing says so. */
export function answerEnds(u: Connection, x: Exchange): void {
  const c = connectionAt(x.client);
  if (u.bodyMode != BODY_UNTIL_CLOSE) {
    upstreamFailed(u, 502);
    return;
  }
  if (x.flags & X_RESPONSE_SHELL) return endInput(u, x, true, 0, 0, 0);
  if (x.flags & X_CHUNK_OUT) {
    const from = out;
    store<u32>(from, 0x0d0a0d30); // raw memory: the last chunk, "0\r\n\r\n"
    store<u8>(from, 0x0a, 4);
    send(c, from, 5);
    keepOut(from + 5);
  }
  answerDone(u, x, true);
}

/** The answer is complete; `clean`: nothing came behind it. */
function answerDone(u: Connection, x: Exchange, clean: bool): void {
  releaseUpstream(u, x, clean);
  finishExchange(connectionAt(x.client), x);
}

/** Takes the upstream off an exchange whose answer it has given, for others to use. */
export function releaseUpstream(u: Connection, x: Exchange, clean: bool): void {
  x.upstream = 0;
  u.exchange = 0;
  u.peer = 0;
  connectionAt(x.client).peer = 0;
  disarm(u);
  resume(u);
  if (clean && u.flags & FLAG_KEEP && requestIsOut(x)) park(u);
  else {
    sendClose(u);
    closeConnection(u);
  }
}
