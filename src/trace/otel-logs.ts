/** Log records of OpenTelemetry, made from the gateway's own log lines. */
import type { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import type { TappedLine } from '../log/line-tap.js';
import { hrTime, type OtelResource, otelScope } from './otel-spans.js';
import type { TraceNote } from './record.js';

export type OtelLog = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0][number];

/** Severity number and text by pino's level. */
const severities = new Map<number, readonly [number: number, text: string]>([
  [20, [5, 'DEBUG']],
  [30, [9, 'INFO']],
  [40, [13, 'WARN']],
  [50, [17, 'ERR']],
  [60, [21, 'ALERT']],
]);

/** Lines of a request carry its id and its trace; the gateway's own lines neither. */
export function otelLogs(
  lines: readonly TappedLine[],
  resource: OtelResource,
  request: { readonly id: string; readonly note: TraceNote | undefined } | null,
): OtelLog[] {
  const note = request?.note;
  const traceFlags = note?.sampled ? 1 : 0;
  return lines.map(({ timeMs, level, message }): OtelLog => {
    const [severityNumber, severityText] = severities.get(level) ?? [0, ''];
    const time = hrTime(timeMs);
    return {
      hrTime: time,
      hrTimeObserved: time,
      ...(note && { spanContext: { traceId: note.traceId, spanId: note.spanId, traceFlags } }),
      severityNumber,
      severityText,
      body: message,
      resource,
      instrumentationScope: otelScope,
      attributes: request ? { 'request.id': request.id } : {},
      droppedAttributesCount: 0,
    };
  });
}
