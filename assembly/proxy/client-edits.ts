/**
 * Edits of the answer that are known before there is one: made in the access phase of an exchange
 * whose answer nobody will look at any more. They wait in a slot until the answer's head.
 */
import {
  CONTROL,
  Control,
  EDITS,
  PHASE_HEADER_FILTER,
  PHASE_VIEW,
  PhaseView,
  VERDICT_FLAG_SETTLED,
} from '../layout';
import { Exchange, X_KNOWN, copyToSlot } from './exchange';

/**
 * Takes note of what a verdict of the access phase says about the answer. False: there is no memory
 * for it.
 */
export function noteSettled(x: Exchange, verdict: u32): bool {
  if (!(verdict & VERDICT_FLAG_SETTLED)) return true;
  x.phases &= ~PHASE_HEADER_FILTER;
  x.flags &= ~X_KNOWN;
  const v = changetype<PhaseView>(PHASE_VIEW);
  if (!v.clientEditCount) return true;
  return keepClientEdits(x, v.clientEdits, v.clientEditBytes, v.clientEditCount);
}

/** Keeps `count` edits of n bytes at `from` for the answer. False: there is no memory. */
export function keepClientEdits(x: Exchange, from: usize, n: usize, count: u32): bool {
  x.clientEdits = copyToSlot(from, n);
  x.clientEditBytes = <u32>n;
  x.clientEditCount = count;
  return x.clientEdits != 0;
}

/** Puts them into the edits region, for the head of the answer that is about to be written. */
export function recallClientEdits(x: Exchange): void {
  if (!x.clientEdits) return;
  memory.copy(EDITS, x.clientEdits, x.clientEditBytes);
  changetype<Control>(CONTROL).editCount = x.clientEditCount;
}
