/**
 * Memory that the filters of several threads share: a lock and an allocator. Blocks have sizes that
 * are powers of two, and a free list for each size; a freed block is used again for its size, or
 * split for smaller ones. All offsets are bytes, 0 is none, and a block's contents start behind its
 * one word of header.
 *
 *   word 0 lock holder   1 threads that wait   2 end of what was ever used   3 free-list heads ...
 */
import { limits } from '../../limits.js';

const HOLDER = 0;
const WAITING = 1;
const USED = 2;
const FREE = 3;
const sizeClasses = 32;
const smallestShift = 5;
/** How long a thread sleeps before it looks at the lock again. */
const lockWaitMs = 50;
/** Tries before a thread goes to sleep; what is done under the lock takes microseconds. */
const spins = 200;

/** Words at the start that belong to this file; those of the stores follow. */
export const lockWords = FREE + sizeClasses;

/** Bytes in front of a block's contents: its size class. */
const headerBytes = 4;

export class SharedMemory {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly #me: number;

  /** `worker`: this thread's worker; `reservedWords`: what the stores keep at the start. */
  constructor(memory: SharedArrayBuffer, worker: number, reservedWords: number) {
    this.words = new Int32Array(memory);
    this.bytes = new Uint8Array(memory);
    this.#me = worker + 1;
    // Whoever comes first moves the end behind what is reserved.
    Atomics.compareExchange(this.words, USED, 0, 4 * reservedWords);
  }

  /** Runs `act` while no other thread runs one on this memory. */
  locked<T>(act: () => T): T {
    this.#lock();
    try {
      return act();
    } finally {
      releaseLock(this.words, this.#me);
    }
  }

  /** Offset of a block with room for `size` bytes; 0: there is no more. Under the lock. */
  allocate(size: number): number {
    const wanted = classOf(size + headerBytes);
    const { words } = this;
    for (let shift = wanted; shift < sizeClasses; shift++) {
      const block = words[FREE + shift];
      if (block === 0) continue;
      words[FREE + shift] = words[block >> 2];
      return this.#split(block, shift, wanted);
    }
    const block = words[USED];
    if (block + 2 ** wanted > this.bytes.length) return 0;
    words[USED] = block + 2 ** wanted;
    return this.#begin(block, wanted);
  }

  /** Gives a block back. Under the lock. */
  free(contents: number): void {
    const block = contents - headerBytes;
    const shift = this.words[block >> 2];
    this.words[block >> 2] = this.words[FREE + shift];
    this.words[FREE + shift] = block;
  }

  /** True where the block has room for `size` bytes. */
  holds(contents: number, size: number): boolean {
    return size + headerBytes <= 2 ** this.words[(contents - headerBytes) >> 2];
  }

  #begin(block: number, shift: number): number {
    this.words[block >> 2] = shift;
    return block + headerBytes;
  }

  #split(block: number, from: number, wanted: number): number {
    for (let shift = from - 1; shift >= wanted; shift--) {
      const rest = block + 2 ** shift;
      this.words[rest >> 2] = this.words[FREE + shift];
      this.words[FREE + shift] = rest;
    }
    return this.#begin(block, wanted);
  }

  #lock(): void {
    const { words } = this;
    for (let i = 0; i < spins; i++) {
      if (Atomics.compareExchange(words, HOLDER, 0, this.#me) === 0) return;
    }
    Atomics.add(words, WAITING, 1);
    for (;;) {
      const holder = Atomics.compareExchange(words, HOLDER, 0, this.#me);
      if (holder === 0) break;
      Atomics.wait(words, HOLDER, holder, lockWaitMs);
    }
    Atomics.sub(words, WAITING, 1);
  }
}

function releaseLock(words: Int32Array, holder: number): void {
  if (Atomics.compareExchange(words, HOLDER, holder, 0) !== holder) return;
  if (Atomics.load(words, WAITING) > 0) Atomics.notify(words, HOLDER, 1);
}

/** Memory for the threads of one node; pages that nothing uses cost nothing. */
export const makeSharedMemory = (): SharedArrayBuffer =>
  new SharedArrayBuffer(limits.filterSharedMemoryBytes.value);

/**
 * Takes the lock from a worker whose thread has ended. What it was about to write is lost; entries
 * are linked in only when they are whole.
 */
export function abandonLock(memory: SharedArrayBuffer, worker: number): void {
  releaseLock(new Int32Array(memory), worker + 1);
}

const classOf = (size: number): number =>
  Math.max(smallestShift, 32 - Math.clz32(Math.max(1, size - 1)));
