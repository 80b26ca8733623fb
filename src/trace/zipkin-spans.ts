/** Spans in Zipkin's JSON v2, made from the records of requests as Kong's zipkin plugin does. */
import { isIPv6 } from 'node:net';
import { spareId, type TraceRecord } from './record.js';

export interface ZipkinConfig {
  readonly local_service_name: string;
  readonly default_service_name: string | null;
  readonly include_credential: boolean;
  readonly tags_header: string;
  readonly static_tags: readonly { readonly name: string; readonly value: string }[] | null;
  readonly http_span_name: string;
  readonly phase_duration_flavor: string;
}

interface Endpoint {
  readonly serviceName?: string;
  readonly port?: number;
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** `timestamp` and `duration` are microseconds. */
export interface ZipkinSpan {
  readonly traceId: string;
  readonly name: string;
  readonly parentId?: string;
  readonly id: string;
  readonly kind: 'SERVER' | 'CLIENT';
  readonly timestamp: number;
  readonly duration: number;
  readonly localEndpoint: Endpoint;
  readonly remoteEndpoint: Endpoint | null;
  readonly tags?: Readonly<Record<string, string>>;
  readonly annotations?: readonly { readonly value: string; readonly timestamp: number }[];
}

type Tags = Record<string, string | number | null | undefined>;
interface Entities {
  readonly service?: { readonly id: string; readonly name?: string | null };
  readonly route?: { readonly id: string; readonly name?: string | null };
}

interface SpanParts {
  readonly name: string;
  readonly id: string;
  readonly parentId: string | null;
  readonly kind: ZipkinSpan['kind'];
  readonly startMs: number;
  readonly endMs: number;
  readonly tags: Tags;
  readonly remote: { ip?: string; port?: number; service?: string | null };
  readonly annotations?: readonly (readonly [value: string, atMs: number])[];
}

/** Tries, the proxy span, the request span: in the order in which Kong queues them. */
export function zipkinSpans(
  record: TraceRecord,
  config: ZipkinConfig,
  nodeId: string,
  warn: (message: string) => void,
): ZipkinSpan[] {
  const { method, uri } = record.entry.request as { method: string; uri: string };
  const path = uri.split('?', 1)[0];
  const name = config.http_span_name === 'method_path' ? `${method} ${path}` : method;
  const make = (parts: SpanParts) => spanOf(record, config, parts);
  return [
    ...tryParts(record, name).map(make),
    make(proxyParts(record, config, name)),
    make(requestParts(record, config, name, nodeId, warn)),
  ];
}

function spanOf(record: TraceRecord, config: ZipkinConfig, parts: SpanParts): ZipkinSpan {
  const tags: Record<string, string> = {};
  for (const [name, value] of Object.entries(parts.tags)) {
    if (value !== null && value !== undefined && value !== '') tags[name] = String(value);
  }
  const { ip, port, service = null } = parts.remote;
  const serviceName = service ?? config.default_service_name ?? undefined;
  const remote = { serviceName, port, ...(ip && { [isIPv6(ip) ? 'ipv6' : 'ipv4']: ip }) };
  return {
    traceId: record.note.traceId,
    name: parts.name,
    ...(parts.parentId !== null && { parentId: parts.parentId }),
    id: parts.id,
    kind: parts.kind,
    timestamp: micro(parts.startMs),
    duration: micro(parts.endMs) - micro(parts.startMs),
    localEndpoint: { serviceName: config.local_service_name },
    remoteEndpoint: port !== undefined || serviceName !== undefined ? remote : null,
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(parts.annotations && {
      annotations: parts.annotations.map(([value, atMs]) => ({ value, timestamp: micro(atMs) })),
    }),
  };
}

function tryParts(record: TraceRecord, name: string): SpanParts[] {
  const { tries, note } = record;
  return tries.map((one, index): SpanParts => {
    const isLast = index === tries.length - 1;
    return {
      name: `${name} (balancer try ${index + 1})`,
      id: spareId(record, index),
      parentId: note.spanId,
      kind: 'CLIENT',
      startMs: record.chosenMs,
      endMs: isLast ? record.headMs : record.chosenMs,
      tags: {
        'kong.balancer.try': index + 1,
        ...(!isLast && { error: 'true', 'kong.balancer.state': one.state ?? 'failed' }),
        ...entityTags(record),
      },
      remote: { ip: one.ip, port: one.port, service: entitiesOf(record).service?.name },
    };
  });
}

function proxyParts(record: TraceRecord, config: ZipkinConfig, name: string): SpanParts {
  const { startMs, chosenMs, headMs, endMs, note, tries } = record;
  const peer = tries[tries.length - 1];
  const host = (record.entry.service as { host?: string } | undefined)?.host;
  const flavor = config.phase_duration_flavor === 'tags';
  return {
    name: `${name} (proxy)`,
    id: note.upstreamSpanId,
    parentId: note.spanId,
    kind: 'CLIENT',
    startMs,
    endMs,
    tags: {
      ...entityTags(record),
      'peer.hostname': peer && host,
      ...(flavor && {
        'kong.access.duration_ms': chosenMs - startMs,
        'kong.header_filter.duration_ms': 0,
        'kong.body_filter.duration_ms': endMs - headMs,
      }),
    },
    remote: { ip: peer?.ip, port: peer?.port, service: entitiesOf(record).service?.name },
    annotations: flavor
      ? undefined
      : [
          ['kas', startMs],
          ['kaf', chosenMs],
          ['khs', headMs],
          ['khf', headMs],
          ['kbs', headMs],
          ['kbf', endMs],
        ],
  };
}

function requestParts(
  record: TraceRecord,
  config: ZipkinConfig,
  name: string,
  nodeId: string,
  warn: (message: string) => void,
): SpanParts {
  const { entry, note, startMs, endMs, consumer, credential } = record;
  const { method, uri, url, headers } = entry.request as Record<string, string> & {
    headers: Record<string, string | string[]>;
  };
  const flavor = config.phase_duration_flavor === 'tags';
  return {
    name,
    id: note.spanId,
    parentId: note.parentId,
    kind: 'SERVER',
    startMs,
    endMs,
    tags: {
      lc: 'kong',
      'http.method': method,
      'http.host': /^[a-z]+:\/\/(\[[^\]]*\]|[^/:]*)/.exec(url)?.[1],
      'http.path': uri.split('?', 1)[0],
      'http.protocol': record.protocol,
      ...Object.fromEntries((config.static_tags ?? []).map(({ name: n, value }) => [n, value])),
      ...headerTags(headers[config.tags_header.toLowerCase()], warn),
      'http.status_code': (entry.response as { status: number }).status,
      'kong.consumer': consumer?.id,
      'kong.credential': config.include_credential ? credential?.id : null,
      'kong.node.id': nodeId,
      ...(flavor && { 'kong.rewrite.duration_ms': 0 }),
    },
    remote: { ip: entry.client_ip as string, port: record.peerPort },
    annotations: flavor
      ? undefined
      : [
          ['krs', startMs],
          ['krf', startMs],
        ],
  };
}

function entityTags(record: TraceRecord): Tags {
  const { service, route } = entitiesOf(record);
  if (!service) return {};
  return {
    'kong.service': service.id,
    'kong.service_name': service.name,
    'kong.route': route?.id,
    'kong.route_name': route?.name,
  };
}

const entitiesOf = ({ entry }: TraceRecord): Entities => entry as Entities;

/** Tags that the client gives: `a=b; c=d`, the header may be repeated. */
export function headerTags(
  given: string | string[] | undefined,
  warn: (message: string) => void,
): Record<string, string> {
  const tags: Record<string, string> = {};
  if (given === undefined) return tags;
  const bad: string[] = [];
  for (const item of [given].flat().flatMap((text) => text.split(';'))) {
    if (item === '') continue;
    const match = /^\s*(\S+?)\s*=\s*(.*\S)\s*$/.exec(item);
    if (match) tags[match[1]] = match[2];
    else bad.push(item);
  }
  if (bad.length > 0) warn(`Could not parse the following Zipkin tags: ${bad.join(', ')}`);
  return tags;
}

const micro = (ms: number): number => Math.floor(ms * 1000);
