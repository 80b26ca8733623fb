/**
 * The list of downstream connections whose kept bytes may go on now (their answer is complete). It
 * replaces recursion: a pipeline of a thousand requests is worked off in a loop.
 */
import { Connection, connectionAt, pointerOf } from './connection';

let first: u32 = 0;
let last: u32 = 0;
const END: u32 = 1; // marks membership of the last one, whose readyNext would be 0

/** Appends a connection; one that is in the list stays where it is. */
export function markReady(c: Connection): void {
  if (c.readyNext) return;
  c.readyNext = END;
  if (last) connectionAt(last).readyNext = pointerOf(c);
  else first = pointerOf(c);
  last = pointerOf(c);
}

/** Takes the first one out, or returns null. */
export function takeReady(): Connection | null {
  if (!first) return null;
  const c = connectionAt(first);
  first = c.readyNext == END ? 0 : c.readyNext;
  if (!first) last = 0;
  c.readyNext = 0;
  return c;
}

export function hasReady(): bool {
  return first != 0;
}

/** Removes a connection that goes away. */
export function unlinkReady(c: Connection): void {
  if (!c.readyNext) return;
  let before: u32 = 0;
  let walk = first;
  while (walk != pointerOf(c)) {
    before = walk;
    walk = connectionAt(walk).readyNext;
  }
  const next = c.readyNext == END ? 0 : c.readyNext;
  if (before) connectionAt(before).readyNext = next ? next : END;
  else first = next;
  if (!next) last = before;
  c.readyNext = 0;
}
