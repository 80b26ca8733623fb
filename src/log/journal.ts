/**
 * The files behind a queue that keeps its entries over a crash: records are appended to segments, a
 * segment goes when all its entries are settled. Whatever the disk refuses stays in memory only,
 * with one warning; nothing here throws once the journal is open.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import { lockFolder, unlockFolder } from './journal-lock.js';
import { encodeRecord, RecordKind } from './journal-record.js';
import {
  type JournalPlace,
  readFolder,
  readOrEmpty,
  readRecords,
  type Segment,
  syncFolder,
} from './journal-segments.js';
import type { QueueClock } from './queue-clock.js';

export interface JournalOptions {
  /** Folder of this one queue; made where it is missing, for its owner only. */
  readonly folder: string;
  /** When written bytes are forced to the disk: after each write, once a second, by the system. */
  readonly fsync: 'always' | 'interval' | 'never';
  /** All segments together. Above it entries are kept in memory only. */
  readonly maxBytes: number;
  readonly clock: QueueClock;
  readonly warn: (message: string) => void;
}

const syncMs = 1000;
/** After a failed write the disk is tried again at most this often. Seconds. */
const againS = 5;

export class Journal {
  /** Names this journal in entry ids; 16 hexadecimal digits. */
  readonly identity: string;
  /** Entries that an earlier run left, and where the first of them lies. */
  readonly left: { readonly count: number; readonly place: JournalPlace | null };
  readonly #options: JournalOptions;
  #segments: Segment[] = [];
  #file = -1;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #nextId = 1;
  #settled = 0;
  #settledOnDisk = 0;
  #timer: unknown = null;
  #syncing = false;
  #retryAtS = 0;
  #fault: 'none' | 'full' | 'failed' = 'none';
  #corked = false;

