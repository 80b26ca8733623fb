/** Edits of plugins that choose another upstream, or how it is asked. */
import {
  EDIT_OP_SET_CONNECT_TIMEOUT,
  EDIT_OP_SET_READ_TIMEOUT,
  EDIT_OP_SET_RETRIES,
  EDIT_OP_SET_TARGET,
  EDIT_OP_SET_UPSTREAM,
  EDIT_OP_SET_WRITE_TIMEOUT,
  LIMIT_TARGETS,
} from '../layout';
import { editNumber, hasEdits, lastEdit } from './edits';
import { Exchange } from './exchange';

/** Takes over target, retries and time-outs. */
export function applyServiceEdits(x: Exchange): void {
  if (!hasEdits()) return;
  chooseTarget(x);
  x.triesLeft = numberOr(EDIT_OP_SET_RETRIES, x.triesLeft - 1) + 1;
  x.connectTimeoutMs = numberOr(EDIT_OP_SET_CONNECT_TIMEOUT, x.connectTimeoutMs);
  x.writeTimeoutMs = numberOr(EDIT_OP_SET_WRITE_TIMEOUT, x.writeTimeoutMs);
  x.readTimeoutMs = numberOr(EDIT_OP_SET_READ_TIMEOUT, x.readTimeoutMs);
}

/** The later of a fixed target and an upstream holds. */
function chooseTarget(x: Exchange): void {
  const target = lastEdit(EDIT_OP_SET_TARGET);
  const upstream = lastEdit(EDIT_OP_SET_UPSTREAM);
  if (upstream && (!target || changetype<usize>(upstream) > changetype<usize>(target))) {
    x.view = editNumber(upstream) + 1;
  } else if (target) {
    x.view = 0;
    x.target = min(editNumber(target), LIMIT_TARGETS - 1);
  }
}

function numberOr(op: u32, given: u32): u32 {
  const edit = lastEdit(op);
  return edit ? min<u32>(editNumber(edit), 0x7ffffffe) : given;
}
