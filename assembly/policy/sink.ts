/**
 * The edits that a policy makes: those toward the upstream are written where the core reads the
 * edits of plugins, those of the answer behind them, until the policy is through.
 */
import { put } from '../bytes';
import { CONTROL, Control, EDITS, EDITS_BYTES, EDIT_SIZE, Edit, PhaseView } from '../layout';
import { keepClientEdits } from '../proxy/client-edits';
import { Exchange } from '../proxy/exchange';

const UPSTREAM: usize = EDITS;
/** The second half of the region: what one policy makes is far less than a half. */
const CLIENT: usize = EDITS + EDITS_BYTES / 2;

let upstreamEnd: usize = UPSTREAM;
let upstreamCount: u32 = 0;
let clientEnd: usize = CLIENT;
let clientCount: u32 = 0;

export function beginEdits(): void {
  upstreamEnd = UPSTREAM;
  upstreamCount = 0;
  clientEnd = CLIENT;
  clientCount = 0;
}

/** Adds one edit. */
export function pushEdit(
  toClient: bool,
  op: u32,
  name: usize,
  nameLength: u32,
  value: usize,
  valueLength: u32,
): void {
  const at = toClient ? clientEnd : upstreamEnd;
  const edit = changetype<Edit>(at);
  edit.op = op;
  edit.nameLength = nameLength;
  edit.valueLength = valueLength;
  const d = put(put(at + EDIT_SIZE, name, nameLength), value, valueLength);
  moveOn(toClient, (d + 3) & ~3, 1);
}

/** Adds n bytes of edits that were made ready, `count` of them. */
export function pushReady(toClient: bool, from: usize, n: u32, count: u32): void {
  const end = put(toClient ? clientEnd : upstreamEnd, from, n);
  moveOn(toClient, (end + 3) & ~3, count);
}

// @ts-ignore: decorator
@inline
function moveOn(toClient: bool, end: usize, count: u32): void {
  if (toClient) {
    clientEnd = end;
    clientCount += count;
  } else {
    upstreamEnd = end;
    upstreamCount += count;
  }
}

/** First edit toward the upstream, and the end of them. */
export function upstreamEdits(): usize {
  return UPSTREAM;
}
export function upstreamEditsEnd(): usize {
  return upstreamEnd;
}

/** Tells the shell where everything is, to go on from there. */
export function showEdits(v: PhaseView): void {
  v.ranEdits = upstreamCount;
  v.ranClientEdits = <u32>CLIENT;
  v.ranClientEditCount = clientCount;
}

/** Hands everything over. False: there is no memory. */
export function finishEdits(x: Exchange): bool {
  if (clientCount && !keepClientEdits(x, CLIENT, clientEnd - CLIENT, clientCount)) return false;
  changetype<Control>(CONTROL).editCount = upstreamCount;
  return true;
}
