/**
 * Counters that all workers of a node share: a hash table of fixed size in shared memory, changed
 * by atomic operations only. For rate limits and whatever else must agree between threads. A full
 * neighbourhood gives up its oldest counter, so memory is bounded and an attacker who makes up keys
 * gets no more than fresh counters.
 */
import { randomBytes } from 'node:crypto';
import { limits } from '../limits.js';

/** Words of one entry: two of the key's hash, when it ends (epoch seconds), the count. */
const entryWords = 4;
const LOW = 0;
const HIGH = 1;
const ENDS = 2;
const COUNT = 3;
/** First words of the memory: the hash's seed. */
const headWords = 4;
/** Places that a key may have. */
const probes = 16;

const memoryBytes = 4 * (headWords + limits.sharedCounters.value * entryWords);

/** Memory for one table, with a seed of its own. */
export function makeCounterMemory(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(memoryBytes);
  new Uint8Array(memory).set(randomBytes(8));
  return memory;
}

export class SharedCounters {
  readonly #words: Int32Array;
  readonly #seedLow: number;
  readonly #seedHigh: number;

  constructor(memory: SharedArrayBuffer = makeCounterMemory()) {
    this.#words = new Int32Array(memory);
    [this.#seedLow, this.#seedHigh] = this.#words;
  }

  /**
   * Adds to a counter and returns its new value. A counter that is new, or whose time is over,
   * starts at 0 and ends `ttlSeconds` from `nowSeconds` (epoch seconds).
   */
  add(key: string, amount: number, ttlSeconds: number, nowSeconds: number): number {
    const [low, high] = this.#hash(key);
    const at = this.#claim(low, high, Math.ceil(nowSeconds + ttlSeconds), nowSeconds);
    return Atomics.add(this.#words, at + COUNT, amount) + amount;
  }

  /** Where the hash of every key stands that begins with `prefix`, for keys made elsewhere. */
  stateOf(prefix: string): CounterKeyState {
    const [low, high] = this.#walk(prefix);
    return { low, high, length: prefix.length };
  }

  /** `get` for a key of which only the hash is known. */
  getHashed(low: number, high: number, nowSeconds: number): number {
    const at = this.#find(low, high);
    if (at < 0 || Atomics.load(this.#words, at + ENDS) <= nowSeconds) return 0;
    return Atomics.load(this.#words, at + COUNT);
  }

  /** Adds 1 as `add` does, likewise. */
  countHashed(low: number, high: number, ttlSeconds: number, nowSeconds: number): void {
    const at = this.#claim(low, high, Math.ceil(nowSeconds + ttlSeconds), nowSeconds);
    Atomics.add(this.#words, at + COUNT, 1);
  }

  /** Value of a counter; 0 where there is none or its time is over. */
  get(key: string, nowSeconds: number): number {
    const [low, high] = this.#hash(key);
    return this.getHashed(low, high, nowSeconds);
  }

  #find(low: number, high: number): number {
    for (let probe = 0; probe < probes; probe++) {
      const at = place(high, probe);
      if (Atomics.load(this.#words, at + LOW) !== low) continue;
      if (Atomics.load(this.#words, at + HIGH) === high) return at;
    }
    return -1;
  }

  /** The key's entry, made where it is missing. */
  #claim(low: number, high: number, ends: number, now: number): number {
    const words = this.#words;
    let best = place(high, 0);
    let bestEnds = Number.POSITIVE_INFINITY;
    for (let probe = 0; probe < probes; probe++) {
      const at = place(high, probe);
      const itsEnd = Atomics.load(words, at + ENDS);
      if (Atomics.load(words, at + LOW) === low && Atomics.load(words, at + HIGH) === high) {
        // Whoever moves the end forward starts the count again.
        if (itsEnd <= now && Atomics.compareExchange(words, at + ENDS, itsEnd, ends) === itsEnd) {
          Atomics.store(words, at + COUNT, 0);
        }
        return at;
      }
      if (itsEnd < bestEnds) {
        bestEnds = itsEnd;
        best = at;
      }
    }
    return this.#takeOver(best, bestEnds, low, high, ends);
  }

  /** Another thread may take the same place at the same time: the later one has it then. */
  #takeOver(at: number, itsEnd: number, low: number, high: number, ends: number): number {
    const words = this.#words;
    if (Atomics.compareExchange(words, at + ENDS, itsEnd, ends) === itsEnd) {
      Atomics.store(words, at + COUNT, 0);
    }
    Atomics.store(words, at + LOW, low);
    Atomics.store(words, at + HIGH, high);
    return at;
  }

  /** Two 32-bit hashes with seeds that no client knows (FNV-1a, then a finaliser). */
  #hash(key: string): [number, number] {
    const [low, high] = this.#walk(key);
    return [mix(low ^ key.length), mix(high)];
  }

  #walk(key: string): [number, number] {
    let low = this.#seedLow;
    let high = this.#seedHigh;
    for (let i = 0; i < key.length; i++) {
      const unit = key.charCodeAt(i);
      low = Math.imul(low ^ unit, 0x01000193);
      high = Math.imul((high ^ unit) + (low >>> 7), 0x85ebca6b);
    }
    return [low, high];
  }
}

/** The hash of a key before its end. */
export interface CounterKeyState {
  readonly low: number;
  readonly high: number;
  /** Characters that are in it. */
  readonly length: number;
}

function mix(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x7feb352d);
  h ^= h >>> 15;
  h = Math.imul(h, 0x846ca68b);
  return h ^ (h >>> 16);
}

const place = (hash: number, probe: number): number =>
  headWords + (((hash >>> 0) + probe) % limits.sharedCounters.value) * entryWords;

let own: SharedCounters | null = null;

/** The table of this node; workers in threads adopt the main thread's. */
export function sharedCounters(): SharedCounters {
  own ??= new SharedCounters();
  return own;
}

/** Called once at the start of a worker's thread. */
export function adoptCounters(memory: SharedArrayBuffer): void {
  own = new SharedCounters(memory);
}
