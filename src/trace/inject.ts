/** Writes a trace context into request headers, in the formats that Kong knows. */
import { sized } from './context.js';
import { extractFormats } from './extract.js';

export const injectFormats = [...extractFormats, 'b3-single'] as const;
export type InjectFormat = (typeof injectFormats)[number];

/** The span that the upstream continues. */
export interface InjectedSpan {
  readonly traceId: string;
  readonly traceIdBytes: number | null;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly sampled: boolean;
  readonly flags: string | null;
  readonly baggage: ReadonlyMap<string, string> | null;
}

/** Headers to set, and the trace id as the format shows it, for the log record's `trace_id`. */
export interface Injection {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly shownId: string;
  /** Key of the id in the record. */
  readonly shownAs: string;
}

/** Sizes of trace ids in bytes; the first is taken where the given one is not among them. */
const sizes: Readonly<Record<InjectFormat, readonly number[]>> = {
  w3c: [16],
  b3: [16, 8],
  'b3-single': [16, 8],
  jaeger: [16, 8],
  ot: [8, 16],
  aws: [16],
  datadog: [8],
  gcp: [16],
  instana: [16, 8],
};

export function inject(span: InjectedSpan, format: InjectFormat): Injection {
  const allowed = sizes[format];
  const { traceIdBytes } = span;
  const bytes = traceIdBytes !== null && allowed.includes(traceIdBytes) ? traceIdBytes : allowed[0];
  const id = sized(span.traceId, bytes);
  const headers = headersOf[format](span, id);
  const shownId = format === 'datadog' ? decimal(id) : id;
  return { headers, shownId, shownAs: format === 'b3-single' ? 'b3' : format };
}

type Headers = (readonly [string, string])[];

const headersOf: Readonly<Record<InjectFormat, (span: InjectedSpan, id: string) => Headers>> = {
  w3c: ({ spanId, sampled }, id) => [['traceparent', `00-${id}-${spanId}-0${bit(sampled)}`]],
  b3: ({ spanId, parentId, sampled, flags }, id) => [
    ['x-b3-traceid', id],
    ['x-b3-spanid', spanId],
    ...(parentId === null ? [] : ([['x-b3-parentspanid', parentId]] as Headers)),
    flags === null ? ['x-b3-sampled', bit(sampled)] : ['x-b3-flags', flags],
  ],
  'b3-single': ({ spanId, parentId, sampled, flags }, id) => {
    const decision = flags === '1' ? 'd' : bit(sampled);
    return [['b3', [id, spanId, decision, parentId].filter((part) => part !== null).join('-')]];
  },
  jaeger: ({ spanId, parentId, sampled, baggage }, id) => [
    ['uber-trace-id', `${id}:${spanId}:${parentId ?? '0'}:0${bit(sampled)}`],
    ...baggageHeaders('uberctx-', baggage),
  ],
  ot: ({ spanId, sampled, baggage }, id) => [
    ['ot-tracer-traceid', id],
    ['ot-tracer-spanid', spanId],
    ['ot-tracer-sampled', bit(sampled)],
    ...baggageHeaders('ot-baggage-', baggage),
  ],
  aws: ({ spanId, sampled }, id) => {
    const root = `1-${id.slice(0, 8)}-${id.slice(8)}`;
    return [['x-amzn-trace-id', `Root=${root};Parent=${spanId};Sampled=${bit(sampled)}`]];
  },
  datadog: ({ spanId, sampled }, id) => [
    ['x-datadog-trace-id', decimal(id)],
    ['x-datadog-parent-id', decimal(spanId)],
    ['x-datadog-sampling-priority', bit(sampled)],
  ],
  gcp: ({ spanId, sampled }, id) => [
    ['x-cloud-trace-context', `${id}/${decimal(spanId)};o=${bit(sampled)}`],
  ],
  instana: ({ spanId, sampled }, id) => [
    ['x-instana-t', id],
    ['x-instana-s', spanId],
    ['x-instana-l', bit(sampled)],
  ],
};

const bit = (sampled: boolean): string => (sampled ? '1' : '0');
const decimal = (id: string): string => BigInt(`0x${id}`).toString();

/** Values arrived as header values; they leave as they came. */
function baggageHeaders(prefix: string, baggage: InjectedSpan['baggage']): Headers {
  return [...(baggage ?? [])].map(([name, value]) => [prefix + name, value] as const);
}
