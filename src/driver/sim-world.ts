/**
 * What the simulator owns instead of a machine: random numbers from a seed, virtual time, and one
 * queue of things to happen. Nothing in here reads a clock or the operating system, so a seed
 * always replays the same run.
 */
import type { Clock } from '../time.js';

/** Seeded random numbers (mulberry32): small, fast, good enough to pick faults. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)];
  }
}

interface Happening {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Virtual time: a heap of happenings, worked off in order of time, then of creation. */
export class World implements Clock {
  readonly random: Random;
  readonly #heap: Happening[] = [];
  #nowMs = 1000;
  #order = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  now(): number {
    return this.#nowMs;
  }

  wall(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  setTimeout(fn: () => void, ms: number): unknown {
    const happening = { at: this.#nowMs + ms, order: this.#order++, run: fn, cancelled: false };
    this.#push(happening);
    return happening;
  }

  clearTimeout(id: unknown): void {
    if (id !== undefined) (id as Happening).cancelled = true;
  }

  /** Runs the next happening; false where nothing is left. */
  step(): boolean {
    const next = this.#pop();
    if (next === undefined) return false;
    this.#nowMs = next.at;
    if (!next.cancelled) next.run();
    return true;
  }

  /**
   * Works until `done` says so; false where time is up or nothing is left to happen.
   * `virtualMs`: bound on virtual time from now.
   */
  runUntil(done: () => boolean, virtualMs: number): boolean {
    const end = this.#nowMs + virtualMs;
    while (!done()) {
      if (this.#nowMs > end || !this.step()) return done();
    }
    return true;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(happening);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(happening, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = happening;
  }

  #pop(): Happening | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
