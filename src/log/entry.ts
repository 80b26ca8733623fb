/**
 * Decodes the core's log records: bytes written by the log phase become Kong's log record (what its
 * basic serializer makes), off the request path.
 */
import type { Consumer, KeyAuthCredential, Route, Service } from '../config/model.js';
import { readAddress } from '../core/address.js';
import { LogFlag, LogRecord } from '../core/layout.js';
import { GatewayError } from '../errors.js';
import {
  type HeaderMap,
  type HeaderValue,
  hostOf,
  type QueryMap,
  readHead,
  readQuery,
  readTarget,
} from './head-text.js';
import { type TlsMembers, tlsMembers } from './tls-text.js';

const NONE = 0xffffffff;
const REDACTED = 'REDACTED';

/** What indices in a record mean. Old generations must be known as long as records name them. */
export interface LogResolver {
  /** The matched route; null where nothing matched or the generation is gone. */
  route(generation: number, index: number): Route | null;
  /** The key that a policy found the client by; absent: no policies run. */
  credential?(generation: number, place: number): KeyAuthCredential | null;
  /** Address of an interned target. */
  target(index: number): { readonly host: string; readonly port: number } | undefined;
  /** The workspace of every entity. */
  readonly workspace: { readonly id: string; readonly name: string };
}

/** One balancer try: `ip` and `port`, and `state: 'failed'` on all but the one that answered. */
export interface TryEntry {
  readonly ip?: string;
  readonly port?: number;
  readonly balancer_start?: number;
  readonly balancer_start_ns?: number;
  readonly balancer_latency?: number;
  readonly state?: 'failed';
}

/** Kong's log record for HTTP; absent values are left out, times are milliseconds. */
export interface HttpLogEntry {
  readonly [field: string]: unknown;
  readonly request: {
    readonly id: string;
    readonly method: string;
    readonly uri: string;
    readonly url: string;
    readonly size: number;
    readonly querystring: QueryMap;
    readonly headers: HeaderMap;
    readonly tls?: TlsMembers;
  };
  readonly upstream_uri: string;
  readonly upstream_status: string;
  readonly response: {
    readonly status: number;
    readonly size: number;
    readonly headers: HeaderMap;
  };
  readonly latencies: {
    /** Until the upstream was chosen, or until the gateway's own answer. */
    readonly kong: number;
    /** Waiting for the upstream's head, -1: not proxied. */
    readonly proxy: number;
    readonly request: number;
    readonly receive: number;
  };
  /** Absent where no route matched. */
  readonly tries?: readonly TryEntry[];
  readonly client_ip: string;
  readonly route?: object;
  readonly service?: object;
  readonly consumer?: Consumer;
  readonly workspace: string;
  readonly workspace_name: string;
  readonly source: 'upstream' | 'kong';
  /** Epoch milliseconds. */
  readonly started_at: number;
}

/**
 * Decodes one record of the core.
 * @throws GatewayError GW_E_STATE where the bytes are no record
 */
export function decodeLogRecord(record: Buffer, resolver: LogResolver): HttpLogEntry {
  const raw = readRecord(record);
  const head = readHead(raw.requestHead, raw.headCut);
  const [method = '', rawTarget = ''] = head.startLine.split(' ', 2);
  const { uri, authority } = readTarget(rawTarget);
  redact(head.headers);
  const tls = (raw.flags & LogFlag.TLS) !== 0;
  const host = hostOf(authority ?? firstOf(head.headers.host));
  const mark = uri.indexOf('?');
  const route = resolver.route(raw.generation, raw.route);
  const service = route?.service ?? null;
  const u32 = (offset: number) => record.readUInt32LE(offset);
  const upstreamMs = u32(LogRecord.upstreamMs);
  return {
    request: {
      id: record.toString('latin1', LogRecord.requestId, LogRecord.requestId + 32),
      method,
      uri,
      url: `${tls ? 'https' : 'http'}://${host}:${u32(LogRecord.localPort)}${uri}`,
      size: record.readDoubleLE(LogRecord.requestBytes),
      querystring: readQuery(mark < 0 ? '' : uri.slice(mark + 1)),
      headers: head.headers,
      ...(tls && { tls: tlsMembers(u32(LogRecord.tls)) }),
    },
    upstream_uri: raw.upstreamTarget,
    upstream_status: raw.upstreamStatus === 0 ? '' : String(raw.upstreamStatus),
    response: {
      status: raw.status,
      size: record.readDoubleLE(LogRecord.responseBytes),
      headers: readHead(raw.responseHead, raw.headCut).headers,
    },
    latencies: {
      kong: u32(LogRecord.gatewayMs),
      proxy: upstreamMs === NONE ? -1 : upstreamMs,
      request: u32(LogRecord.requestMs),
      receive: u32(LogRecord.receiveMs),
    },
    ...(route && { tries: triesOf(record, resolver) }),
    client_ip: readAddress(record, LogRecord.clientAddress),
    ...(route && { route: routeJson(route) }),
    ...(service && { service }),
    workspace: resolver.workspace.id,
    workspace_name: resolver.workspace.name,
    source: raw.upstreamStatus !== 0 && (raw.flags & LogFlag.LOCAL) === 0 ? 'upstream' : 'kong',
    started_at: Math.floor(record.readDoubleLE(LogRecord.startWallMs)),
    ...clientMembers(record, raw.generation, resolver),
  };
}

