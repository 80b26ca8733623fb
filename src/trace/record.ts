/** What span builders read: the log record of a request and the trace that it belongs to. */

import { readAddress } from '../core/address.js';
import { LogRecord } from '../core/layout.js';
import {
  decodeLogRecord,
  type HttpLogEntry,
  type LogResolver,
  type TryEntry,
} from '../log/entry.js';
import { requestNotes } from '../log/notes.js';
import type { LogEntry } from '../plugin/log-types.js';
import { randomId } from './context.js';
import type { HeaderSource } from './extract.js';
import { type SpanNote, spansOf } from './plugin-spans.js';

/** The spans' ids as the access phase chose them; the sampler said yes. */
export interface TraceNote {
  readonly traceId: string;
  /** The span of the request, and its parent. */
  readonly spanId: string;
  readonly parentId: string | null;
  /** The span that the upstream continues. */
  readonly upstreamSpanId: string;
  readonly sampled: boolean;
  /** Which further spans are made; all of them where absent. */
  readonly kinds?: { readonly router: boolean; readonly balancer: boolean };
}

/** Times are epoch milliseconds with fraction. */
export interface TraceRecord extends LogEntry {
  readonly note: TraceNote;
  readonly entry: LogEntry;
  /** `HTTP/1.1` */
  readonly protocol: string;
  readonly peerIp: string;
  readonly peerPort: number;
  readonly startMs: number;
  /** The upstream was chosen, or the answer of the gateway is there. */
  readonly chosenMs: number;
  /** The answer's head is there. */
  readonly headMs: number;
  readonly endMs: number;
  readonly tries: readonly TryEntry[];
  /** Ids of spans that nobody outside knows, so that a repetition sends the same ones. */
  readonly ids: string[];
  readonly consumer: { readonly id: string } | null;
  readonly credential: { readonly id: string | null } | null;
  /** Of plugins. */
  readonly spans: readonly SpanNote[];
}

/** Stands for every record whose trace is not sampled. */
export const unsampled: LogEntry = Object.freeze({});

/** The id of a record's further span number `index`. */
export function spareId({ ids }: TraceRecord, index: number): string {
  ids[index] ??= randomId(8);
  return ids[index];
}

/** The entries of a batch that spans are made of. */
export function sampledRecords(batch: readonly LogEntry[]): TraceRecord[] {
  return batch.filter((entry): entry is TraceRecord => 'note' in entry);
}

/**
 * Decodes a record of the core for the sink of `plugin`; `unsampled` costs next to nothing.
 * @param decide makes the note of a request that never reached the access phase, from its headers
 */
export function decodeTraceRecord(
  plugin: string,
  record: Buffer,
  resolver: LogResolver,
  decide: (source: HeaderSource) => TraceNote,
): LogEntry {
  const idEnd = Math.min(LogRecord.requestId + 32, record.length);
  const notes = requestNotes.find(record.toString('latin1', LogRecord.requestId, idEnd));
  const known = notes?.own.get(plugin) as TraceNote | undefined;
  if (known && !known.sampled) return unsampled;
  const entry = decodeLogRecord(record, resolver);
  const note = known ?? decide(headersOf(entry));
  if (!note.sampled) return unsampled;
  const startMs = record.readDoubleLE(LogRecord.startWallMs);
  const endMs = startMs + record.readUInt32LE(LogRecord.requestMs);
  const chosenMs = startMs + record.readUInt32LE(LogRecord.gatewayMs);
  const headMs = entry.latencies.proxy < 0 ? chosenMs : chosenMs + entry.latencies.proxy;
  const made: TraceRecord = {
    note,
    entry,
    protocol: protocolOf(record),
    peerIp: readAddress(record, LogRecord.peerAddress),
    peerPort: record.readUInt32LE(LogRecord.peerPort),
    startMs,
    chosenMs,
    headMs: Math.min(headMs, endMs),
    endMs,
    tries: entry.tries ?? [],
    ids: [],
    consumer: notes?.consumer ?? null,
    credential: notes?.credential ?? null,
    spans: spansOf(notes?.own),
  };
  return made;
}

function headersOf(entry: HttpLogEntry): HeaderSource {
  const { headers } = entry.request;
  return {
    header: (name) => [headers[name]].flat()[0] ?? null,
    headers: () => headers,
    warn: () => {},
  };
}

function protocolOf(record: Buffer): string {
  const from = LogRecord.size;
  const end = record.indexOf('\r\n', from, 'latin1');
  if (end < 0) return '';
  const line = record.toString('latin1', Math.max(from, end - 8), end);
  return line.startsWith('HTTP/') ? line : '';
}
