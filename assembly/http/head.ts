/**
 * The HTTP/1.x head parser (RFC 9112): strict where smuggling lives. No allocation, no callbacks:
 * it fills a table of HeaderEntry and the results below, which stay valid until the next call.
 *
 * Return convention of both parsers: a pointer past the head, or INCOMPLETE, or a status code below
 * 1000 that the head deserves (requests: 400, 414, 431, 501, 505; responses: always 502).
 */
// raw memory: the parser loop
import { equalIgnoreCase, isWord } from '../bytes';
import {
  HeaderEntry,
  HEADER_ENTRY_SIZE,
  LIMIT_HEADER_COUNT,
  LIMIT_HEADER_NAME_BYTES,
  LIMIT_REQUEST_LINE_BYTES,
  REQUEST_HEADERS,
  RESPONSE_HEADERS,
} from '../layout';
import { TOKEN, findControl, findTargetEnd, isClass, skipClass } from './classes';
import {
  H_CONNECTION,
  H_CONTENT_LENGTH,
  H_HOP,
  H_HOST,
  H_TRANSFER_ENCODING,
  NOT_REMOVABLE,
  headerId,
} from './names';

export const INCOMPLETE: usize = 0;

/** Request line and status line. */
export let method: usize = 0;
export let methodLength: u32 = 0;
export let target: usize = 0;
export let targetLength: u32 = 0;
export let minorVersion: u32 = 0;
export let statusCode: u32 = 0;
export let reason: usize = 0;
export let reasonLength: u32 = 0;
/** Header section. */
export let headerCount: u32 = 0;
/** Bit per known header id that occurs. */
export let present: u32 = 0;
/** Value of Content-Length, -1: absent. */
export let contentLength: i64 = -1;
export let chunked: bool = false;
export let connectionClose: bool = false;
export let connectionKeepAlive: bool = false;
export let connectionUpgrade: bool = false;
export let hostCount: u32 = 0;

let codingCount: u32 = 0;
let codingLast: bool = false;
let codingUnknown: bool = false;

/** Parses a request head in [p, end). */
export function parseRequest(p: usize, end: usize): usize {
  const methodEnd = skipClass(p, end, TOKEN);
  if (methodEnd == end) return end - p > 64 ? 400 : INCOMPLETE;
  if (methodEnd == p || methodEnd - p > 64 || load<u8>(methodEnd) != 0x20) return 400;
  method = p;
  methodLength = <u32>(methodEnd - p);
  target = methodEnd + 1;
  const targetEnd = findTargetEnd(target, end);
  // With the version that must follow; without the line end.
  if (targetEnd + 9 - p > <usize>LIMIT_REQUEST_LINE_BYTES) return 414;
  if (targetEnd == end) return INCOMPLETE;
  if (load<u8>(targetEnd) != 0x20 || targetEnd == target) return 400;
  targetLength = <u32>(targetEnd - target);
  const version = parseVersion(targetEnd + 1, end);
  if (version != 1) return version;
  if (targetEnd + 11 > end) return INCOMPLETE;
  if (load<u16>(targetEnd, 9) != 0x0a0d) return 400;
  const after = parseFields(targetEnd + 11, end, REQUEST_HEADERS);
  if (after < 1000) return after;
  const bad = requestFraming();
  return bad ? bad : after;
}

/** 1: one of ours; INCOMPLETE; 400 or 505. Sets minorVersion. */
function parseVersion(p: usize, end: usize): usize {
  const n = min<usize>(end - p, 5);
  for (let i: usize = 0; i < n; i++) {
    if (load<u8>(p + i) != <u8>(0x2f50545448 >> (<u64>i << 3))) return 400; // "HTTP/"
  }
  if (end - p < 8) return INCOMPLETE;
  const major = <u32>load<u8>(p, 5) - 48;
  const minor = <u32>load<u8>(p, 7) - 48;
  if (major > 9 || minor > 9 || load<u8>(p, 6) != 0x2e) return 400;
  if (major != 1) return 505;
  minorVersion = min<u32>(minor, 1);
  return 1;
}