  /**
   * Opens or makes the journal of a folder and reads what an earlier run left.
   * @throws GatewayError GW_E_QUEUE_JOURNAL where the folder cannot be used, or is in use
   */
  constructor(options: JournalOptions) {
    this.#options = options;
    try {
      fs.mkdirSync(options.folder, { recursive: true, mode: 0o700 });
      lockFolder(options.folder);
    } catch (cause) {
      const reason = (cause as Error).message;
      throw new GatewayError('GW_E_QUEUE_JOURNAL', `${options.folder}: ${reason}`, { cause });
    }
    try {
      this.identity = this.#readIdentity();
      const found = readFolder(options.folder, options.warn);
      this.#segments = found.segments;
      this.#settled = found.settled;
      this.#nextId = found.nextId;
      this.left = { count: found.count, place: found.place };
      this.#ready();
      this.#clean();
    } catch (cause) {
      unlockFolder(options.folder);
      const reason = (cause as Error).message;
      throw new GatewayError('GW_E_QUEUE_JOURNAL', `${options.folder}: ${reason}`, { cause });
    }
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0) + this.#pendingBytes;
  }

  /** The id of the next entry. */
  takeId(): number {
    return this.#nextId++;
  }

  /** Where the next record will be written. */
  get end(): JournalPlace {
    this.#write();
    const last = this.#segments.at(-1);
    return { path: last?.path ?? '', offset: last?.bytes ?? 0 };
  }

  /**
   * Appends an entry; an urgent one is written even while the journal is corked.
   * @returns false where it is not on disk
   */
  append(kind: number, id: number, data: Uint8Array, isUrgent = false): boolean {
    const record = encodeRecord(kind, id, data);
    if (this.bytes + record.length > this.#options.maxBytes) this.#clean();
    if (this.bytes + record.length > this.#options.maxBytes) {
      this.#report('full', 'the journal has reached its bound; entries are kept in memory only');
      return false;
    }
    if (this.#fault === 'failed' && this.#options.clock.now() < this.#retryAtS) return false;
    if (!this.#ready()) return false;
    this.#pending.push(record);
    this.#pendingBytes += record.length;
    const segment = this.#segments[this.#segments.length - 1];
    const before = segment.lastId;
    segment.lastId = id;
    if ((this.#corked && !isUrgent) || this.#write()) return true;
    segment.lastId = before;
    return false;
  }

  /** Holds writes back until `uncork`, so that many entries are one write. */
  cork(): void {
    this.#corked = true;
  }

  /** @returns false where what was appended since is not on disk */
  uncork(): boolean {
    this.#corked = false;
    return this.#write();
  }

  /** Every entry up to `id` is done with; said on disk at once, or with the next write. */
  settle(id: number, isLazy = false): void {
    if (id <= this.#settled) return;
    this.#settled = id;
    if (isLazy || this.#corked) return;
    this.#writeSettled();
    this.#write();
    this.#clean();
  }

  /** Records from a place on, at most `max`; `next` is null at the journal's end. */
  read(place: JournalPlace, max: number) {
    this.#write();
    return readRecords(this.#segments, place, max);
  }

  /** Forces everything to the disk and gives the folder back. Idempotent. */
  close(): void {
    if (this.#file === -2) return;
    this.#options.clock.clearTimeout(this.#timer);
    this.#writeSettled();
    this.#write();
    if (this.#file >= 0) {
      this.#attempt(() => fs.fdatasyncSync(this.#file));
      this.#attempt(() => fs.closeSync(this.#file));
    }
    this.#file = -2;
    unlockFolder(this.#options.folder);
  }

  #readIdentity(): string {
    const path = join(this.#options.folder, 'identity');
    const known = readOrEmpty(path).toString('latin1').trim();
    if (/^[0-9a-f]{16}$/.test(known)) return known;
    const identity = randomBytes(8).toString('hex');
    fs.writeFileSync(path, `${identity}\n`, { mode: 0o600 });
    return identity;
  }

  /** True where there is a segment to write to. */
  #ready(): boolean {
    const segmentBytes = Math.min(limits.journalSegmentBytes.value, this.#options.maxBytes / 4);
    const last = this.#segments.at(-1);
    if (this.#file >= 0 && last && last.bytes < segmentBytes) return true;
    this.#write();
    const path = join(this.#options.folder, `${String(this.#nextId).padStart(15, '0')}.journal`);
    const opened = this.#attempt(() => {
      const file = fs.openSync(path, 'a', 0o600);
      if (this.#file >= 0) fs.closeSync(this.#file);
      this.#file = file;
      if (this.#options.fsync !== 'never') syncFolder(this.#options.folder);
    });
    if (!opened) return false;
    this.#segments.push({ path, bytes: 0, lastId: 0 });
    this.#settledOnDisk = 0;
    this.#writeSettled();
    this.#write();
    return true;
  }

  #writeSettled(): void {
    if (this.#settled <= this.#settledOnDisk || this.#file < 0) return;
    this.#settledOnDisk = this.#settled;
    const record = encodeRecord(RecordKind.SETTLED, this.#settled, Buffer.alloc(0));
    this.#pending.push(record);
    this.#pendingBytes += record.length;
  }

  /** Writes what is pending, all or nothing. */
  #write(): boolean {
    if (this.#pending.length === 0) return true;
    this.#writeSettled();
    const data = this.#pending.length === 1 ? this.#pending[0] : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    const segment = this.#segments[this.#segments.length - 1];
    const isWritten = this.#attempt(() => {
      let written = 0;
      while (written < data.length) written += fs.writeSync(this.#file, data, written);
      if (this.#options.fsync === 'always') fs.fdatasyncSync(this.#file);
    });
    if (!isWritten) {
      // Half a record would hide all that follow it.
      this.#attempt(() => fs.ftruncateSync(this.#file, segment.bytes));
      return false;
    }
    segment.bytes += data.length;
    if (this.#fault !== 'none') this.#options.warn('the journal takes entries again');
    this.#fault = 'none';
    if (this.#options.fsync === 'interval') this.#scheduleSync();
    return true;
  }

  #scheduleSync(): void {
    if (this.#timer !== null || this.#syncing) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = null;
      if (this.#file < 0) return;
      this.#syncing = true;
      fs.fdatasync(this.#file, () => {
        this.#syncing = false;
      });
    }, syncMs);
  }

  /** Removes segments whose entries are all settled; the one being written stays. */
  #clean(): void {
    while (this.#file >= 0 && this.#segments.length > 1) {
      const [segment] = this.#segments;
      if (segment.lastId > this.#settled) return;
      // The mark of a segment that goes must stand in one that stays.
      this.#writeSettled();
      if (!this.#write() || !this.#attempt(() => fs.unlinkSync(segment.path))) return;
      this.#segments.shift();
    }
  }

  #attempt(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#retryAtS = this.#options.clock.now() + againS;
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      this.#report(
        'failed',
        `the journal cannot be written (${code}); entries stay in memory only`,
      );
      return false;
    }
  }

  /** Once per trouble. */
  #report(fault: 'full' | 'failed', message: string): void {
    if (this.#fault !== fault) this.#options.warn(message);
    this.#fault = fault;
  }
}
