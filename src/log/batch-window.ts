/**
 * How long a batch stays open, and how many entries it has: Kong's loop around its semaphore, as
 * steps between which the caller waits. Times are seconds; the numbers are Kong's.
 */
import type { QueueParameters } from './params.js';
import type { QueueClock } from './queue-clock.js';

/** Below this a batch is closed: waiting for less is not worth a timer. Seconds. */
const leastWaitS = 0.05;
/** A waiting consumer looks at least this often whether the process ends. Seconds. */
const longestWaitS = 1;
/** Sums of fractions are not exact: times closer than this are the same. Seconds. */
const sameS = 1e-6;

export class BatchWindow {
  /** Entries of the batch so far. */
  size = 0;
  #sizeMax = 1;
  /** Its first moment, and how long it may stay open from there. */
  #startS = 0;
  #delayS = 0;
  /** End of the wait for the next entry; an arrival starts it anew. */
  #waitEndS = 0;
  /** An arrival has ended the wait; its entry is counted when the consumer gets its turn. */
  #woken = false;

  /** Begins a batch with the entry that waits. */
  open(nowS: number, { max_batch_size, max_coalescing_delay }: QueueParameters): void {
    this.size = 1;
    this.#sizeMax = max_batch_size;
    this.#startS = nowS;
    this.#delayS = max_coalescing_delay;
    this.#woken = false;
  }

  /**
   * Takes what waits into the batch; no time passes while entries are there.
   * @returns null where the batch is closed, else how long to wait for the next entry
   */
  collect(nowS: number, count: number, isExiting: boolean, isFlushing: boolean): number | null {
    while (this.size < this.#sizeMax) {
      const leftS = this.#delayS - (nowS - this.#startS);
      if (leftS < leastWaitS) return null;
      let waitS = Math.min(leftS, longestWaitS);
      if (isExiting) waitS = this.#delayS = leastWaitS;
      if (count > this.size) {
        this.size++;
      } else {
        this.#waitEndS = nowS + waitS;
        return isFlushing ? null : waitS;
      }
    }
    return null;
  }

  /**
   * Entries came during the wait. Costs no timer while the batch stays open.
   * @returns true where the wait must end
   */
  arrival(clock: QueueClock, count: number, isExiting: boolean): boolean {
    if (this.#woken || count <= this.size) return false;
    const nowS = clock.now();
    const leftS = this.#delayS - (nowS - this.#startS);
    if (leftS < leastWaitS || isExiting || count >= this.#sizeMax) return true;
    this.size = count;
    this.#waitEndS = nowS + Math.min(leftS, longestWaitS);
    return false;
  }

  /** Ends the wait. @returns false where that has been done already */
  wake(): boolean {
    if (this.#woken) return false;
    this.#woken = true;
    return true;
  }

  /** A timer has ended the wait. @returns how long to wait on, because an arrival began it anew */
  waited(nowS: number, count: number): number {
    if (this.#woken) {
      this.#woken = false;
      if (count > this.size) this.size++;
      return 0;
    }
    const leftS = this.#waitEndS - nowS;
    return leftS > sameS ? leftS : 0;
  }

  /** Entries counted for the batch were dropped; the newest that waits is not counted yet. */
  dropped(drops: number, count: number): void {
    const left = this.#woken ? count - 1 : Math.min(this.size - drops, count);
    this.size = Math.max(0, Math.min(this.size, left));
  }
}
