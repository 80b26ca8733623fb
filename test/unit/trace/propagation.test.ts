import { describe, expect, test } from 'vitest';
import { randomId, sampledById, sized } from '../../../src/trace/context.js';
import { type ExtractFormat, extract, extractFormats } from '../../../src/trace/extract.js';
import { type InjectFormat, inject } from '../../../src/trace/inject.js';
import { propagationOf } from '../../../src/trace/propagation.js';
import { headerTags } from '../../../src/trace/zipkin-spans.js';

const trace = '0af7651916cd43dd8448eb211c80319c';
const short = '8448eb211c80319c';
const padded = short.padStart(32, '0');
const span = 'b7ad6b7169203331';
const parent = '00f067aa0ba902b7';
const decimal = (id: string) => BigInt(`0x${id}`).toString();

function read(headers: Record<string, string>, formats: readonly ExtractFormat[] = extractFormats) {
  const warnings: string[] = [];
  const found = extract(
    {
      header: (name) => headers[name] ?? null,
      headers: () => headers,
      warn: (message) => void warnings.push(message),
    },
    formats,
  );
  return { ...found, warnings };
}

describe('extract', () => {
  test.each<[string, Record<string, string>, object]>([
    [
      'w3c',
      { traceparent: `00-${trace}-${span}-01` },
      { traceId: trace, spanId: span, sampled: true, reuseSpanId: false },
    ],
    ['w3c', { traceparent: `00-${trace}-${span}-00` }, { sampled: false }],
    ['w3c', { traceparent: `00-${trace.toUpperCase()}-${span}-03` }, { traceId: trace }],
    [
      'b3',
      { b3: `${trace}-${span}-1-${parent}` },
      { traceId: trace, spanId: span, parentId: parent, sampled: true, single: true },
    ],
    ['b3', { b3: `${short}-${span}` }, { traceId: padded, traceIdBytes: 8, sampled: null }],
    ['b3', { b3: `${short}-${span}-d` }, { sampled: true, flags: '1' }],
    ['b3', { b3: '0' }, { traceId: null, sampled: false }],
    ['b3', { tracestate: `b3=${trace}-${span}-0` }, { traceId: trace, sampled: false }],
    [
      'b3',
      { 'x-b3-traceid': trace, 'x-b3-spanid': span, 'x-b3-parentspanid': parent },
      { traceId: trace, spanId: span, parentId: parent, sampled: null, single: false },
    ],
    ['b3', { 'x-b3-sampled': 'true' }, { sampled: true }],
    ['b3', { 'x-b3-flags': '1', 'x-b3-sampled': '0' }, { sampled: true, flags: '1' }],
    [
      'jaeger',
      { 'uber-trace-id': `${trace}:${span}:0:1`, 'uberctx-user': 'bob' },
      { traceId: trace, spanId: span, parentId: null, sampled: true, reuseSpanId: true },
    ],
    ['jaeger', { 'uber-trace-id': 'abc:1:0:0' }, { traceId: 'abc'.padStart(32, '0') }],
    [
      'ot',
      { 'ot-tracer-traceid': short, 'ot-tracer-spanid': span, 'ot-tracer-sampled': '1' },
      { traceId: padded, spanId: span, sampled: true, traceIdBytes: 8 },
    ],
    ['ot', { 'ot-tracer-sampled': 'false' }, { traceId: null, sampled: false }],
    [
      'aws',
      {
        'x-amzn-trace-id': `Root=1-${trace.slice(0, 8)}-${trace.slice(8)};Parent=${span};Sampled=1`,
      },
      { traceId: trace, spanId: span, sampled: true },
    ],
    [
      'datadog',
      {
        'x-datadog-trace-id': decimal(short),
        'x-datadog-parent-id': decimal(span),
        'x-datadog-sampling-priority': '-1',
      },
      { traceId: padded, spanId: span, sampled: false },
    ],
    [
      'gcp',
      { 'x-cloud-trace-context': `${trace}/${decimal(span)};o=1` },
      { traceId: trace, spanId: span, sampled: true },
    ],
    [
      'instana',
      { 'x-instana-t': short, 'x-instana-s': span, 'x-instana-l': '1,correlationType=web' },
      { traceId: padded, spanId: span, sampled: true },
    ],
  ])('%s %j', (format, headers, context) => {
    const found = read(headers);
    expect(found.format).toBe(format);
    expect(found.context).toMatchObject(context);
    expect(found.warnings).toEqual([]);
  });

  test.each<[Record<string, string>]>([
    [{ traceparent: 'x' }],
    [{ traceparent: `01-${trace}-${span}-01` }],
    [{ traceparent: `00-${'0'.repeat(32)}-${span}-01` }],
    [{ traceparent: `00-${trace}-${'0'.repeat(16)}-01` }],
    [{ traceparent: `00-${short}-${span}-01` }],
    [{ traceparent: `00-${trace}-${span}-001` }],
    [{ b3: `${trace}-short-1` }],
    [{ b3: 'nonsense' }],
    [{ 'x-b3-traceid': 'zz', 'x-b3-spanid': span }],
    [{ 'x-b3-sampled': 'maybe' }],
    [{ 'uber-trace-id': `${trace}:0:0:1` }],
    [{ 'uber-trace-id': `${trace}:${span}:0` }],
    [{ 'uber-trace-id': `${trace}:${span}:0:111` }],
    [{ 'ot-tracer-traceid': 'x', 'ot-tracer-spanid': span }],
    [{ 'x-amzn-trace-id': 'Root=2-1-1' }],
    [{ 'x-amzn-trace-id': 'Sampled=2' }],
    [{ 'x-datadog-trace-id': 'abc' }],
    [{ 'x-datadog-trace-id': '1', 'x-datadog-sampling-priority': '7' }],
    [{ 'x-cloud-trace-context': `${trace}/x` }],
    [{ 'x-instana-t': 'x' }],
  ])('%j is warned about and ignored', (headers) => {
    const { context, format, warnings } = read(headers);
    expect([context.traceId, format]).toEqual([null, null]);
    expect(warnings.length).toBeGreaterThan(0);
  });

  test('the first format that says something wins; none is looked for where none is named', () => {
    const headers = { traceparent: `00-${trace}-${span}-01`, b3: `${short}-${span}-0` };
    expect(read(headers, ['b3', 'w3c']).context.traceId).toBe(padded);
    expect(read(headers, ['w3c', 'b3']).context.traceId).toBe(trace);
    expect(read({ traceparent: 'bad', b3: '0' }, ['w3c', 'b3']).format).toBe('b3');
    expect(read(headers, []).format).toBeNull();
    expect(read({ tracestate: 'vendor=1' }).format).toBeNull();
  });

  test('baggage is kept as it came', () => {
    const { context } = read({ 'uber-trace-id': `${trace}:${span}:0:1`, 'uberctx-k%20': 'v%20' });
    expect([...(context.baggage ?? [])]).toEqual([['k%20', 'v%20']]);
  });
});

