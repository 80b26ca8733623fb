/**
 * Kong's log record as JSON text, straight from the core's bytes: what is the same for many records
 * is made once, and nothing is built only to be serialised. Rare shapes (bytes beyond ASCII,
 * quotes, repeated fields, cut heads) are left to `decodeLogRecord`; both give the same text.
 */
import type { Route } from '../config/model.js';
import { readAddress } from '../core/address.js';
import { LogFlag, LogRecord } from '../core/layout.js';
import { decodeLogRecord, type LogResolver, routeJson } from './entry.js';
import { hostOf, readQuery, readTarget } from './head-text.js';

const NONE = 0xffffffff;
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is meant
export const beyondAscii = /[^\x00-\x7f]/;
/** What JSON would escape, and what Latin-1 and UTF-8 do not share; but not line ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const special = /[^\x20\x21\x23-\x5b\x5d-\x7e\r\n]/;

/** Texts lie one behind the other in chunks, which live as long as one of them does. */
const chunkBytes = 256 * 1024;
let chunk = Buffer.alloc(0);
let filled = 0;

/**
 * The record's JSON text in UTF-8, equal to that of `decodeLogRecord`; throws what that throws.
 * The bytes must not be changed.
 */
export function entryText(record: Buffer, resolver: LogResolver): Buffer {
  return (
    plainText(record, resolver) ?? Buffer.from(JSON.stringify(decodeLogRecord(record, resolver)))
  );
}

/** Null: not one of the common shapes. */
function plainText(record: Buffer, resolver: LogResolver): Buffer | null {
  const u32 = (offset: number) => record.readUInt32LE(offset);
  const { size } = LogRecord;
  if (record.length < size || u32(LogRecord.bytes) !== record.length) return null;
  const flags = u32(LogRecord.flags);
  if (u32(LogRecord.credential) !== 0 || u32(LogRecord.failedCount) !== 0) return null;
  if ((flags & (LogFlag.TLS | LogFlag.HEAD_CUT)) !== 0) return null;
  const text = record.latin1Slice(size, record.length);
  if (special.test(text)) return null;
  const requestEnd = u32(LogRecord.requestHeadBytes);
  const targetEnd = requestEnd + u32(LogRecord.upstreamTargetBytes);
  if (targetEnd + u32(LogRecord.responseHeadBytes) !== text.length) return null;
  const request = requestText(text.slice(0, requestEnd));
  const responseHeaders = fieldsText(text.slice(targetEnd), false);
  if (request === null || responseHeaders === null) return null;
  const { method, uri, host, querystring, headers } = request;
  const route = resolver.route(u32(LogRecord.generation), u32(LogRecord.route));
  const upstreamStatus = u32(LogRecord.upstreamStatus);
  const upstreamMs = u32(LogRecord.upstreamMs);
  const id = record.latin1Slice(LogRecord.requestId, LogRecord.requestId + 32);
  const isUpstream = upstreamStatus !== 0 && (flags & LogFlag.LOCAL) === 0;
  const tries = route ? `"tries":${triesText(record, resolver)},` : '';
  if (beyondAscii.test(tries) || beyondAscii.test(querystring)) return null;
  const before =
    `{"request":{"id":"${id}","method":"${method}","uri":"${uri}",` +
    `"url":"http://${host}:${u32(LogRecord.localPort)}${uri}",` +
    `"size":${record.readDoubleLE(LogRecord.requestBytes)},"querystring":${querystring},` +
    `"headers":${headers}},"upstream_uri":"${text.slice(requestEnd, targetEnd)}",` +
    `"upstream_status":"${upstreamStatus === 0 ? '' : upstreamStatus}",` +
    `"response":{"status":${u32(LogRecord.status)},` +
    `"size":${record.readDoubleLE(LogRecord.responseBytes)},"headers":${responseHeaders}},` +
    `"latencies":{"kong":${u32(LogRecord.gatewayMs)},` +
    `"proxy":${upstreamMs === NONE ? -1 : upstreamMs},"request":${u32(LogRecord.requestMs)},` +
    `"receive":${u32(LogRecord.receiveMs)}},` +
    `${tries}"client_ip":"${readAddress(record, LogRecord.clientAddress)}",`;
  const after =
    `"source":"${isUpstream ? 'upstream' : 'kong'}",` +
    `"started_at":${Math.floor(record.readDoubleLE(LogRecord.startWallMs))}}`;
  return put(before, entitiesText(route, resolver).text, after);
}

/** Stands for the route of requests that matched none. */
const unmatched = { service: null } as Route;

/** Appends a text to the chunk; `before` and `after` are ASCII. */
function put(before: string, entities: Buffer, after: string): Buffer {
  const size = before.length + entities.length + after.length;
  if (filled + size > chunk.length) {
    chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, size));
    filled = 0;
  }
  const start = filled;
  filled += chunk.latin1Write(before, filled);
  chunk.set(entities, filled);
  filled += entities.length;
  filled += chunk.latin1Write(after, filled);
  return chunk.subarray(start, filled);
}

interface RequestText {
  readonly method: string;
  readonly uri: string;
  readonly host: string;
  /** JSON objects. */
  readonly querystring: string;
  readonly headers: string;
}

/** Field blocks of requests and what they become: clients send the same ones again and again. */
const blocks = new Map<string, { readonly headers: string; readonly host: string } | null>();
const blocksMax = 512;
const blockCharactersMax = 4096;

