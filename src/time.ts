/** The injectable clock: everything that reads time or sets a timer takes one of these. */
export interface Clock {
  /** Monotonic milliseconds with fraction, from an arbitrary start. */
  now(): number;
  /** Epoch milliseconds. */
  wall(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(id: unknown): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (id) => clearTimeout(id as NodeJS.Timeout),
};
