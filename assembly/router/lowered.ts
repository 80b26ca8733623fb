/** A text of a request in lower case, in a place of its own. */
import { ROUTE_SCRATCH, ROUTE_SCRATCH_BYTES } from '../layout';
import { putLower } from './lower';

/** Where a text is lowered: room for one and a half of the longest head. */
export const LOWERED: usize = ROUTE_SCRATCH + 0x10000;
const LOWERED_END: usize = ROUTE_SCRATCH + ROUTE_SCRATCH_BYTES;

/** Writes the n bytes at p in lower case to LOWERED; returns how many those are. */
export function lowerText(p: usize, n: usize): usize {
  return putLower(LOWERED, LOWERED_END, p, n) - LOWERED;
}