function requestText(head: string): RequestText | null {
  const lineEnd = head.indexOf('\r\n');
  if (lineEnd < 0) return null;
  const methodEnd = head.indexOf(' ');
  const targetEnd = head.indexOf(' ', methodEnd + 1);
  if (methodEnd <= 0 || targetEnd < 0 || targetEnd > lineEnd) return null;
  const uri = head.slice(methodEnd + 1, targetEnd);
  // Other forms than the origin form name their own host.
  if (!uri.startsWith('/') && readTarget(uri).authority !== null) return null;
  const block = head.slice(lineEnd);
  let known = blocks.get(block);
  if (known === undefined) {
    known = blockText(block);
    if (blocks.size >= blocksMax) blocks.clear();
    if (block.length <= blockCharactersMax) blocks.set(block, known);
  }
  if (known === null) return null;
  const mark = uri.indexOf('?');
  const querystring = mark < 0 ? '{}' : JSON.stringify(readQuery(uri.slice(mark + 1)));
  return { method: head.slice(0, methodEnd), uri, querystring, ...known };
}

function blockText(block: string): { headers: string; host: string } | null {
  const headers = fieldsText(block, true);
  if (headers === null) return null;
  const host = /\r\nhost:[ \t]*([^\r]*?)[ \t]*\r\n/i.exec(block)?.[1] ?? '';
  return { headers, host: hostOf(host) };
}

interface FieldName {
  /** Lower-case name as the beginning of a member. */
  readonly member: string;
  /** Number of the head that it was last seen in: a second time makes it an array. */
  seen: number;
  readonly isSecret: boolean;
}

const names = new Map<string, FieldName>();
const namesMax = 2048;
let serial = 0;

/** The fields behind the start line as a JSON object; null where one of them is repeated. */
function fieldsText(head: string, isRequest: boolean): string | null {
  // Not within a head: two spellings of one name must find each other.
  if (names.size >= namesMax) names.clear();
  serial++;
  let text = '{';
  let at = head.indexOf('\r\n');
  for (at = at < 0 ? head.length : at + 2; at < head.length; ) {
    let end = head.indexOf('\r\n', at);
    if (end < 0) end = head.length;
    if (end === at) break;
    const colon = head.indexOf(':', at);
    if (colon < 0 || colon >= end) return null;
    const name = nameOf(head.slice(at, colon));
    if (name === null || name.seen === serial) return null;
    name.seen = serial;
    const value = isRequest && name.isSecret ? 'REDACTED' : head.slice(colon + 1, end).trim();
    text += text.length > 1 ? `,${name.member}${value}"` : `${name.member}${value}"`;
    at = end + 2;
  }
  return `${text}}`;
}

function nameOf(raw: string): FieldName | null {
  let name = names.get(raw);
  if (!name) {
    const lower = raw.toLowerCase();
    // Two spellings of one name must meet in one object; names like indices are ordered otherwise.
    const known = raw === lower ? undefined : nameOf(lower);
    if (known === null || lower === '' || /^\d/.test(lower)) return null;
    const isSecret = lower === 'authorization' || lower === 'proxy-authorization';
    name = known ?? { member: `"${lower}":"`, seen: 0, isSecret };
    names.set(raw, name);
  }
  return name;
}

/** As `tries` of the decoded record. */
function triesText(record: Buffer, resolver: LogResolver): string {
  const count = record.readUInt32LE(LogRecord.tries);
  if (count === 0) return '[]';
  const peer = peerText(record.readUInt32LE(LogRecord.target), resolver);
  const startMs =
    record.readDoubleLE(LogRecord.startWallMs) + record.readUInt32LE(LogRecord.gatewayMs);
  const hasFailed = record.readUInt32LE(LogRecord.upstreamStatus) === 0;
  return (
    `[${`{${peer}"state":"failed"},`.repeat(count - 1)}` +
    `{${peer}"balancer_start":${Math.floor(startMs)},` +
    `"balancer_start_ns":${Math.floor(startMs * 1e6)},"balancer_latency":0` +
    `${hasFailed ? ',"state":"failed"' : ''}}]`
  );
}

/** The address of a target as members, empty where it is unknown. */
export function peerText(index: number, resolver: LogResolver): string {
  const target = index === NONE ? undefined : resolver.target(index);
  return target ? `"ip":${JSON.stringify(target.host)},"port":${target.port},` : '';
}

interface EntitiesText {
  readonly workspace: LogResolver['workspace'];
  readonly text: Buffer;
  /** A route matched. */
  readonly routed: boolean;
}

const entities = new WeakMap<Route, EntitiesText>();

/** The route (null: none), its service and the workspace as members, made once per route object. */
export function entitiesText(found: Route | null, { workspace }: LogResolver): EntitiesText {
  const route = found ?? unmatched;
  let known = entities.get(route);
  if (known?.workspace !== workspace) {
    let text = route === unmatched ? '' : `"route":${JSON.stringify(routeJson(route))},`;
    if (route.service) text += `"service":${JSON.stringify(route.service)},`;
    text += `"workspace":${JSON.stringify(workspace.id)},`;
    text += `"workspace_name":${JSON.stringify(workspace.name)},`;
    known = { workspace, text: Buffer.from(text), routed: found !== null };
    entities.set(route, known);
  }
  return known;
}