/** Who the client is, where a policy found out; of others plugins note it. */
function clientMembers(record: Buffer, generation: number, resolver: LogResolver): object {
  const number = record.readUInt32LE(LogRecord.credential);
  const credential = number === 0 ? null : resolver.credential?.(generation, number - 1);
  if (!credential) return {};
  const { id, consumer } = credential;
  return { authenticated_entity: { id, consumer_id: consumer.id }, consumer };
}

/** The parts of a record that are needed as text or decide about the rest. */
export interface RawRecord {
  readonly generation: number;
  readonly route: number;
  /** LogFlag bits. */
  readonly flags: number;
  readonly status: number;
  readonly upstreamStatus: number;
  readonly headCut: boolean;
  readonly requestHead: string;
  readonly upstreamTarget: string;
  readonly responseHead: string;
}

/** Checks the lengths of a record and reads its texts, as UTF-8: the encoding of the JSON. */
export function readRecord(record: Buffer): RawRecord {
  const u32 = (offset: number) => record.readUInt32LE(offset);
  const size = LogRecord.size;
  const whole = record.length >= size && u32(LogRecord.bytes) === record.length;
  const requestEnd = whole ? size + u32(LogRecord.requestHeadBytes) : 0;
  const targetEnd = whole ? requestEnd + u32(LogRecord.upstreamTargetBytes) : 0;
  const end = whole ? record.length - 4 * u32(LogRecord.failedCount) : 0;
  if (!whole || targetEnd + u32(LogRecord.responseHeadBytes) !== end) {
    throw new GatewayError('GW_E_STATE', `a log record of ${record.length} bytes is inconsistent`);
  }
  const flags = u32(LogRecord.flags);
  return {
    generation: u32(LogRecord.generation),
    route: u32(LogRecord.route),
    flags,
    status: u32(LogRecord.status),
    upstreamStatus: u32(LogRecord.upstreamStatus),
    headCut: (flags & LogFlag.HEAD_CUT) !== 0,
    requestHead: record.toString('utf8', size, requestEnd),
    upstreamTarget: record.toString('utf8', requestEnd, targetEnd),
    responseHead: record.toString('utf8', targetEnd, end),
  };
}

/** Credentials never reach a log, whatever it is sent to. */
function redact(headers: HeaderMap): void {
  if (headers.authorization !== undefined) headers.authorization = REDACTED;
  if (headers['proxy-authorization'] !== undefined) headers['proxy-authorization'] = REDACTED;
}

function firstOf(value: HeaderValue | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/**
 * The record holds the number of tries and the target of the last one, which alone can have
 * answered; the targets of those before where they are others.
 */
function triesOf(record: Buffer, resolver: LogResolver): TryEntry[] {
  const count = record.readUInt32LE(LogRecord.tries);
  const peer = peerOf(record.readUInt32LE(LogRecord.target), resolver);
  const failedCount = record.readUInt32LE(LogRecord.failedCount);
  const failedAt = record.length - 4 * failedCount;
  const tries: TryEntry[] = [];
  for (let i = 0; i < count - 1; i++) {
    const other = i < failedCount ? record.readUInt32LE(failedAt + 4 * i) : null;
    tries.push({ ...(other === null ? peer : peerOf(other, resolver)), state: 'failed' });
  }
  if (count === 0) return tries;
  const startMs =
    record.readDoubleLE(LogRecord.startWallMs) + record.readUInt32LE(LogRecord.gatewayMs);
  const answered = record.readUInt32LE(LogRecord.upstreamStatus) !== 0;
  tries.push({
    ...peer,
    balancer_start: Math.floor(startMs),
    balancer_start_ns: Math.floor(startMs * 1e6),
    balancer_latency: 0,
    ...(!answered && { state: 'failed' as const }),
  });
  return tries;
}

function peerOf(target: number, resolver: LogResolver) {
  const address = target === NONE ? undefined : resolver.target(target);
  return address && { ip: address.host, port: address.port };
}

const routeTexts = new WeakMap<Route, object>();

/** A route as Kong logs it: references are `{ id }`. Made once per route object. */
export function routeJson(route: Route): object {
  let json = routeTexts.get(route);
  if (!json) {
    const service: Service | null = route.service;
    json = { ...route, service: service && { id: service.id } };
    routeTexts.set(route, json);
  }
  return json;
}
