/**
 * Spans of OpenTelemetry, made from the records of requests with the names and attributes of Kong's
 * tracer, in the form that the official encoder takes.
 */
import type { HrTime } from '@opentelemetry/api';
import type { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { SpanEvent } from './plugin-spans.js';
import { spareId, type TraceRecord } from './record.js';

export type OtelSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];
export type OtelResource = OtelSpan['resource'];

/** Kinds and status codes of the OpenTelemetry API. */
const kinds = { internal: 0, server: 1, client: 2 } as const;
const statusUnset = 0;
const statusError = 2;
export const otelScope = { name: 'kong-internal', version: '0.1.0' };

interface SpanParts {
  readonly name: string;
  readonly kind: number;
  readonly id: string;
  readonly parentId: string | null;
  readonly parentIsRemote?: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Record<string, string | number | boolean | undefined>;
  readonly events?: readonly SpanEvent[];
  readonly failed?: boolean;
}

/** The root first, then what it is made of. */
export function otelSpans(record: TraceRecord, resource: OtelResource): OtelSpan[] {
  const { startMs, chosenMs, note } = record;
  const parts: SpanParts[] = [rootParts(record)];
  if (note.kinds?.router !== false) {
    parts.push({
      name: 'kong.router',
      kind: kinds.internal,
      id: spareId(record, record.tries.length),
      parentId: note.spanId,
      startMs,
      endMs: Math.min(startMs, chosenMs),
      attributes: {},
    });
  }
  if (note.kinds?.balancer !== false) parts.push(...balancerParts(record));
  parts.push(...pluginParts(record));
  return parts.map((one) => spanOf(record, resource, one));
}

/** Spans that plugins started; what they did not end ends with the request. */
function pluginParts(record: TraceRecord): SpanParts[] {
  const { note, spans, tries, endMs } = record;
  return spans.map(({ endMs: ended, ...span }, index) => ({
    ...span,
    kind: kinds.internal,
    id: spareId(record, tries.length + 1 + index),
    parentId: note.spanId,
    endMs: ended ?? endMs,
  }));
}

function rootParts(record: TraceRecord): SpanParts {
  const { entry, note, protocol, peerIp, startMs, endMs } = record;
  const { method, url, id, headers } = entry.request as Record<string, string> & {
    headers: Record<string, string | string[]>;
  };
  const route = entry.route as { paths?: readonly string[] | null } | undefined;
  return {
    name: 'kong',
    kind: kinds.server,
    id: note.spanId,
    parentId: note.parentId,
    parentIsRemote: true,
    startMs,
    endMs,
    attributes: {
      'http.method': method,
      'http.url': url,
      'http.host': [headers.host].flat()[0],
      'http.scheme': url.slice(0, url.indexOf(':')),
      'http.flavor': protocol.replace('HTTP/', ''),
      'http.client_ip': entry.client_ip as string,
      'net.peer.ip': peerIp,
      'kong.request.id': id,
      'http.status_code': (entry.response as { status: number }).status,
      'http.route': route?.paths?.[0],
    },
  };
}

/** The last try is the span that the upstream continues. */
function balancerParts(record: TraceRecord): SpanParts[] {
  const { tries, note, entry } = record;
  const host = (entry.service as { host?: string } | undefined)?.host;
  const status = Number(entry.upstream_status);
  return tries.map((one, index) => {
    const isLast = index === tries.length - 1;
    return {
      name: 'kong.balancer',
      kind: kinds.client,
      id: isLast ? note.upstreamSpanId : spareId(record, index),
      parentId: note.spanId,
      startMs: record.chosenMs,
      endMs: isLast ? record.headMs : record.chosenMs,
      attributes: {
        try_count: index + 1,
        'net.peer.ip': one.ip,
        'net.peer.port': one.port,
        'net.peer.name': host,
        'http.status_code': one.state && isLast && status > 0 ? status : undefined,
      },
      failed: one.state !== undefined,
    };
  });
}

function spanOf(record: TraceRecord, resource: OtelResource, parts: SpanParts): OtelSpan {
  const traceId = record.note.traceId;
  const traceFlags = 1;
  const context = { traceId, spanId: parts.id, traceFlags };
  const attributes: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(parts.attributes)) {
    if (value !== undefined) attributes[name] = value;
  }
  const { parentId, parentIsRemote: isRemote } = parts;
  return {
    name: parts.name,
    kind: parts.kind,
    spanContext: () => context,
    parentSpanContext: parentId === null ? undefined : { ...context, spanId: parentId, isRemote },
    startTime: hrTime(parts.startMs),
    endTime: hrTime(parts.endMs),
    duration: hrTime(parts.endMs - parts.startMs),
    ended: true,
    status: { code: parts.failed ? statusError : statusUnset },
    attributes,
    links: [],
    events: (parts.events ?? []).map(({ name, atMs, attributes: own }) => ({
      name,
      time: hrTime(atMs),
      attributes: own,
    })),
    resource,
    instrumentationScope: otelScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
export function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor((ms - seconds * 1000) * 1e6)];
}
