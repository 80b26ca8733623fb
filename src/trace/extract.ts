/**
 * Reads the trace context of a request in the formats that Kong knows. What is malformed is warned
 * about and ignored: a client cannot make a request fail by what it says about traces.
 */
import { emptyContext, sized, type TraceContext } from './context.js';
import { extractB3 } from './extract-b3.js';

export const extractFormats = [
  'w3c',
  'b3',
  'jaeger',
  'ot',
  'aws',
  'datadog',
  'gcp',
  'instana',
] as const;
export type ExtractFormat = (typeof extractFormats)[number];

export interface HeaderSource {
  /** First value of a request header; null where it is absent. */
  readonly header: (name: string) => string | null;
  /** Every header by lower-case name, for baggage. */
  readonly headers: () => Readonly<Record<string, string | string[]>>;
  readonly warn: (message: string) => void;
}

/** The context of the first format that says something, and which one it was. */
export function extract(
  source: HeaderSource,
  formats: readonly ExtractFormat[],
): { readonly context: TraceContext; readonly format: ExtractFormat | null } {
  for (const format of formats) {
    const context = extractors[format](source);
    if (context) return { context, format };
  }
  return { context: emptyContext, format: null };
}

const extractors: Readonly<Record<ExtractFormat, (from: HeaderSource) => TraceContext | null>> = {
  b3: extractB3,
  w3c,
  jaeger,
  ot,
  aws,
  datadog,
  gcp,
  instana,
};

const isZero = (id: string) => /^0*$/.test(id);

/** `traceparent` (W3C Trace Context 3.2), version 00 only. */
function w3c({ header, warn }: HeaderSource): TraceContext | null {
  const value = header('traceparent');
  if (value === null || value === '') return null;
  const match = /^([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]+)$/i.exec(value);
  const [, version = '', traceId = '', spanId = '', flags = ''] = match ?? [];
  const fault = !match
    ? 'traceparent header'
    : version !== '00'
      ? 'Trace Context version'
      : traceId.length !== 32 || isZero(traceId)
        ? 'trace context trace ID'
        : spanId.length !== 16 || isZero(spanId)
          ? 'trace context parent ID'
          : flags.length !== 2
            ? 'trace context flags'
            : null;
  if (fault !== null) {
    warn(`invalid W3C ${fault}; ignoring.`);
    return null;
  }
  const sampled = Number.parseInt(flags, 16) % 2 === 1;
  return given(traceId, spanId, { sampled });
}

