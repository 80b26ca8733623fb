/**
 * Kong's opentelemetry: sends the spans of requests, and the gateway's own log lines, to a
 * collector (OTLP over HTTP, protobuf).
 */
import { GatewayError } from '../../errors.js';
import { decodeLogRecord, type HttpLogEntry } from '../../log/entry.js';
import { lineTap, type TappedLine } from '../../log/line-tap.js';
import { requestNotes } from '../../log/notes.js';
import { type QueueConfig, queueField, queueParameters } from '../../log/params.js';
import { HttpSink } from '../../log/sink/http.js';
import { randomId, sampledById, type TraceContext } from '../../trace/context.js';
import { extract } from '../../trace/extract.js';
import { otelLogs } from '../../trace/otel-logs.js';
import { type ResourceAttributes, Resources, templateFault } from '../../trace/otel-resource.js';
import { otelSpans } from '../../trace/otel-spans.js';
import { loadOtlp, type Otlp } from '../../trace/otlp.js';
import { type Decision, propagate, showTraceId } from '../../trace/propagate.js';
import { headerTypeField, propagationField, propagationOf } from '../../trace/propagation.js';
import {
  decodeTraceRecord,
  sampledRecords,
  type TraceNote,
  unsampled,
} from '../../trace/record.js';
import { isTraced, tracingOf } from '../../trace/settings.js';
import { definePlugin } from '../define.js';
import type { LogEntry, LogSink } from '../log-types.js';

const name = 'opentelemetry';
const sink = new HttpSink();
const keepaliveMs = 60_000;

const timeout = (fallback: number) =>
  ({
    type: 'integer',
    between: [0, 2147483646],
    default: fallback,
    description: 'Milliseconds.',
  }) as const;

const schema = {
  protocols: ['http', 'https', 'grpc', 'grpcs'],
  fields: {
    traces_endpoint: { type: 'string', format: 'url', description: 'Where spans go.' },
    logs_endpoint: {
      type: 'string',
      format: 'url',
      description: "Where the gateway's own log lines go.",
    },
    headers: {
      type: 'map',
      keys: { type: 'string', format: 'header_name' },
      values: { type: 'string', encrypted: true },
      description: 'Further request fields.',
    },
    resource_attributes: {
      type: 'map',
      keys: { type: 'string', required: true },
      values: { type: 'string', required: true, check: templateFault },
      description: 'Attributes of the resource; `$(headers.x)` is a value of the request.',
    },
    queue: { ...queueField, default: { max_batch_size: 200 } },
    batch_span_count: { type: 'integer', description: 'Older name of queue.max_batch_size.' },
    batch_flush_delay: {
      type: 'integer',
      description: 'Older name of queue.max_coalescing_delay.',
    },
    connect_timeout: timeout(1000),
    send_timeout: timeout(5000),
    read_timeout: timeout(5000),
    http_response_header_for_traceid: { type: 'string', format: 'header_name' },
    header_type: headerTypeField,
    sampling_rate: {
      type: 'number',
      between: [0, 1],
      description: 'Share of the traces, instead of the setting `tracing_sampling_rate`.',
    },
    propagation: propagationField('w3c'),
  },
  shorthand_fields: { endpoint: (value: unknown) => ({ traces_endpoint: value }) },
  at_least_one_of: ['traces_endpoint', 'logs_endpoint'],
} as const;

interface Config {
  readonly [field: string]: unknown;
  readonly traces_endpoint: string | null;
  readonly logs_endpoint: string | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly resource_attributes: ResourceAttributes;
  readonly sampling_rate: number | null;
  readonly connect_timeout: number | null;
  readonly read_timeout: number | null;
  readonly queue?: QueueConfig['queue'];
}

const resources = new WeakMap<Config, Resources>();

/** What becomes of a record on its way to the collector of logs. */
interface LoggedLines extends LogEntry {
  readonly entry: HttpLogEntry;
  readonly note: TraceNote | undefined;
  /** The request's own lines, and those that belong to no request. */
  readonly lines: readonly TappedLine[];
  readonly others: readonly TappedLine[];
}

