/** Kong's zipkin: traces requests and sends their spans to a Zipkin server (JSON v2). */
import { GatewayError } from '../../errors.js';
import { queueField, queueParameters } from '../../log/params.js';
import { HttpSink } from '../../log/sink/http.js';
import { nodeId } from '../../product.js';
import { randomId, type TraceContext } from '../../trace/context.js';
import { extract } from '../../trace/extract.js';
import { type Decision, propagate, showTraceId } from '../../trace/propagate.js';
import { headerTypeField, propagationField, propagationOf } from '../../trace/propagation.js';
import { decodeTraceRecord, sampledRecords } from '../../trace/record.js';
import { type ZipkinConfig, zipkinSpans } from '../../trace/zipkin-spans.js';
import { definePlugin } from '../define.js';

const name = 'zipkin';
const sink = new HttpSink();
const keepaliveMs = 60_000;

/** Tags that only the plugin itself sets. */
const protectedTags = [
  'error',
  'http.method',
  'http.path',
  'http.status_code',
  'kong.balancer.state',
  'kong.balancer.try',
  'kong.consumer',
  'kong.credential',
  'kong.node.id',
  'kong.route',
  'kong.service',
  'lc',
  'peer.hostname',
];
const formats = ['b3', 'b3-single', 'w3c', 'jaeger', 'ot', 'aws', 'datadog', 'gcp', 'instana'];
const timeout = (fallback: number) =>
  ({
    type: 'integer',
    between: [0, 2147483646],
    default: fallback,
    description: 'Milliseconds.',
  }) as const;

const schema = {
  fields: {
    local_service_name: { type: 'string', required: true, default: 'kong' },
    http_endpoint: { type: 'string', format: 'url', description: 'Absent: nothing is sent.' },
    sample_ratio: {
      type: 'number',
      between: [0, 1],
      default: 0.001,
      description: 'Share of the requests that come without a decision.',
    },
    default_service_name: { type: 'string', description: 'Name of peers that have none.' },
    include_credential: { type: 'boolean', required: true, default: true },
    traceid_byte_count: { type: 'integer', required: true, one_of: [8, 16], default: 16 },
    header_type: { ...headerTypeField, required: true },
    default_header_type: {
      type: 'string',
      required: true,
      one_of: formats,
      default: 'b3',
      description: 'Older form of `propagation.default_format`.',
    },
    tags_header: {
      type: 'string',
      required: true,
      default: 'Zipkin-Tags',
      description: 'Request header with further tags, `a=b; c=d`.',
    },
    static_tags: {
      type: 'array',
      description: 'Tags of every request span.',
      elements: {
        type: 'record',
        fields: {
          name: { type: 'string', required: true, not_one_of: protectedTags },
          value: { type: 'string', required: true },
        },
      },
    },
    http_span_name: {
      type: 'string',
      required: true,
      one_of: ['method', 'method_path'],
      default: 'method',
    },
    connect_timeout: timeout(2000),
    send_timeout: timeout(5000),
    read_timeout: timeout(5000),
    http_response_header_for_traceid: { type: 'string', format: 'header_name' },
    phase_duration_flavor: {
      type: 'string',
      required: true,
      one_of: ['annotations', 'tags'],
      default: 'annotations',
    },
    queue: queueField,
    propagation: propagationField('b3'),
  },
  check: repeatedTags,
} as const;

interface Config extends ZipkinConfig {
  readonly [field: string]: unknown;
  readonly http_endpoint: string | null;
  readonly sample_ratio: number | null;
  readonly traceid_byte_count: number;
  readonly connect_timeout: number | null;
  readonly read_timeout: number | null;
  readonly queue?: object | null;
}

export default definePlugin({
  name,
  version: '3.10.0',
  priority: 100000,
  schema,
  access(ctx) {
    const { config } = ctx;
    propagate(ctx, name, propagationOf(config), (context) => decide(context, config));
  },
  headerFilter(ctx) {
    showTraceId(ctx, name, ctx.config.http_response_header_for_traceid);
  },
  logSink: {
    queue: (config, warn) => queueParameters(config, warn),
    decode: (record, resolver, config) =>
      decodeTraceRecord(name, record, resolver, (source) => {
        const { context } = extract(source, propagationOf(config).extract);
        return decide(context, config).note;
      }),
    send: (batch, config: Config, signal, warn) => {
      const spans = sampledRecords(batch).flatMap((one) => zipkinSpans(one, config, nodeId, warn));
      return send(spans, config, signal);
    },
    close: () => sink.close(),
  },
});

/** Ids as B3 wants them: where both sides share a span, the sender's is ours. */
function decide(
  context: TraceContext,
  config: Pick<Config, 'sample_ratio' | 'traceid_byte_count'>,
): Decision {
  const sampled = context.sampled ?? Math.random() < (config.sample_ratio ?? 0);
  const bytes = config.traceid_byte_count === 8 ? 8 : 16;
  const isNew = context.traceId === null;
  const traceId = context.traceId ?? randomId(bytes);
  const shared = context.reuseSpanId;
  const spanId = (shared ? context.spanId : null) ?? randomId(8);
  const parentId = shared ? context.parentId : context.spanId;
  const upstreamSpanId = randomId(8);
  return {
    note: { traceId, spanId, parentId, upstreamSpanId, sampled },
    injected: {
      traceId,
      traceIdBytes: isNew ? bytes : context.traceIdBytes,
      spanId: upstreamSpanId,
      parentId: spanId,
      sampled,
      flags: context.flags,
      baggage: context.baggage,
    },
  };
}

async function send(spans: readonly object[], config: Config, signal: AbortSignal): Promise<void> {
  if (spans.length === 0 || !config.http_endpoint) return;
  const url = new URL(config.http_endpoint);
  const { status } = await sink.exchange(
    {
      url,
      path: url.pathname + url.search,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(spans),
      timeouts: {
        connectMs: config.connect_timeout ?? 2000,
        readMs: config.read_timeout ?? 5000,
        keepaliveMs,
      },
      signal,
    },
    'zipkin request failed: ',
  );
  if (status >= 200 && status < 300) return;
  const message = `zipkin server responded unexpectedly: ${status}`;
  throw new GatewayError('GW_E_SUBMIT', message);
}

function repeatedTags(config: Readonly<Record<string, unknown>>): Record<string, string> {
  const tags = (config.static_tags ?? []) as readonly { readonly name: string }[];
  const names = tags.map((tag) => tag.name);
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  return twice === undefined ? {} : { static_tags: `repeated tags are not allowed: ${twice}` };
}