describe('inject', () => {
  const base = {
    traceId: trace,
    traceIdBytes: 16,
    spanId: span,
    parentId: parent,
    sampled: true,
    flags: null,
    baggage: new Map([['user', 'bob']]),
  };
  const written = (format: InjectFormat, more: object = {}) =>
    Object.fromEntries(inject({ ...base, ...more }, format).headers);

  test.each<[InjectFormat, object, Record<string, string>]>([
    ['w3c', {}, { traceparent: `00-${trace}-${span}-01` }],
    ['w3c', { sampled: false }, { traceparent: `00-${trace}-${span}-00` }],
    [
      'b3',
      {},
      {
        'x-b3-traceid': trace,
        'x-b3-spanid': span,
        'x-b3-parentspanid': parent,
        'x-b3-sampled': '1',
      },
    ],
    [
      'b3',
      { flags: '1', parentId: null, traceId: padded, traceIdBytes: 8 },
      { 'x-b3-traceid': short, 'x-b3-spanid': span, 'x-b3-flags': '1' },
    ],
    ['b3-single', {}, { b3: `${trace}-${span}-1-${parent}` }],
    ['b3-single', { flags: '1', parentId: null }, { b3: `${trace}-${span}-d` }],
    ['jaeger', {}, { 'uber-trace-id': `${trace}:${span}:${parent}:01`, 'uberctx-user': 'bob' }],
    ['jaeger', { parentId: null, baggage: null }, { 'uber-trace-id': `${trace}:${span}:0:01` }],
    [
      'ot',
      { traceIdBytes: null },
      {
        'ot-tracer-traceid': short,
        'ot-tracer-spanid': span,
        'ot-tracer-sampled': '1',
        'ot-baggage-user': 'bob',
      },
    ],
    [
      'aws',
      {},
      {
        'x-amzn-trace-id': `Root=1-${trace.slice(0, 8)}-${trace.slice(8)};Parent=${span};Sampled=1`,
      },
    ],
    [
      'datadog',
      { sampled: false },
      {
        'x-datadog-trace-id': decimal(short),
        'x-datadog-parent-id': decimal(span),
        'x-datadog-sampling-priority': '0',
      },
    ],
    ['gcp', {}, { 'x-cloud-trace-context': `${trace}/${decimal(span)};o=1` }],
    ['instana', {}, { 'x-instana-t': trace, 'x-instana-s': span, 'x-instana-l': '1' }],
  ])('%s %j', (format, more, headers) => {
    expect(written(format, more)).toEqual(headers);
  });

  test.each(extractFormats)('%s: what is written is what is read', (format) => {
    const { context } = read(written(format), [format]);
    expect(context.traceId?.endsWith(short)).toBe(true);
    expect([context.spanId, context.sampled]).toEqual([span, true]);
  });

  test('the record shows the id as the format does', () => {
    expect(inject(base, 'b3-single')).toMatchObject({ shownAs: 'b3', shownId: trace });
    expect(inject(base, 'datadog')).toMatchObject({ shownAs: 'datadog', shownId: decimal(short) });
  });
});

