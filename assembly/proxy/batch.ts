/** One batch: expired deadlines, the events, and whatever became ready meanwhile. */
import { CONTROL, Control, EVENTS, LIMIT_EVENTS_PER_BATCH, RECORD_SIZE, Record } from '../layout';
import { reclaim } from '../memory';
import { workHeld } from './client';
import { beginCommands, commandCount, hasRoom } from './commands';
import { handleEvent } from './events';
import { expire } from './expire';
import { hasReady, takeReady } from './ready';
import { setClock, takeExpired } from './timers';

/**
 * Handles `count` events, or as many as there is room for; returns the number of commands. Each
 * event ends with its parse results and its view of shared regions, so one batch may carry events
 * of any number of connections.
 */
export function processBatch(count: u32): u32 {
  reclaim();
  beginCommands();
  setClock(changetype<Control>(CONTROL).nowMs);
  runTimers();
  runReady();
  const n = min(count, LIMIT_EVENTS_PER_BATCH);
  let taken: u32 = 0;
  for (; taken < n && hasRoom(); taken++) {
    handleEvent(changetype<Record>(EVENTS + <usize>taken * RECORD_SIZE));
    runReady();
  }
  const control = changetype<Control>(CONTROL);
  control.eventsTaken = taken;
  control.more = hasReady() || !hasRoom() ? 1 : 0;
  return commandCount();
}

function runTimers(): void {
  while (hasRoom()) {
    const c = takeExpired();
    if (!c) return;
    expire(c);
  }
}

/** Connections left over here are served first in the next batch; `more` brings it about. */
function runReady(): void {
  while (hasRoom()) {
    const c = takeReady();
    if (!c) return;
    workHeld(c);
  }
}
