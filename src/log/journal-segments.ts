/** What a journal reads: its segments at the start, and entries that wait on disk only. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { decodeRecord, type JournalRecord, RecordKind } from './journal-record.js';

export interface Segment {
  readonly path: string;
  bytes: number;
  /** Highest entry id in it, 0: none. */
  lastId: number;
}

/** Where the next record is read: a segment by its path, and an offset. */
export interface JournalPlace {
  readonly path: string;
  readonly offset: number;
}

const namePattern = /^(\d{15})\.journal$/;

export interface FoundJournal {
  readonly segments: Segment[];
  /** Every entry up to this id is done with. */
  readonly settled: number;
  readonly nextId: number;
  /** Entries behind `settled`, and where the first of them lies. */
  readonly count: number;
  readonly place: JournalPlace | null;
}

/** Finds segments and the highest settled id, then what lies behind it. */
export function readFolder(folder: string, warn: (message: string) => void): FoundJournal {
  const segments: Segment[] = [];
  let settled = 0;
  let nextId = 1;
  const names = fs.readdirSync(folder).filter((name) => namePattern.test(name));
  for (const name of names.sort()) {
    const segment: Segment = { path: join(folder, name), bytes: 0, lastId: 0 };
    const { bytes, end } = walk(segment.path, ({ kind, id }) => {
      if (kind === RecordKind.SETTLED) settled = Math.max(settled, id);
      else segment.lastId = id;
    });
    segment.bytes = bytes;
    if (end < bytes) warn(`${name}: ${bytes - end} bytes at its end are incomplete and left out`);
    nextId = Math.max(nextId, segment.lastId + 1, Number(namePattern.exec(name)?.[1]) + 1);
    segments.push(segment);
  }
  nextId = Math.max(nextId, settled + 1);
  return { segments, settled, nextId, ...unsettled(segments, settled) };
}

function unsettled(segments: readonly Segment[], settled: number) {
  let count = 0;
  let place: JournalPlace | null = null;
  for (const { path, lastId } of segments) {
    if (lastId <= settled) continue;
    walk(path, ({ kind, id }, offset) => {
      if (kind === RecordKind.SETTLED || id <= settled) return;
      count++;
      place ??= { path, offset };
    });
  }
  return { count, place };
}

/** Every whole record of a file; `end` is where the first bad one begins. */
function walk(
  path: string,
  see: (record: JournalRecord, offset: number) => void,
): { bytes: number; end: number } {
  const file = readOrEmpty(path);
  let end = 0;
  for (let record = decodeRecord(file, 0); record; record = decodeRecord(file, end)) {
    see(record, end);
    end = record.end;
  }
  return { bytes: file.length, end };
}

/** Entries from a place on, at most `max`; `next` is null at the journal's end. */
export function readRecords(
  segments: readonly Segment[],
  place: JournalPlace,
  max: number,
): { records: JournalRecord[]; next: JournalPlace | null } {
  const records: JournalRecord[] = [];
  // The segment of the place may be gone: everything in it was settled.
  let index = segments.findIndex(({ path }) => path >= place.path);
  let offset = segments[index]?.path === place.path ? place.offset : 0;
  for (; index >= 0 && index < segments.length; index++, offset = 0) {
    const { path } = segments[index];
    const file = readOrEmpty(path);
    let record = decodeRecord(file, offset);
    for (; record; record = decodeRecord(file, offset)) {
      offset = record.end;
      if (record.kind !== RecordKind.SETTLED) records.push(record);
      if (records.length >= max) return { records, next: { path, offset } };
    }
    if (index === segments.length - 1) return { records, next: { path, offset } };
  }
  return { records, next: null };
}

/** The whole file; nothing where there is none. */
export function readOrEmpty(path: string): Buffer {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** A new file survives a power failure only when its folder has been written, too. */
export function syncFolder(folder: string): void {
  const handle = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}
