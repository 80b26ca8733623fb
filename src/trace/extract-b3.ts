/** B3 propagation, single and multiple headers (openzipkin/b3-propagation). */
import { emptyContext, sized, type TraceContext } from './context.js';
import type { HeaderSource } from './extract.js';

interface Parts {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly parentId?: string;
  readonly sampled?: boolean;
  readonly flags?: string;
}

/** Both forms are read; what the single header says wins. Null: neither is there. */
export function extractB3(source: HeaderSource): TraceContext | null {
  const single = singleHeader(source);
  const one: Parts = single === null ? {} : parseSingle(single, source);
  const many = parseMultiple(source);
  const traceId = one.traceId ?? many.traceId;
  const sampled = one.sampled ?? many.sampled ?? null;
  if (traceId === undefined && sampled === null) return null;
  const flags = one.flags ?? many.flags ?? null;
  const isSingle = single !== null;
  const base = { ...emptyContext, sampled, flags, single: isSingle, reuseSpanId: true };
  if (traceId === undefined) return base;
  return {
    ...base,
    traceId: sized(traceId, 16),
    traceIdBytes: traceId.length / 2,
    spanId: one.spanId ?? many.spanId ?? null,
    parentId: one.parentId ?? many.parentId ?? null,
  };
}

function singleHeader(source: HeaderSource): string | null {
  return source.header('b3') ?? /^b3=(.+)$/.exec(source.header('tracestate') ?? '')?.[1] ?? null;
}

function parseSingle(value: string, { warn }: HeaderSource): Parts {
  if (value === '0') return { sampled: false };
  if (value === '1') return { sampled: true };
  if (value === 'd') return { sampled: true, flags: '1' };
  const match =
    /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-?([01d]))?(?:-?([0-9a-f]{16}))?$/i.exec(value);
  if (!match) {
    warn('b3 single header invalid; ignoring.');
    return {};
  }
  const [, traceId, spanId, decision, parentId] = match;
  return {
    traceId: traceId.toLowerCase(),
    spanId: spanId.toLowerCase(),
    parentId: parentId?.toLowerCase(),
    sampled: decision === undefined ? undefined : decision !== '0',
    flags: decision === 'd' ? '1' : undefined,
  };
}

function parseMultiple(source: HeaderSource): Parts {
  const { header, warn } = source;
  const decision = header('x-b3-sampled');
  const known = new Map([
    ['1', true],
    ['true', true],
    ['0', false],
    ['false', false],
  ]);
  let sampled = decision === null ? undefined : known.get(decision);
  if (decision !== null && sampled === undefined) warn('x-b3-sampled header invalid; ignoring.');
  const flags = header('x-b3-flags');
  if (flags === '1') sampled = true;
  else if (flags !== null) warn('x-b3-flags header invalid; ignoring.');
  const ids = [
    idOf(source, 'x-b3-traceid', /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/i),
    idOf(source, 'x-b3-spanid', /^[0-9a-f]{16}$/i),
    idOf(source, 'x-b3-parentspanid', /^[0-9a-f]{16}$/i),
  ];
  const shared = { sampled, flags: flags === '1' ? flags : undefined };
  if (ids.includes(false)) return shared;
  const [traceId, spanId, parentId] = ids as (string | undefined)[];
  return { ...shared, traceId, spanId, parentId };
}

/** False: the header is there and invalid. */
function idOf(source: HeaderSource, name: string, pattern: RegExp): string | false | undefined {
  const value = source.header(name);
  if (value === null) return undefined;
  if (pattern.test(value)) return value.toLowerCase();
  source.warn(`${name} header invalid; ignoring.`);
  return false;
}