/** Parses a response head in [p, end). */
export function parseResponse(p: usize, end: usize): usize {
  const version = parseVersion(p, end);
  if (version != 1) return version == INCOMPLETE ? INCOMPLETE : 502;
  if (end - p < 13) return INCOMPLETE;
  if (load<u8>(p, 8) != 0x20) return 502;
  const a = <u32>load<u8>(p, 9) - 48;
  const b = <u32>load<u8>(p, 10) - 48;
  const c = <u32>load<u8>(p, 11) - 48;
  if (a > 9 || b > 9 || c > 9 || a == 0) return 502;
  statusCode = a * 100 + b * 10 + c;
  const separator = load<u8>(p, 12);
  if (separator != 0x20 && separator != 0x0d) return 502;
  reason = separator == 0x20 ? p + 13 : p + 12;
  const lineEnd = findControl(reason, end);
  if (lineEnd + 2 > end) return INCOMPLETE;
  if (load<u16>(lineEnd) != 0x0a0d) return 502;
  reasonLength = <u32>(lineEnd - reason);
  const after = parseFields(lineEnd + 2, end, RESPONSE_HEADERS);
  if (after == INCOMPLETE) return INCOMPLETE;
  return after < 1000 || responseFraming() ? 502 : after;
}

/** Header fields up to and with the empty line. */
function parseFields(p: usize, end: usize, table: usize): usize {
  resetFields();
  let count: u32 = 0;
  for (;;) {
    if (p + 2 > end) return INCOMPLETE;
    if (load<u8>(p) == 0x0d) {
      if (load<u8>(p, 1) != 0x0a) return 400;
      break;
    }
    const nameEnd = skipClass(p, end, TOKEN);
    if (nameEnd == end) return end - p > LIMIT_HEADER_NAME_BYTES ? 431 : INCOMPLETE;
    if (nameEnd == p || load<u8>(nameEnd) != 0x3a) return 400; // also a folded line
    if (nameEnd - p > LIMIT_HEADER_NAME_BYTES || count == LIMIT_HEADER_COUNT) return 431;
    let value = nameEnd + 1;
    while (value < end && isBlank(load<u8>(value))) value++;
    const lineEnd = findControl(value, end);
    if (lineEnd + 2 > end) {
      return lineEnd + 1 == end && load<u8>(lineEnd) != 0x0d ? 400 : INCOMPLETE;
    }
    if (load<u16>(lineEnd) != 0x0a0d) return 400;
    let valueEnd = lineEnd;
    while (valueEnd > value && isBlank(load<u8>(valueEnd - 1))) valueEnd--;
    const entry = changetype<HeaderEntry>(table + <usize>count * HEADER_ENTRY_SIZE);
    entry.name = <u32>p;
    entry.nameLength = <u16>(nameEnd - p);
    entry.value = <u32>value;
    entry.valueLength = <u16>(valueEnd - value);
    entry.flags = 0;
    const id = headerId(p, <u32>(nameEnd - p));
    entry.id = <u16>id;
    if (id) {
      present |= 1 << id;
      if (id <= H_TRANSFER_ENCODING && !noteField(id, value, valueEnd)) return 400;
    }
    count++;
    p = lineEnd + 2;
  }
  headerCount = count;
  if (present & (1 << H_CONNECTION)) markNamed(table, count);
  return p + 2;
}

function resetFields(): void {
  present = 0;
  contentLength = -1;
  chunked = false;
  connectionClose = false;
  connectionKeepAlive = false;
  connectionUpgrade = false;
  hostCount = 0;
  codingCount = 0;
  codingLast = false;
  codingUnknown = false;
}

// @ts-ignore: decorator
@inline
function isBlank(c: u8): bool {
  return c == 0x20 || c == 0x09;
}

/** Takes note of a field that decides about framing; false: it is malformed. */
function noteField(id: u32, value: usize, end: usize): bool {
  if (id == H_HOST) hostCount++;
  else if (id == H_CONTENT_LENGTH) return noteLength(value, end);
  else if (id == H_TRANSFER_ENCODING) return noteCodings(value, end);
  return true;
}

