/** Where a queue's entries wait: a ring of the core, or the memory of this process. */

/** What a queue consumes. Entries that were taken no longer count against the limits. */
export interface EntrySource<T> {
  /** Entries waiting. */
  readonly count: number;
  /** Bytes waiting. */
  readonly bytes: number;
  /** Entries dropped for newer ones since the start; may wrap at 2^32. */
  readonly dropped: number;
  /** New entries refused, where the source tells them from dropped ones. */
  readonly refused?: number;
  /** True where the source itself logs what happens on arrival. */
  readonly speaks?: boolean;
  /** Removes up to `max` of the oldest entries and returns them, oldest first. */
  take(max: number): T[];
}

/** A source whose entries are translated when they are taken; what throws is dropped by `onBad`. */
export function mapSource<A, B>(
  source: EntrySource<A>,
  translate: (entry: A) => B,
  onBad: (error: unknown) => void,
): EntrySource<B> {
  return {
    get count() {
      return source.count;
    },
    get bytes() {
      return source.bytes;
    },
    get dropped() {
      return source.dropped;
    },
    get refused() {
      return source.refused ?? 0;
    },
    speaks: source.speaks ?? false,
    take(max) {
      const entries: B[] = [];
      for (const entry of source.take(max)) {
        try {
          entries.push(translate(entry));
        } catch (error) {
          onBad(error);
        }
      }
      return entries;
    },
  };
}

export interface MemoryLimits {
  readonly max_entries: number;
  /** Null: no limit. Only strings are measured (UTF-8). */
  readonly max_bytes: number | null;
}

/** What a push had to say; the texts are Kong's. */
export type SourceLog = (level: 'warn' | 'error', message: string) => void;

/** Entries pushed from JavaScript, with Kong's rules for room. */
export class MemorySource<T> implements EntrySource<T> {
  readonly speaks = true;
  readonly #limits: MemoryLimits;
  readonly #log: SourceLog;
  /** Entries from `#front` on wait; the slots before it are cut off now and then. */
  #entries: T[] = [];
  #front = 0;
  #bytes = 0;
  #dropped = 0;
  #refused = 0;
  #warned = false;

  constructor(limits: MemoryLimits, log: SourceLog) {
    this.#limits = limits;
    this.#log = log;
  }

  get count(): number {
    return this.#entries.length - this.#front;
  }

  get bytes(): number {
    return this.#bytes;
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
    return this.count >= max_entries || (max_bytes !== null && this.#bytes >= max_bytes);
  }

  /** True where `entry` fits without dropping another. */
  fits(entry?: T): boolean {
    const { max_bytes } = this.#limits;
    if (this.full) return false;
    return max_bytes === null || this.#bytes + sizeOf(entry) <= max_bytes;
  }

  /**
   * Appends an entry, dropping the oldest ones where the limits demand it.
   * @returns null, or why the entry was refused (larger than `max_bytes`)
   */
  push(entry: T): string | null {
    const { max_entries, max_bytes } = this.#limits;
    this.#warnEarly();
    if (this.count >= max_entries) {
      this.#log('error', 'queue full, dropping old entries until processing is successful again');
      this.#drop();
    }
    const size = sizeOf(entry);
    if (max_bytes !== null && typeof entry === 'string') {
      if (size > max_bytes) return this.#refuse(size, max_bytes);
      this.#makeRoom(size, max_bytes);
    } else if (max_bytes !== null) {
      this.#log(
        'error',
        'queuing non-string entry to a queue that has queue.max_bytes set, ' +
          'capacity monitoring will not be correct',
      );
    }
    this.#entries.push(entry);
    this.#bytes += size;
    return null;
  }

  take(max: number): T[] {
    const end = Math.min(this.#front + max, this.#entries.length);
    const taken = this.#entries.slice(this.#front, end);
    for (const entry of taken) this.#bytes -= sizeOf(entry);
    this.#advance(end);
    return taken;
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
    for (; this.count > 0 && this.#bytes + size > maxBytes; dropped++) this.#drop();
    if (dropped > 0) {
      this.#log('error', `byte capacity exceeded, ${dropped} queue entries were dropped`);
    }
  }

  #drop(): void {
    this.#bytes -= sizeOf(this.#entries[this.#front]);
    this.#dropped++;
    this.#advance(this.#front + 1);
  }

  #advance(front: number): void {
    const entries = this.#entries;
    entries.fill(undefined as T, this.#front, front);
    this.#front = front;
    if (front < 1024 && front < entries.length) return;
    if (front * 2 < entries.length) return;
    this.#entries = entries.slice(front);
    this.#front = 0;
  }
}

function sizeOf(entry: unknown): number {
  return typeof entry === 'string' ? Buffer.byteLength(entry) : 0;
}
