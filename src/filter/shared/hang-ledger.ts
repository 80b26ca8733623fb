/**
 * Which filter runs in which thread, in memory that all threads of a node share. Only filters
 * without watchdog are written down: where a thread had to be ended, the filter that it was in is
 * condemned, and threads that come later let it rest.
 *
 *   word (f64) 0 .. threads - 1     key of the filter that runs there, 0: none
 *   then pairs                      key of a condemned filter, epoch milliseconds until when
 */
import { limits } from '../../limits.js';

const threads = 1024;
/** Condemned at the same time; the oldest is forgotten for one more. */
const places = 64;
/** Hexadecimal digits that a double holds exactly. */
const keyDigits = 13;

export const makeLedgerMemory = (): SharedArrayBuffer =>
  new SharedArrayBuffer(8 * (threads + 2 * places));

/** `hash`: of the module, hexadecimal. */
const keyOf = (hash: string): number => Number.parseInt(hash.slice(0, keyDigits), 16) + 1;

export class HangLedger {
  readonly #words: Float64Array;
  readonly #thread: number;

  /** `thread`: place of the worker whose thread this is, or was. */
  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#words = new Float64Array(memory);
    this.#thread = thread % threads;
  }

  /** The same callback, known by while it runs. */
  watch<Arguments extends unknown[], Result>(
    hash: string,
    callback: (...values: Arguments) => Result,
  ): (...values: Arguments) => Result {
    const words = this.#words;
    const thread = this.#thread;
    const key = keyOf(hash);
    return (...values) => {
      words[thread] = key;
      try {
        return callback(...values);
      } finally {
        words[thread] = 0;
      }
    };
  }

  /** The thread has ended: what it was in the middle of may not run until later. */
  condemn(nowWallMs: number): void {
    const words = this.#words;
    const key = words[this.#thread];
    words[this.#thread] = 0;
    if (key === 0) return;
    let place = threads;
    for (let at = threads; at < words.length; at += 2) {
      if (words[at] === key) place = at;
      if (words[place] !== key && words[at + 1] < words[place + 1]) place = at;
    }
    words[place] = key;
    words[place + 1] = nowWallMs + limits.filterQuarantineMs.value;
  }

  /** Milliseconds for which a filter still has to rest, 0: it may run. */
  restMs(hash: string, nowWallMs: number): number {
    const words = this.#words;
    const key = keyOf(hash);
    for (let at = threads; at < words.length; at += 2) {
      if (words[at] === key) return Math.max(0, words[at + 1] - nowWallMs);
    }
    return 0;
  }
}
