/**
 * Records of a queue's journal. A file is a run of them; one that does not check ends the file, as
 * what a crash tore does.
 *
 *   record   +0 magic and kind (u32)   +4 size (u32)   +8 CRC-32 (u32)   +12 zero (u32)
 *            +16 entry id (f64)   +24 bytes
 *
 * The CRC covers kind, size, id and bytes.
 */
import { crc32 } from 'node:zlib';

export const recordHeadBytes = 24;
/** Larger sizes are taken for damage. */
export const recordBytesMax = 64 * 1024 * 1024;
const magic = 0x48474a00;

/** `SETTLED`: every entry up to this id was delivered, given up or dropped. */
export const RecordKind = { TEXT: 1, BYTES: 2, JSON: 3, SETTLED: 9 } as const;

export interface JournalRecord {
  readonly kind: number;
  readonly id: number;
  readonly data: Buffer;
  /** Where the next record begins. */
  readonly end: number;
}

export function encodeRecord(kind: number, id: number, data: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(recordHeadBytes + data.byteLength);
  record.writeUInt32LE(magic | kind, 0);
  record.writeUInt32LE(data.byteLength, 4);
  record.writeUInt32LE(0, 12);
  record.writeDoubleLE(id, 16);
  record.set(data, recordHeadBytes);
  record.writeUInt32LE(checksum(record), 8);
  return record;
}

/** The record at `at`, null: the file ends here or is damaged here. */
export function decodeRecord(file: Buffer, at: number): JournalRecord | null {
  if (at + recordHeadBytes > file.length) return null;
  const first = file.readUInt32LE(at);
  const size = file.readUInt32LE(at + 4);
  const end = at + recordHeadBytes + size;
  if ((first & 0xffffff00) !== magic || size > recordBytesMax || end > file.length) return null;
  const record = file.subarray(at, end);
  if (checksum(record) !== record.readUInt32LE(8)) return null;
  return {
    kind: first & 0xff,
    id: record.readDoubleLE(16),
    data: record.subarray(recordHeadBytes),
    end,
  };
}

function checksum(record: Buffer): number {
  return crc32(record.subarray(16), crc32(record.subarray(0, 8)));
}

/** The form of a queue entry on disk; null: it has none. */
export function encodeEntry(entry: unknown): { kind: number; data: Uint8Array } | null {
  if (typeof entry === 'string') return { kind: RecordKind.TEXT, data: Buffer.from(entry) };
  if (entry instanceof Uint8Array) return { kind: RecordKind.BYTES, data: entry };
  try {
    const text = JSON.stringify(entry);
    return text === undefined ? null : { kind: RecordKind.JSON, data: Buffer.from(text) };
  } catch {
    return null;
  }
}

export function decodeEntry({ kind, data }: JournalRecord): unknown {
  if (kind === RecordKind.BYTES) return Buffer.from(data);
  const text = data.toString('utf8');
  return kind === RecordKind.TEXT ? text : JSON.parse(text);
}
