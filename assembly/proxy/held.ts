/**
 * Bytes that came before they could be used: part of a head, a body while the upstream connects,
 * the next pipelined request. They sit in one slot of the connection, contiguous, and move to a
 * larger slot as they grow.
 */
import { SLOT_BYTES_MAX, allocate, capacity, release } from '../memory';
import { Connection } from './connection';

/** Bytes waiting. */
// @ts-ignore: decorator
@inline
export function heldBytes(c: Connection): u32 {
  return c.heldEnd - c.heldStart;
}

/** Appends n bytes; false: they do not fit any more. */
export function keep(c: Connection, from: usize, n: usize): bool {
  const waiting = <usize>heldBytes(c);
  if (c.held && <usize>c.heldEnd + n <= capacity(c.held)) {
    memory.copy(<usize>c.held + c.heldEnd, from, n);
    c.heldEnd += <u32>n;
    return true;
  }
  if (waiting + n > SLOT_BYTES_MAX) return false;
  // A fresh slot even where compaction would do: commands of this batch may point into the old one.
  const slot = allocate(waiting + n);
  if (!slot) return false;
  memory.copy(slot, <usize>c.held + c.heldStart, waiting);
  memory.copy(slot + waiting, from, n);
  release(c.held);
  c.held = <u32>slot;
  c.heldStart = 0;
  c.heldEnd = <u32>(waiting + n);
  return true;
}

/** Takes note that everything before `position` is used up. */
export function consume(c: Connection, position: usize): void {
  c.heldStart = <u32>(position - c.held);
  if (c.heldStart < c.heldEnd) return;
  release(c.held);
  c.held = 0;
  c.heldStart = 0;
  c.heldEnd = 0;
}
