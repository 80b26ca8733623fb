/** What is counted of a queue, and how its name may be shown. */
import type { EntrySource } from './source.js';

/** Counters of entries since the start; `retried` counts attempts. */
export interface QueueCounters {
  delivered: number;
  /** Dropped for newer ones, or refused for their size. */
  dropped: number;
  retried: number;
  /** Given up, and left when the queue was ended. */
  lost: number;
  /** Left in the journal when the queue was ended: the next start delivers them. */
  kept: number;
}

export interface QueueMetrics extends Readonly<QueueCounters> {
  readonly name: string;
  /** Entries and bytes waiting. */
  readonly entries: number;
  readonly bytes: number;
  /** Entries handed to the handler and not yet delivered or given up. */
  readonly inFlight: number;
  /** Age of the oldest entry that waits or is in flight; 0: there is none. */
  readonly ageSeconds: number;
  /** Bytes on disk, where the queue has a journal. */
  readonly journalBytes: number;
  /** Entries that wait on disk only. */
  readonly spilled: number;
}

/** What a row says of the place where entries wait. */
type QueueDepth = Pick<
  EntrySource<unknown>,
  'count' | 'bytes' | 'refused' | 'journalBytes' | 'spilled'
>;

export function emptyCounters(): QueueCounters {
  return { delivered: 0, dropped: 0, retried: 0, lost: 0, kept: 0 };
}

/** A row of a queue; without a source, of one that has nothing and exists no more. */
export function queueMetrics(
  name: string,
  source: QueueDepth | null,
  inFlight: number,
  ageMs: number,
  counters: QueueCounters,
): QueueMetrics {
  return {
    name: withoutUserInfo(name),
    entries: source?.count ?? 0,
    bytes: source?.bytes ?? 0,
    inFlight,
    ageSeconds: Math.max(0, ageMs) / 1000,
    ...counters,
    dropped: counters.dropped + (source?.refused ?? 0),
    journalBytes: source?.journalBytes ?? 0,
    spilled: source?.spilled ?? 0,
  };
}

/** What a log line about a queue begins with. */
export function queueLabel(name: string, tag = ''): string {
  return `[${tag}] queue ${withoutUserInfo(name)}: `;
}

/** Queue names may be URLs; what stands before the `@` of one is a secret. */
function withoutUserInfo(name: string): string {
  return name.replace(/\/\/[^@/]*@/, '//***@');
}
