/** Time as queues read it: seconds, like Kong's parameters; and their one view of other clocks. */
import { type Clock, systemClock } from '../time.js';

export interface QueueClock {
  /** Seconds with fraction, from an arbitrary start. */
  now(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(id: unknown): void;
}

const known = new WeakMap<Clock, QueueClock>();

/** The same clock in seconds; always the same object for the same clock. */
export function inSeconds(clock: Clock): QueueClock {
  let seconds = known.get(clock);
  if (!seconds) {
    seconds = {
      now: () => clock.now() / 1000,
      setTimeout: (fn, ms) => clock.setTimeout(fn, ms),
      clearTimeout: (id) => clock.clearTimeout(id),
    };
    known.set(clock, seconds);
  }
  return seconds;
}

export const systemQueueClock = inSeconds(systemClock);
