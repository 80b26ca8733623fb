/**
 * The way of an answer of ours: its head is put together as an upstream would have sent it and
 * parsed like one, so that filters read and edit it the same way, and it may wait for the shell or
 * send its body through the shell like any other.
 */
// raw memory: the end of the raw head
import { putText } from '../bytes';
import * as head from '../http/head';
import { errorMessage } from '../http/reasons';
import {
  CONTROL,
  Control,
  LIMIT_RESPONSE_HEAD_BYTES,
  PHASE_HEADER_FILTER,
  PHASE_RESPONSE_BODY,
  PHASE_VERDICT_CUT,
  PHASE_VERDICT_PARK,
  PHASE_VERDICT_REPLY,
  VERDICT_FLAG_RESPONSE_BODY,
} from '../layout';
import { release } from '../memory';
import { recallClientEdits } from './client-edits';
import { out, pause } from './commands';
import { Connection, STATE_HOLD, STATE_WAIT } from './connection';
import { clearEdits } from './edits';
import {
  Exchange,
  X_ANSWER_STATE,
  X_HEAD_HELD,
  X_INPUT_DONE,
  X_KNOWN,
  X_LOCAL,
  X_PARKED,
  X_REQUEST_DONE,
  X_RESPONSE_SHELL,
  X_TRIED,
  copyToSlot,
} from './exchange';
import { cut, finishExchange } from './finish';
import { giveBody, outLength, runHeaderFilter } from './phases';
import { replyInstead } from './reply';
import { putStatusLine, sendHead } from './response';
import { obeyBody, pumpAnswer } from './shell-answer';
import { disarm } from './timers';

/** Room for the raw head and, behind it, for a body that the core makes, in the output arena. */
const RAW_HEAD: usize = 0x80000;
const RAW_BODY: usize = 0xc0000;

let rawBytes: usize = 0;

/** Where a body of the core's own is written to. */
export function ownBody(): usize {
  return out + RAW_BODY;
}

/** Starts the raw head of an answer of ours; its fields are written behind what is returned. */
export function beginOwn(x: Exchange, status: u32): usize {
  release(x.heldHead);
  x.heldHead = 0;
  x.flags = (x.flags & ~((X_ANSWER_STATE & ~X_TRIED) | X_PARKED)) | X_LOCAL;
  x.status = status;
  return putStatusLine(out + RAW_HEAD, status);
}

/** Ends the raw head at `d`, runs the filters on it, and sends it with its body. */
export function sendOwn(
  c: Connection,
  x: Exchange,
  d: usize,
  source: u32,
  body: usize,
  bytes: usize,
): void {
  if (!endHead(d)) return sendPlainError(c, x);
  let verdict: u32 = 0;
  clearEdits();
  if (x.phases & PHASE_HEADER_FILTER) verdict = runHeaderFilter(c, x, source, bytes == 0);
  else recallClientEdits(x);
  const code = verdict & 15;
  if (code == PHASE_VERDICT_CUT) return cut(c, x);
  if (code == PHASE_VERDICT_REPLY) return replyInstead(c, x, verdict);
  settle(c, x, verdict, body, bytes);
}

/** The same for an answer that no filter sees (again). */
export function sendFiltered(
  c: Connection,
  x: Exchange,
  d: usize,
  verdict: u32,
  body: usize,
  bytes: usize,
): void {
  if (!endHead(d)) return sendPlainError(c, x);
  clearEdits();
  settle(c, x, verdict & VERDICT_FLAG_RESPONSE_BODY, body, bytes);
}

/** False: what a plugin gave as fields cannot stand in a head. */
function endHead(d: usize): bool {
  store<u16>(d, 0x0a0d);
  const raw = out + RAW_HEAD;
  rawBytes = d + 2 - raw;
  if (rawBytes > <usize>LIMIT_RESPONSE_HEAD_BYTES) return false;
  return head.parseResponse(raw, d + 2) >= 1000;
}

function sendPlainError(c: Connection, x: Exchange): void {
  const d = putText(beginOwn(x, 500), 'Content-Type: text/plain; charset=utf-8\r\n');
  const body = ownBody();
  sendFiltered(c, x, d, 0, body, putText(body, errorMessage(500)) - body);
}

function settle(c: Connection, x: Exchange, verdict: u32, body: usize, bytes: usize): void {
  const held = (verdict & 15) == PHASE_VERDICT_PARK;
  if (!held && !(verdict & VERDICT_FLAG_RESPONSE_BODY)) {
    sendHead(c, x, <i64>bytes, body, bytes);
    finishExchange(c, x);
    return;
  }
  x.flags |= X_RESPONSE_SHELL | X_INPUT_DONE | X_KNOWN;
  waitForShell(c, x);
  if (held) {
    x.heldHead = copyToSlot(out + RAW_HEAD, rawBytes);
    x.heldHeadBytes = <u32>rawBytes;
    if (!x.heldHead) return cut(c, x);
    x.flags |= X_HEAD_HELD;
  }
  const control = changetype<Control>(CONTROL);
  const edits = control.editCount;
  const said = giveBody(c, x, PHASE_RESPONSE_BODY, body, bytes, true, 0);
  const length = <i64>outLength;
  if (!obeyBody(c, x, said) || held) return;
  // The call for the body forgot them; in their region they still lie.
  control.editCount = edits;
  sendHead(c, x, length, 0, 0);
  pumpAnswer(c, x);
}

/** The exchange goes on without an upstream: what the client sends meanwhile is kept. */
export function waitForShell(c: Connection, x: Exchange): void {
  disarm(c);
  c.peer = 0;
  if (x.flags & X_REQUEST_DONE) c.state = STATE_WAIT;
  else {
    c.state = STATE_HOLD;
    pause(c);
  }
}
