/**
 * What metrics need of a log record: numbers and who took part, in the places where Kong's log
 * record has them. Heads are not looked at, which are most of the work of a whole record.
 */
import type { Consumer, Route, Service } from '../config/model.js';
import { LogFlag, LogRecord } from '../core/layout.js';
import type { LogEntry } from '../plugin/log-types.js';
import type { LogResolver } from './entry.js';
import { requestNotes } from './notes.js';

/** Times in milliseconds, sizes in bytes of heads and bodies. */
export interface MetricRecord extends LogEntry {
  readonly route: Route | null;
  readonly service: Service | null;
  readonly consumer: Consumer | null;
  readonly request: { readonly size: number };
  readonly response: { readonly size: number; readonly status: number };
  /** `proxy` -1: not proxied. */
  readonly latencies: { readonly kong: number; readonly proxy: number; readonly request: number };
  readonly workspace_name: string;
  readonly source: 'upstream' | 'kong';
}

const none = 0xffffffff;

export function decodeMetricRecord(record: Buffer, resolver: LogResolver): MetricRecord {
  const u32 = (offset: number) => record.readUInt32LE(offset);
  const generation = u32(LogRecord.generation);
  const route = resolver.route(generation, u32(LogRecord.route));
  const isOurs =
    u32(LogRecord.upstreamStatus) === 0 || (u32(LogRecord.flags) & LogFlag.LOCAL) !== 0;
  const upstreamMs = u32(LogRecord.upstreamMs);
  return {
    route,
    service: route?.service ?? null,
    consumer: consumerOf(record, generation, resolver),
    request: { size: record.readDoubleLE(LogRecord.requestBytes) },
    response: {
      size: record.readDoubleLE(LogRecord.responseBytes),
      status: u32(LogRecord.status),
    },
    latencies: {
      kong: u32(LogRecord.gatewayMs),
      proxy: upstreamMs === none ? -1 : upstreamMs,
      request: u32(LogRecord.requestMs),
    },
    workspace_name: resolver.workspace.name,
    source: isOurs ? 'kong' : 'upstream',
  };
}

function consumerOf(record: Buffer, generation: number, resolver: LogResolver): Consumer | null {
  const number = record.readUInt32LE(LogRecord.credential);
  if (number !== 0) return resolver.credential?.(generation, number - 1)?.consumer ?? null;
  if (requestNotes.size === 0) return null;
  const id = record.latin1Slice(LogRecord.requestId, LogRecord.requestId + 32);
  return requestNotes.find(id)?.consumer ?? null;
}
