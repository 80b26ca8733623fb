/** A clock that moves only when a test says so. */
import type { Clock } from '../../src/time.js';

interface Timer {
  readonly atMs: number;
  readonly fn: () => void;
}

/** Times closer than this are the same instant: sums of fractions are not exact. */
const sameMs = 1e-6;

export class VirtualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Map<number, Timer>();
  #serial = 0;

  now(): number {
    return this.#nowMs;
  }

  wall(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  setTimeout(fn: () => void, ms: number): unknown {
    this.#timers.set(++this.#serial, { atMs: this.#nowMs + ms, fn });
    return this.#serial;
  }

  clearTimeout(id: unknown): void {
    this.#timers.delete(id as number);
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Runs every timer that is due before `atMs`, in order, and moves there. */
  async moveTo(atMs: number): Promise<void> {
    await settle();
    for (;;) {
      const next = this.#earliest();
      if (next === undefined || next[1].atMs >= atMs - sameMs) break;
      await this.#fire(next);
    }
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  /** Runs timers until none is left, or until `limitMs`. */
  async runOut(limitMs = Number.POSITIVE_INFINITY): Promise<void> {
    await settle();
    for (;;) {
      const next = this.#earliest();
      if (next === undefined || next[1].atMs > limitMs) return;
      await this.#fire(next);
    }
  }

  #earliest(): [number, Timer] | undefined {
    let best: [number, Timer] | undefined;
    for (const one of this.#timers) {
      if (best === undefined || one[1].atMs < best[1].atMs - sameMs) best = one;
    }
    return best;
  }

  async #fire([id, timer]: [number, Timer]): Promise<void> {
    this.#timers.delete(id);
    this.#nowMs = Math.max(this.#nowMs, timer.atMs);
    timer.fn();
    await settle();
  }
}

/** Lets everything run that waits for promises only. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