const logsSink: LogSink<Config> = {
  suffix: 'logs',
  queue: (config) => queueParameters(config),
  decode(record, resolver): LoggedLines {
    const entry = decodeLogRecord(record, resolver);
    const { id } = entry.request;
    const note = requestNotes.find(id)?.own.get(name) as TraceNote | undefined;
    return { entry, note, lines: lineTap.take(id), others: lineTap.takeOwn() };
  },
  async send(batch, config, signal) {
    const records = batch as readonly LoggedLines[];
    if (!records.some(({ lines, others }) => lines.length + others.length > 0)) return;
    const otlp = await loadOtlp();
    const known = resourcesOf(otlp, config);
    const logs = records.flatMap(({ entry, note, lines, others }) => [
      ...otelLogs(others, known.of(entry), null),
      ...otelLogs(lines, known.of(entry), { id: entry.request.id, note }),
    ]);
    await post(config.logs_endpoint, otlp.encodeLogs(logs), config, signal);
  },
};

export default definePlugin({
  name,
  version: '3.10.0',
  priority: 14,
  schema,
  access(ctx) {
    const { config } = ctx;
    propagate(ctx, name, propagationOf(config), (context) => decide(context, config));
  },
  headerFilter(ctx) {
    showTraceId(ctx, name, ctx.config.http_response_header_for_traceid);
  },
  logSink: {
    suffix: 'traces',
    queue: (config, warn) => queueParameters(config, warn),
    decode: (record, resolver, config) => {
      if (!config.traces_endpoint) return unsampled;
      return decodeTraceRecord(name, record, resolver, (source) => {
        const { context } = extract(source, propagationOf(config).extract);
        return decide(context, config).note;
      });
    },
    async send(batch, config: Config, signal) {
      const records = sampledRecords(batch);
      if (records.length === 0) return;
      const otlp = await loadOtlp();
      const known = resourcesOf(otlp, config);
      const spans = records.flatMap((one) => otelSpans(one, known.of(one.entry)));
      await post(config.traces_endpoint, otlp.encodeTraces(spans), config, signal);
    },
    also: (config) => {
      if (!config.logs_endpoint) return [];
      lineTap.open();
      return [logsSink];
    },
    close: () => sink.close(),
  },
});

/** Ids of the root span and of the one that the upstream continues. */
function decide(context: TraceContext, config: Pick<Config, 'sampling_rate'>): Decision {
  const settings = tracingOf(config);
  const traceId = context.traceId ?? randomId(16);
  const isOn = isTraced(settings, 'request');
  const rate = config.sampling_rate ?? settings.samplingRate;
  const sampled = isOn && context.sampled !== false && sampledById(traceId, rate);
  const spanId = randomId(8);
  const parentId = context.spanId ?? context.parentId;
  const hasBalancer = isTraced(settings, 'balancer');
  const upstreamSpanId = hasBalancer ? randomId(8) : spanId;
  const { traceIdBytes, flags, baggage } = context;
  const kinds = { router: isTraced(settings, 'router'), balancer: hasBalancer };
  return {
    note: { traceId, spanId, parentId, upstreamSpanId, sampled, kinds },
    injected: {
      traceId,
      traceIdBytes,
      spanId: upstreamSpanId,
      parentId: hasBalancer ? spanId : parentId,
      sampled,
      flags,
      baggage,
    },
  };
}

function resourcesOf(otlp: Otlp, config: Config): Resources {
  let known = resources.get(config);
  if (!known) {
    known = new Resources(otlp, config.resource_attributes);
    resources.set(config, known);
  }
  return known;
}

async function post(
  endpoint: string | null,
  body: Uint8Array,
  config: Config,
  signal: AbortSignal,
): Promise<void> {
  if (!endpoint) return;
  const url = new URL(endpoint);
  const headers: Record<string, string> = { 'content-type': 'application/x-protobuf' };
  for (const [field, value] of Object.entries(config.headers ?? {})) {
    headers[field.toLowerCase()] = value;
  }
  const { status, text } = await sink.exchange(
    {
      url,
      path: url.pathname + url.search,
      method: 'POST',
      headers,
      body,
      timeouts: {
        connectMs: config.connect_timeout ?? 1000,
        readMs: config.read_timeout ?? 5000,
        keepaliveMs,
      },
      signal,
    },
    'failed to send request: ',
  );
  if (status === 200) return;
  throw new GatewayError('GW_E_SUBMIT', `response error: ${status}, body: ${text}`);
}