describe('ids, sampling, settings', () => {
  test('ids are random, of the asked size, and sized to others', () => {
    const ids = new Set(Array.from({ length: 2000 }, () => randomId(8)));
    expect(ids.size).toBe(2000);
    expect([...ids].every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
    expect(randomId(16)).toMatch(/^[0-9a-f]{32}$/);
    expect([sized('abc', 8), sized(trace, 8)]).toEqual(['0000000000000abc', short]);
  });

  test('the sampler follows the rate and decides a trace always alike', () => {
    const ids = Array.from({ length: 4000 }, () => randomId(16));
    const share = ids.filter((id) => sampledById(id, 0.25)).length / ids.length;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
    expect(ids.every((id) => sampledById(id, 1) && !sampledById(id, 0))).toBe(true);
    expect(sampledById(ids[0], 0.5)).toBe(sampledById(ids[0], 0.5));
  });

  test('the older fields become propagation settings, unless there are new ones', () => {
    const of = (more: object) => propagationOf({ propagation: { default_format: 'b3' }, ...more });
    expect(of({ header_type: 'preserve' })).toMatchObject({ inject: ['preserve'], clear: [] });
    expect(of({ header_type: 'preserve' }).extract[0]).toBe('b3');
    expect(of({ header_type: 'ignore', default_header_type: 'w3c' })).toMatchObject({
      extract: [],
      inject: ['w3c'],
    });
    expect(of({ header_type: 'aws' }).inject).toEqual(['preserve', 'aws']);
    const given = { extract: ['gcp'], default_format: 'ot' };
    expect(propagationOf({ propagation: given, header_type: 'ignore' })).toEqual({
      extract: ['gcp'],
      clear: [],
      inject: [],
      defaultFormat: 'ot',
    });
  });

  test('tags of a header', () => {
    const said: string[] = [];
    const tags = headerTags(['a=b; c = d e ;', 'bad; x=y=z'], (message) => said.push(message));
    expect(tags).toEqual({ a: 'b', c: 'd e', x: 'y=z' });
    expect(said).toEqual(['Could not parse the following Zipkin tags: bad']);
    expect(headerTags(undefined, () => {})).toEqual({});
  });
});
