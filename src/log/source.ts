/** What a queue consumes: a ring of the core, or entries that were put in from JavaScript. */

/** Entries that were taken no longer count against the limits. */
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
  /** Bytes on disk, and entries that wait there only. */
  readonly journalBytes?: number;
  readonly spilled?: number;
  /** Milliseconds since the arrival of the oldest entry; 0: none waits. */
  oldestAgeMs?(): number;
  /** Removes up to `max` of the oldest entries and returns them, oldest first. */
  take(max: number): T[];
  /** So many of the entries taken first have been delivered or given up. */
  settle?(count: number): void;
  /** The queue ends. Returns how much of what is left, taken or not, survives on disk. */
  keep?(): number;
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
    get journalBytes() {
      return source.journalBytes ?? 0;
    },
    get spilled() {
      return source.spilled ?? 0;
    },
    speaks: source.speaks ?? false,
    oldestAgeMs: () => source.oldestAgeMs?.() ?? 0,
    settle: (count) => source.settle?.(count),
    keep: () => source.keep?.() ?? 0,
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
