/** One batch: expired deadlines, the events, and whatever became ready meanwhile. */
import { CONTROL, Control, EVENTS, LIMIT_EVENTS_PER_BATCH, RECORD_SIZE, Record } from '../layout';
import { reclaim } from '../memory';
import { workHeld } from './client';
import { beginCommands, commandCount, hasRoom } from './commands';
import { handleEvent } from './events';
import { expire } from './expire';
import { takeReady } from './ready';
import { setClock, takeExpired } from './timers';

/** Handles `count` events; returns the number of commands. */
export function processBatch(count: u32): u32 {
  reclaim();
  beginCommands();
  setClock(changetype<Control>(CONTROL).nowMs);
  runTimers();
  runReady();
  const n = min(count, LIMIT_EVENTS_PER_BATCH);
  for (let i: u32 = 0; i < n; i++) {
    handleEvent(changetype<Record>(EVENTS + <usize>i * RECORD_SIZE));
    runReady();
  }
  return commandCount();
}

function runTimers(): void {
  while (hasRoom()) {
    const c = takeExpired();
    if (!c) return;
    expire(c);
  }
}

/** Connections left over here are served first in the next batch; their timers bring one about. */
function runReady(): void {
  while (hasRoom()) {
    const c = takeReady();
    if (!c) return;
    workHeld(c);
  }
}
