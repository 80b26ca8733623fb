/**
 * The rewrite phase: plugins without a scope run before a route is looked for, and what they change
 * is what the router sees. A changed request is written anew and parsed again, so that everything
 * behind this point knows one request only.
 */
// raw memory: the request line
import { put, putText } from '../bytes';
import * as head from '../http/head';
import { H_HOST } from '../http/names';
import {
  EDIT_OP_SET_METHOD,
  EDIT_OP_SET_PATH,
  EDIT_OP_SET_QUERY,
  Edit,
  HEADER_ENTRY_SIZE,
  HeaderEntry,
  PHASE_REWRITE,
  PHASE_VERDICT_CUT,
  PHASE_VERDICT_PARK,
  PHASE_VERDICT_REPLY,
  REQUEST_HEADERS,
} from '../layout';
import { allocate, release } from '../memory';
import { answerForPlugin, parkRequest } from './access';
import { isTrusted } from './address';
import { Connection, PEER_ADDRESS } from './connection';
import { answer, routeRequest } from './dispatch';
import {
  applyRemovals,
  clearEdits,
  editBytes,
  editValue,
  hasEdits,
  lastEdit,
  putAdditions,
  putLine,
} from './edits';
import { Exchange, X_HEAD, X_HTTP10, X_IDEMPOTENT, X_REWRITE } from './exchange';
import { cut } from './finish';
import { runRequestPhase } from './phases';
import * as request from './request';

/** Runs the plugins of the phase; the request's parse results must be in place. */
export function runRewrite(c: Connection, x: Exchange): void {
  const verdict = runRequestPhase(c, x, PHASE_REWRITE);
  switch (verdict & 15) {
    case PHASE_VERDICT_PARK:
      x.flags |= X_REWRITE;
      return parkRequest(c, x);
    case PHASE_VERDICT_REPLY: return answerForPlugin(c, x);
    case PHASE_VERDICT_CUT: return cut(c, x);
  }
  finishRewrite(c, x, isTrusted(changetype<usize>(c) + PEER_ADDRESS));
}

/** The phase is over: applies its edits, then looks for the route. */
export function finishRewrite(c: Connection, x: Exchange, trusted: bool): void {
  x.flags &= ~X_REWRITE;
  if (hasEdits()) {
    const bad = rebuild(c, x);
    if (bad) return answer(c, x, bad);
  }
  clearEdits();
  routeRequest(c, x, trusted, x.requestHead, <usize>x.requestHead + x.requestHeadBytes);
}

/** Writes the request with its edits into a slot of its own; returns 0, or a status that fits. */
function rebuild(c: Connection, x: Exchange): u32 {
  const host = applyRemovals(REQUEST_HEADERS, head.headerCount);
  const room = <usize>x.requestHeadBytes + editBytes() + request.targetBytes + request.hostBytes;
  const slot = allocate(room + 64);
  if (!slot) return 503;
  const end = putRequest(slot, host);
  release(x.requestHead);
  x.requestHead = <u32>slot;
  x.requestHeadBytes = <u32>(end - slot);
  if (head.parseRequest(slot, end) < 1000) return 500;
  const before = x.flags;
  x.flags &= ~X_IDEMPOTENT;
  const bad = request.examine(c, x);
  // How the client reads the answer depends on what the client sent.
  const client = X_HEAD | X_HTTP10;
  x.flags = (x.flags & ~client) | (before & client);
  return bad;
}

function putRequest(d: usize, host: Edit | null): usize {
  const method = lastEdit(EDIT_OP_SET_METHOD);
  if (method) d = put(d, editValue(method), method.valueLength);
  else d = put(d, head.method, head.methodLength);
  store<u8>(d, 0x20);
  d = putTarget(d + 1);
  d = putText(d, head.minorVersion ? ' HTTP/1.1\r\n' : ' HTTP/1.0\r\n');
  if (host || request.hostBytes) {
    d = putText(d, 'Host: ');
    if (host) d = put(d, editValue(host), host.valueLength);
    else d = put(d, request.host, request.hostBytes);
    d = putText(d, '\r\n');
  }
  for (let i: u32 = 0; i < head.headerCount; i++) {
    const entry = changetype<HeaderEntry>(REQUEST_HEADERS + <usize>i * HEADER_ENTRY_SIZE);
    if (entry.flags & 1 || entry.id == H_HOST) continue;
    d = putLine(d, entry.name, entry.nameLength, entry.value, entry.valueLength);
  }
  return putText(putAdditions(d, 0), '\r\n');
}

function putTarget(d: usize): usize {
  const path = lastEdit(EDIT_OP_SET_PATH);
  const query = lastEdit(EDIT_OP_SET_QUERY);
  if (request.asterisk && !path) return putText(d, '*');
  if (path) d = put(d, editValue(path), path.valueLength);
  else d = put(d, request.target, request.pathBytes);
  if (!query) {
    if (request.asterisk) return d;
    return put(d, request.target + request.pathBytes, request.targetBytes - request.pathBytes);
  }
  if (!query.valueLength) return d;
  return put(putText(d, '?'), editValue(query), query.valueLength);
}