/** All digits, no more than 18 of them after leading zeros, and only once (RFC 9112 6.3). */
function noteLength(p: usize, end: usize): bool {
  if (p == end || contentLength >= 0) return false;
  let length: i64 = 0;
  for (; p < end; p++) {
    const digit = <u32>load<u8>(p) - 48;
    if (digit > 9 || length > 99999999999999999) return false;
    length = length * 10 + <i64>digit;
  }
  contentLength = length;
  return true;
}

/** A list of transfer codings; only their names and order matter here (RFC 9112 6.1). */
function noteCodings(p: usize, end: usize): bool {
  let any = false;
  while (p < end) {
    const c = load<u8>(p);
    if (c == 0x2c || isBlank(c)) {
      p++;
      continue;
    }
    const nameEnd = skipClass(p, end, TOKEN);
    if (nameEnd == p) return false;
    any = true;
    const isChunked = isWord(p, nameEnd - p, 'chunked');
    if (isChunked) codingCount++;
    else codingUnknown = true;
    codingLast = isChunked;
    p = nameEnd;
    while (p < end && isBlank(load<u8>(p))) p++;
    if (p < end && load<u8>(p) != 0x2c) return false; // parameters: none is defined
  }
  return any;
}

/** 0, or the status that the framing of the request deserves. */
function requestFraming(): usize {
  if (!(present & (1 << H_TRANSFER_ENCODING))) return 0;
  if (contentLength >= 0 || minorVersion == 0) return 400;
  if (codingCount > 1 || (codingCount == 1 && !codingLast)) return 400;
  if (codingUnknown) return 501;
  chunked = true;
  return 0;
}

/** True where the framing of the response is faulty. */
function responseFraming(): bool {
  if (!(present & (1 << H_TRANSFER_ENCODING))) return false;
  if (contentLength >= 0 || minorVersion == 0) return true;
  if (codingCount != 1 || !codingLast || codingUnknown) return true;
  chunked = true;
  return false;
}

/** Reads the Connection options and marks the fields they name as hop-by-hop. */
function markNamed(table: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const entry = changetype<HeaderEntry>(table + <usize>i * HEADER_ENTRY_SIZE);
    if (entry.id != H_CONNECTION) continue;
    let p: usize = entry.value;
    const end = p + entry.valueLength;
    while (p < end) {
      if (!isClass(load<u8>(p), TOKEN)) {
        p++;
        continue;
      }
      const optionEnd = skipClass(p, end, TOKEN);
      markOption(table, count, p, <u32>(optionEnd - p));
      p = optionEnd;
    }
  }
}

function markOption(table: usize, count: u32, p: usize, n: u32): void {
  if (isWord(p, n, 'close')) connectionClose = true;
  else if (isWord(p, n, 'keep-alive')) connectionKeepAlive = true;
  else if (isWord(p, n, 'upgrade')) connectionUpgrade = true;
  else {
    for (let i: u32 = 0; i < count; i++) {
      const entry = changetype<HeaderEntry>(table + <usize>i * HEADER_ENTRY_SIZE);
      if (entry.nameLength != n || (1 << entry.id) & NOT_REMOVABLE) continue;
      if (entry.id < H_HOP && equalIgnoreCase(entry.name, p, n)) entry.id = <u16>H_HOP;
    }
  }
}

/** First entry with a known id, or null. */
export function findHeader(table: usize, count: u32, id: u32): HeaderEntry | null {
  for (let i: u32 = 0; i < count; i++) {
    const entry = changetype<HeaderEntry>(table + <usize>i * HEADER_ENTRY_SIZE);
    if (entry.id == id) return entry;
  }
  return null;
}

/** Position past the empty line that ends a head, looking from p on; 0: not there yet. */
export function findHeadEnd(p: usize, end: usize): usize {
  const wanted = i8x16.splat(0x0a);
  while (p < end) {
    let mask = i8x16.bitmask(i8x16.eq(v128.load(p), wanted));
    while (mask) {
      const at = p + ctz(mask);
      if (at + 1 >= end) return 0;
      if (load<u8>(at, 1) == 0x0a) return at + 2;
      if (load<u8>(at, 1) == 0x0d && at + 2 < end && load<u8>(at, 2) == 0x0a) return at + 3;
      mask &= mask - 1;
    }
    p += 16;
  }
  return 0;
}
