/**
 * The encoder of OTLP. It is a large dependency that only tracing needs, so it is loaded when the
 * first batch is sent.
 */
import type { OtelLog } from './otel-logs.js';
import type { OtelResource, OtelSpan } from './otel-spans.js';

export interface Otlp {
  /** An ExportTraceServiceRequest in protobuf. */
  encodeTraces(spans: OtelSpan[]): Uint8Array;
  /** An ExportLogsServiceRequest in protobuf. */
  encodeLogs(logs: OtelLog[]): Uint8Array;
  resource(attributes: Readonly<Record<string, string>>): OtelResource;
}

let loading: Promise<Otlp> | null = null;

export function loadOtlp(): Promise<Otlp> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Otlp> {
  const [transformer, resources] = await Promise.all([
    import('@opentelemetry/otlp-transformer'),
    import('@opentelemetry/resources'),
  ]);
  return {
    encodeTraces: (spans) =>
      transformer.ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array(),
    encodeLogs: (logs) =>
      transformer.ProtobufLogsSerializer.serializeRequest(logs) ?? new Uint8Array(),
    resource: (attributes) => resources.resourceFromAttributes(attributes),
  };
}
