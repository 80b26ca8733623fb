/**
 * Entries that survive a crash: each is on disk before it waits in memory, and a mark on disk
 * follows what has been delivered. What does not fit into memory may wait on disk only; so does, at
 * a start, what an earlier run left. Order is that of arrival throughout.
 */
import { EntryRing } from '../core/entry-ring.js';
import type { EntryStore, IntakeLimits } from './intake.js';
import { Journal, type JournalOptions } from './journal.js';
import { type JournalSettings, journalFolder } from './journal-options.js';
import { decodeEntry, encodeEntry, type JournalRecord } from './journal-record.js';
import type { JournalPlace } from './journal-segments.js';
import type { QueueClock } from './queue-clock.js';

export interface JournaledStoreOptions extends JournalOptions {
  /** A full queue goes on on disk instead of dropping its oldest entry. */
  readonly spill: boolean;
  readonly limits: IntakeLimits;
}

/**
 * The store that the settings ask for; undefined: none but memory.
 * @throws GatewayError GW_E_QUEUE_JOURNAL
 */
export function openStore<T>(options: {
  readonly settings: JournalSettings;
  readonly limits: IntakeLimits;
  readonly name: string;
  /** Place among the workers that have a queue of this name; default 0. */
  readonly worker?: number;
  readonly clock: QueueClock;
  readonly warn: (message: string) => void;
}): JournaledStore<T> | undefined {
  const { settings, ...rest } = options;
  if (settings.journal === null) return undefined;
  return new JournaledStore<T>({
    ...rest,
    folder: journalFolder(settings.journal, options.name, options.worker),
    fsync: settings.journal_fsync,
    maxBytes: settings.journal_max_bytes,
    spill: settings.journal_spill,
  });
}

/** Entries read back from disk at once. */
const refillEntries = 512;

export class JournaledStore<T> implements EntryStore<T> {
  readonly #journal: Journal;
  readonly #options: JournaledStoreOptions;
  readonly #ring = new EntryRing<T>();
  /** Ids of what waits in memory, oldest first; negative: not on disk. */
  #ids: number[] = [];
  #front = 0;
  #flight: number[] = [];
  /** The newest id that left memory. */
  #lastOut = 0;
  #spilled = 0;
  #place: JournalPlace | null;
  #hasEnded = false;

  /** @throws GatewayError GW_E_QUEUE_JOURNAL */
  constructor(options: JournaledStoreOptions) {
    this.#options = options;
    this.#journal = new Journal(options);
    this.#spilled = this.#journal.left.count;
    this.#place = this.#journal.left.place;
    this.#refill();
  }

  get count(): number {
    return this.#ring.count;
  }

  get bytes(): number {
    return this.#ring.bytes;
  }

  get oldestMs(): number | null {
    return this.#ring.oldestMs;
  }

  /** Entries that wait on disk only. */
  get spilled(): number {
    return this.#spilled;
  }

  get journalBytes(): number {
    return this.#journal.bytes;
  }

  /** Ids of the batch in flight: the same for the same entry over a restart. */
  get flightIds(): readonly string[] {
    return this.#flight.map((id) => `${this.#journal.identity}-${Math.abs(id)}`);
  }

  append(entry: T, size: number, atMs: number): boolean {
    const id = this.#journal.takeId();
    if (!this.#ring.append(entry, size, atMs)) return false;
    this.#ids.push(this.#record(entry, id) ? id : -id);
    return true;
  }

  /**
   * Where memory is full, or older entries wait on disk, this entry goes to disk only: `stored`, or
   * `refused` where the disk does not take it. `no`: it belongs into memory.
   */
  spill(entry: T, isFull: boolean): 'no' | 'stored' | 'refused' {
    if (this.#spilled === 0 && !(isFull && this.#options.spill)) return 'no';
    const place = this.#spilled === 0 ? this.#journal.end : this.#place;
    if (!this.#record(entry, this.#journal.takeId(), true)) return 'refused';
    this.#place = place;
    this.#spilled++;
    return 'stored';
  }

  /** Puts what is appended until `uncork` on disk in one write. */
  cork(): void {
    this.#journal.cork();
  }

  uncork(): void {
    this.#journal.uncork();
  }

  take(max: number): T[] {
    const entries = this.#ring.take(max);
    if (!this.#hasEnded) this.#flight.push(...this.#outgoing(entries.length));
    this.#refill();
    return entries;
  }

  dropOldest(): void {
    this.#ring.dropOldest();
    this.#outgoing(1);
    this.#settleUpTo(true);
  }

  /** So many of the entries taken first have been delivered or given up. */
  settle(count: number): void {
    this.#flight.splice(0, count);
    this.#settleUpTo(false);
  }

  /** Ends the journal. @returns entries on disk that are not settled */
  keep(): number {
    if (this.#hasEnded) return 0;
    this.#hasEnded = true;
    const inMemory = [...this.#flight, ...this.#ids.slice(this.#front)];
    this.#journal.close();
    return this.#spilled + inMemory.filter((id) => id > 0).length;
  }

  #record(entry: T, id: number, isUrgent = false): boolean {
    const form = encodeEntry(entry);
    return form !== null && this.#journal.append(form.kind, id, form.data, isUrgent);
  }

  #outgoing(count: number): number[] {
    const ids = this.#ids.slice(this.#front, this.#front + count);
    this.#front += ids.length;
    if (this.#front > 1024 && this.#front * 2 > this.#ids.length) {
      this.#ids = this.#ids.slice(this.#front);
      this.#front = 0;
    }
    if (ids.length > 0) this.#lastOut = Math.abs(ids[ids.length - 1]);
    return ids;
  }

  #settleUpTo(isLazy: boolean): void {
    if (this.#hasEnded) return;
    const end = this.#flight.length > 0 ? Math.abs(this.#flight[0]) - 1 : this.#lastOut;
    this.#journal.settle(end, isLazy);
  }

  /** Brings entries back from disk while memory has room. */
  #refill(): void {
    const { max_entries } = this.#options.limits;
    if (this.#hasEnded || this.#spilled === 0 || this.count * 2 > max_entries) return;
    while (this.#spilled > 0 && this.#place && this.count < max_entries) {
      const room = Math.min(refillEntries, max_entries - this.count, this.#spilled);
      const { records, next } = this.#journal.read(this.#place, room);
      this.#place = next;
      if (records.length === 0) break;
      for (const record of records) this.#bringBack(record);
      if (this.#isFull()) return;
    }
    // The disk had less than was counted: what is missing cannot be read any more.
    if (this.#spilled > 0 && this.count === 0) {
      this.#options.warn(`${this.#spilled} entries on disk cannot be read any more`);
      this.#spilled = 0;
    }
  }

  #bringBack(record: JournalRecord): void {
    this.#spilled--;
    const entry = decodeEntry(record) as T;
    const size =
      typeof entry === 'object' && !(entry instanceof Uint8Array) ? 0 : record.data.length;
    this.#ring.append(entry, size, this.#options.clock.now() * 1000);
    this.#ids.push(record.id);
  }

  #isFull(): boolean {
    const { max_entries, max_bytes } = this.#options.limits;
    return this.count >= max_entries || (max_bytes !== null && this.bytes >= max_bytes);
  }
}
