/** Kong's rules for an arriving entry: warning, room, size; then it waits in a ring. */
import { EntryRing } from '../core/entry-ring.js';
import type { QueueClock } from './queue-clock.js';
import type { EntrySource } from './source.js';

export interface IntakeLimits {
  readonly max_entries: number;
  /** Null: no limit. Only texts (in UTF-8) and bytes are measured. */
  readonly max_bytes: number | null;
}

/** What an arrival had to say; the texts are Kong's. */
export type IntakeLog = (level: 'warn' | 'error', message: string) => void;

/** Where accepted entries wait. */
export interface EntryStore<T> {
  readonly count: number;
  readonly bytes: number;
  /** Arrival of the oldest entry in milliseconds of the clock, null: none waits. */
  readonly oldestMs: number | null;
  /** False where no room is left. */
  append(entry: T, size: number, atMs: number): boolean;
  take(max: number): T[];
  dropOldest(): void;
  /** As in EntrySource. */
  readonly journalBytes?: number;
  readonly spilled?: number;
  settle?(count: number): void;
  keep?(): number;
  /** Stores an entry outside memory, where it must wait there; `no`: memory is its place. */
  spill?(entry: T, isFull: boolean): 'no' | 'stored' | 'refused';
}

export interface IntakeOptions<T> {
  readonly limits: IntakeLimits;
  readonly clock: QueueClock;
  readonly log: IntakeLog;
  /** Default: a ring in linear memory. */
  readonly store?: EntryStore<T>;
}

export class Intake<T> implements EntrySource<T> {
  readonly speaks = true;
  readonly #limits: IntakeLimits;
  readonly #clock: QueueClock;
  readonly #log: IntakeLog;
  readonly #store: EntryStore<T>;
  #dropped = 0;
  #refused = 0;
  #warned = false;

  constructor({ limits, clock, log, store }: IntakeOptions<T>) {
    this.#limits = limits;
    this.#clock = clock;
    this.#log = log;
    this.#store = store ?? new EntryRing<T>();
  }

  get count(): number {
    return this.#store.count;
  }

  get bytes(): number {
    return this.#store.bytes;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get refused(): number {
    return this.#refused;
  }

  /** True where one more entry would drop another. */
  get full(): boolean {
    const { max_entries, max_bytes } = this.#limits;
    return this.count >= max_entries || (max_bytes !== null && this.bytes >= max_bytes);
  }

  /** True where `entry` fits without dropping another; without an entry: not full. */
  fits(entry?: T): boolean {
    const { max_bytes } = this.#limits;
    if (this.full) return false;
    return max_bytes === null || this.bytes + sizeOf(entry) <= max_bytes;
  }

  get journalBytes(): number {
    return this.#store.journalBytes ?? 0;
  }

  get spilled(): number {
    return this.#store.spilled ?? 0;
  }

  settle(count: number): void {
    this.#store.settle?.(count);
  }

  keep(): number {
    return this.#store.keep?.() ?? 0;
  }

  oldestAgeMs(): number {
    const { oldestMs } = this.#store;
    return oldestMs === null ? 0 : this.#clock.now() * 1000 - oldestMs;
  }

  /**
   * Appends an entry, dropping the oldest ones where the limits demand it.
   * @returns null, or why the entry was refused (larger than `max_bytes`)
   */
  push(entry: T): string | null {
    const { max_entries, max_bytes } = this.#limits;
    this.#warnEarly();
    const spilled = this.#spill(entry);
    if (spilled !== undefined) return spilled;
    if (this.count >= max_entries) {
      this.#log('error', 'queue full, dropping old entries until processing is successful again');
      this.#drop();
    }
    const size = sizeOf(entry);
    if (max_bytes !== null && isMeasured(entry)) {
      if (size > max_bytes) return this.#refuse(size, max_bytes);
      this.#makeRoom(size, max_bytes);
    } else if (max_bytes !== null) {
      this.#log(
        'error',
        'queuing non-string entry to a queue that has queue.max_bytes set, ' +
          'capacity monitoring will not be correct',
      );
    }
    const nowMs = this.#clock.now() * 1000;
    while (!this.#store.append(entry, size, nowMs)) this.#drop();
    return null;
  }

  take(max: number): T[] {
    return this.#store.take(max);
  }

  /** Undefined: memory is the entry's place; else as `push`. */
  #spill(entry: T): string | null | undefined {
    if (!this.#store.spill) return undefined;
    const { max_bytes } = this.#limits;
    const size = sizeOf(entry);
    if (max_bytes !== null && size > max_bytes) return this.#refuse(size, max_bytes);
    const outcome = this.#store.spill(entry, !this.fits(entry));
    if (outcome === 'no') return undefined;
    if (outcome === 'stored') return null;
    const message = 'the journal cannot take an entry that must wait there, it was dropped';
    this.#refused++;
    this.#log('error', message);
    return message;
  }

  /** Once per crossing: an entry that finds less than 80 % re-arms the warning. */
  #warnEarly(): void {
    const high = this.count >= 0.8 * this.#limits.max_entries;
    if (high && !this.#warned) this.#log('warn', 'queue at 80% capacity');
    this.#warned = high;
  }

  #refuse(size: number, maxBytes: number): string {
    const message =
      `string to be queued is longer (${size} bytes) than the queue's ` +
      `max_bytes (${maxBytes} bytes)`;
    this.#refused++;
    this.#log('error', message);
    return message;
  }

  #makeRoom(size: number, maxBytes: number): void {
    let dropped = 0;
    for (; this.count > 0 && this.bytes + size > maxBytes; dropped++) this.#drop();
    if (dropped > 0) {
      this.#log('error', `byte capacity exceeded, ${dropped} queue entries were dropped`);
    }
  }

  #drop(): void {
    this.#store.dropOldest();
    this.#dropped++;
  }
}

function isMeasured(entry: unknown): boolean {
  return typeof entry === 'string' || entry instanceof Uint8Array;
}

function sizeOf(entry: unknown): number {
  if (typeof entry === 'string') return Buffer.byteLength(entry);
  return entry instanceof Uint8Array ? entry.byteLength : 0;
}