/** `uber-trace-id`: trace:span:parent:flags. */
function jaeger(source: HeaderSource): TraceContext | null {
  const { header, warn } = source;
  const value = header('uber-trace-id');
  if (value === null || value === '') return null;
  const match = /^([0-9a-f]+):([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)$/i.exec(value);
  const [, traceId = '', spanId = '', parentId = '', flags = ''] = match ?? [];
  const fault = !match
    ? 'uber-trace-id header'
    : traceId.length > 32 || isZero(traceId)
      ? 'trace ID'
      : spanId.length > 16 || isZero(spanId)
        ? 'span ID'
        : flags.length > 2
          ? 'flags'
          : null;
  if (fault !== null) {
    warn(`invalid jaeger ${fault}; ignoring.`);
    return null;
  }
  return given(traceId, spanId, {
    parentId: isZero(parentId) ? null : sized(parentId.toLowerCase(), 8),
    reuseSpanId: true,
    sampled: Number.parseInt(flags, 16) % 2 === 1,
    baggage: baggageOf(source, 'uberctx-'),
  });
}

/** The three headers of OpenTracing's basic tracers. */
function ot(source: HeaderSource): TraceContext | null {
  const { header, warn } = source;
  const names = ['ot-tracer-traceid', 'ot-tracer-spanid', 'ot-tracer-sampled'] as const;
  const [traceId, spanId, decision] = names.map(header);
  if (traceId === null && spanId === null && decision === null) return null;
  const sampled = truth(decision);
  if (decision !== null && sampled === null) warn('ot-tracer-sampled header invalid; ignoring.');
  const validTrace = traceId === null || /^(?:[0-9a-f]{16}){1,2}$/i.test(traceId);
  const validSpan = spanId === null || /^[0-9a-f]{16}$/i.test(spanId);
  if (!validTrace) warn('ot-tracer-traceid header invalid; ignoring.');
  if (!validSpan) warn('ot-tracer-spanid header invalid; ignoring.');
  const baggage = baggageOf(source, 'ot-baggage-');
  if (traceId === null || !validTrace || !validSpan) return decided(sampled, baggage);
  return given(traceId, spanId, { sampled, baggage });
}

/** `X-Amzn-Trace-Id`: Root=1-time-id;Parent=id;Sampled=0. */
function aws({ header, warn }: HeaderSource): TraceContext | null {
  const value = header('x-amzn-trace-id');
  if (value === null) return null;
  let traceId: string | null = null;
  let spanId: string | null = null;
  let sampled: boolean | null = null;
  for (const part of value.split(';')) {
    const [name = '', text = ''] = part.split('=', 2).map((piece) => piece.trim());
    if (name === 'Root') {
      const match = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/i.exec(text);
      if (!match) return ignored(warn, 'trace id');
      traceId = match[1] + match[2];
    } else if (name === 'Parent') {
      if (!/^[0-9a-f]{16}$/i.test(text)) return ignored(warn, 'parent id');
      spanId = text;
    } else if (name === 'Sampled') {
      if (text !== '0' && text !== '1') return ignored(warn, 'sampled flag');
      sampled = text === '1';
    }
  }
  return traceId === null ? decided(sampled) : given(traceId, spanId, { sampled });
}

function ignored(warn: (message: string) => void, what: string): null {
  warn(`invalid aws header ${what}; ignoring.`);
  return null;
}

/** Decimal ids in three headers. */
function datadog({ header, warn }: HeaderSource): TraceContext | null {
  const priority = header('x-datadog-sampling-priority');
  const decisions = new Map([
    ['1', true],
    ['2', true],
    ['0', false],
    ['-1', false],
  ]);
  const sampled = priority === null ? null : decisions.get(priority);
  if (sampled === undefined) {
    warn('x-datadog-sampling-priority header invalid; ignoring.');
    return null;
  }
  const decimal = (name: string): string | null => {
    const value = header(name);
    const digits = value === null ? null : /^\s*(\d{1,40})\s*$/.exec(value)?.[1];
    if (digits === undefined) warn(`${name} header invalid; ignoring.`);
    return digits ? BigInt(digits).toString(16) : null;
  };
  const traceId = decimal('x-datadog-trace-id');
  const spanId = decimal('x-datadog-parent-id');
  return traceId === null ? decided(sampled) : given(traceId, spanId, { sampled });
}

/** `X-Cloud-Trace-Context`: trace/decimal span;o=1. */
function gcp({ header, warn }: HeaderSource): TraceContext | null {
  const value = header('x-cloud-trace-context');
  if (value === null) return null;
  const match = /^([0-9a-f]{32})\/(\d{1,20})(?:;o=(\d))?$/.exec(value);
  if (match) return given(match[1], BigInt(match[2]).toString(16), { sampled: match[3] === '1' });
  warn('invalid GCP header; ignoring.');
  return null;
}

/** `X-INSTANA-T`, `-S` and `-L`; a level may carry a correlation behind a comma. */
function instana({ header, warn }: HeaderSource): TraceContext | null {
  const [traceId, spanId] = [header('x-instana-t'), header('x-instana-s')];
  const level = header('x-instana-l')?.split(',', 1)[0].trim() ?? null;
  const sampled = level === '1' ? true : level === '0' ? false : null;
  if (traceId === null) return decided(sampled);
  const valid = /^(?:[0-9a-f]{16}){1,2}$/i.test(traceId);
  if (valid && (spanId === null || /^[0-9a-f]{16}$/i.test(spanId))) {
    return given(traceId, spanId, { sampled });
  }
  warn('x-instana-t or x-instana-s header invalid; ignoring.');
  return decided(sampled);
}

function given(traceId: string, spanId: string | null, more: Partial<TraceContext>): TraceContext {
  return {
    ...emptyContext,
    traceId: sized(traceId.toLowerCase(), 16),
    traceIdBytes: Math.ceil(traceId.length / 2),
    spanId: spanId === null ? null : sized(spanId.toLowerCase(), 8),
    ...more,
  };
}

/** A decision without ids; null where there is none either. */
function decided(
  sampled: boolean | null,
  baggage: TraceContext['baggage'] = null,
): TraceContext | null {
  return sampled === null ? null : { ...emptyContext, sampled, baggage };
}

function truth(text: string | null): boolean | null {
  if (text === '1' || text === 'true') return true;
  return text === '0' || text === 'false' ? false : null;
}

function baggageOf({ headers }: HeaderSource, prefix: string): Map<string, string> | null {
  let baggage: Map<string, string> | null = null;
  for (const [name, value] of Object.entries(headers())) {
    if (!name.startsWith(prefix)) continue;
    baggage ??= new Map();
    baggage.set(name.slice(prefix.length), Array.isArray(value) ? value[0] : value);
  }
  return baggage;
}
