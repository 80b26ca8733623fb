/** Writes command records, and owns the output arena that lives for one batch. */
import { put } from '../bytes';
import {
  COMMANDS,
  COMMAND_ABORT,
  COMMAND_CLOSE,
  COMMAND_CONNECT,
  COMMAND_PAUSE,
  COMMAND_RESUME,
  COMMAND_SEND,
  COMMAND_SHUTDOWN,
  LIMIT_COMMANDS_PER_BATCH,
  OUT,
  OUT_BYTES,
  RECORD_SIZE,
  Record,
} from '../layout';
import { Connection, FLAG_PAUSED, FLAG_SHUTDOWN } from './connection';

/** So many bytes are copied for less than another record costs, and a gathered write with it. */
const JOINED_BYTES: usize = 1024;

let count: u32 = 0;
/** Where the output that was kept last ends; `out` is rounded up from there. */
let kept: usize = OUT;
/** First free byte of the output arena. */
export let out: usize = OUT;

export function beginCommands(): void {
  count = 0;
  out = OUT;
}

export function commandCount(): u32 {
  return count;
}

/** True while there is room for another exchange's worth of commands and output. */
export function hasRoom(): bool {
  return count < LIMIT_COMMANDS_PER_BATCH / 2 && out < OUT + OUT_BYTES / 2;
}

/** Keeps what was written up to `end` for the rest of the batch. */
// @ts-ignore: decorator
@inline
export function keepOut(end: usize): void {
  assert(end <= OUT + OUT_BYTES, 'output arena is full');
  kept = end;
  out = (end + 31) & ~15;
}

function push(type: u32, connection: u32, a: u32, b: u32): void {
  if (count >= LIMIT_COMMANDS_PER_BATCH) unreachable();
  const record = changetype<Record>(COMMANDS + <usize>count * RECORD_SIZE);
  record.type = type;
  record.connection = connection;
  record.a = a;
  record.b = b;
  count++;
}

export function send(c: Connection, from: usize, bytes: usize): void {
  if (bytes) push(COMMAND_SEND, c.id, <u32>from, <u32>bytes);
}

/**
 * Sends bytes that lie elsewhere; few are put behind the output before them, into its record. To be
 * called only while nothing is being written to the arena.
 */
export function sendBehind(c: Connection, from: usize, bytes: usize): void {
  if (count && bytes <= JOINED_BYTES) {
    const last = changetype<Record>(COMMANDS + <usize>(count - 1) * RECORD_SIZE);
    const joins = last.type == COMMAND_SEND && last.connection == c.id;
    if (joins && <usize>last.a + <usize>last.b == kept) {
      last.b += <u32>bytes;
      keepOut(put(kept, from, bytes));
      return;
    }
  }
  send(c, from, bytes);
}

export function sendClose(c: Connection): void {
  push(COMMAND_CLOSE, c.id, 0, 0);
}

/** As sendClose, for a peer that has said that it sends nothing more. */
export function sendLastClose(c: Connection): void {
  push(COMMAND_CLOSE, c.id, 1, 0);
}

export function sendAbort(c: Connection): void {
  push(COMMAND_ABORT, c.id, 0, 0);
}

export function sendConnect(c: Connection, target: u32): void {
  push(COMMAND_CONNECT, c.id, target, 0);
}

export function shutdown(c: Connection): void {
  if (c.flags & FLAG_SHUTDOWN) return;
  c.flags |= FLAG_SHUTDOWN;
  push(COMMAND_SHUTDOWN, c.id, 0, 0);
}

/** Stops reading from a connection; asking twice costs nothing. */
export function pause(c: Connection): void {
  if (c.flags & FLAG_PAUSED) return;
  c.flags |= FLAG_PAUSED;
  push(COMMAND_PAUSE, c.id, 0, 0);
}

export function resume(c: Connection): void {
  if (!(c.flags & FLAG_PAUSED)) return;
  c.flags &= ~FLAG_PAUSED;
  push(COMMAND_RESUME, c.id, 0, 0);
}
