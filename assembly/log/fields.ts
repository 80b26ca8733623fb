/** The parts of a log record that become JSON objects: header fields and query arguments. */
// raw memory: bytes of texts
import { findByte, findEither, hash, isWord, put, putText } from '../bytes';
import { hexValue } from '../http/path';

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const PERCENT: u8 = 0x25;
const PLUS: u8 = 0x2b;
const MEMBERS_MAX: i32 = 64;

/** Hashes of the names of the object being written, and how many they are. */
const seen: usize = memory.data(256);
let count: i32 = 0;

/** True for anything but printable ASCII and line ends. */
export function isSpecial(from: usize, end: usize): bool {
  const space = i8x16.splat(0x20);
  const lineFeed = i8x16.splat(0x0a);
  const carriageReturn = i8x16.splat(0x0d);
  const del = i8x16.splat(0x7f);
  for (let p = from; p < end; p += 16) {
    const bytes = v128.load(p);
    // Signed: bytes from 0x80 on are below the blank as well.
    let bad = v128.andnot(
      i8x16.lt_s(bytes, space),
      v128.or(i8x16.eq(bytes, lineFeed), i8x16.eq(bytes, carriageReturn)),
    );
    bad = v128.or(bad, i8x16.eq(bytes, del));
    let mask = i8x16.bitmask(bad);
    if (end - p < 16) mask &= (1 << <i32>(end - p)) - 1;
    if (mask) return true;
  }
  return false;
}

/** True where a JSON string would have to escape a byte of printable ASCII. */
export function hasQuotes(p: usize, end: usize): bool {
  return findEither(p, end, QUOTE, BACKSLASH) != end;
}

/** Position of the next CRLF in [p, end), or `end`; 0 where a line end is not both of its bytes. */
export function lineEnd(p: usize, end: usize): usize {
  const at = findEither(p, end, 0x0d, 0x0a);
  if (at == end) return end;
  return at + 1 < end && load<u16>(at) == 0x0a0d ? at : 0;
}

/**
 * Writes the fields of the lines in [p, end) as a JSON object, names in lower case; credentials of
 * requests are left out. Returns the end, or 0 where a name is repeated or no common one.
 */
export function putFields(d: usize, p: usize, end: usize, isRequest: bool): usize {
  count = 0;
  store<u8>(d++, 0x7b);
  while (p < end) {
    const stop = lineEnd(p, end);
    if (!stop) return 0;
    if (stop == p) break;
    const colon = findByte(p, stop, 0x3a);
    if (colon == stop) return 0;
    d = putName(d, p, colon);
    if (!d) return 0;
    store<u8>(d, 0x3a);
    store<u8>(d + 1, QUOTE);
    d = isRequest && isSecret(p, colon - p)
      ? putText(d + 2, 'REDACTED')
      : putTrimmed(d + 2, colon + 1, stop);
    store<u8>(d++, QUOTE);
    p = stop + 2;
  }
  store<u8>(d, 0x7d);
  return d + 1;
}

/**
 * Writes the decoded arguments in [p, end); returns as putFields does, 0 also for escapes that are
 * malformed or stand for anything but printable ASCII.
 */
export function putArguments(d: usize, p: usize, end: usize): usize {
  count = 0;
  store<u8>(d++, 0x7b);
  while (p < end) {
    const stop = findByte(p, end, 0x26);
    const equals = findByte(p, stop, 0x3d);
    if (equals > p) {
      d = putArgumentName(d, p, equals);
      if (!d) return 0;
      store<u8>(d++, 0x3a);
      if (equals == stop) {
        d = putText(d, 'true');
      } else {
        store<u8>(d, QUOTE);
        d = putDecoded(d + 1, equals + 1, stop);
        if (!d) return 0;
        store<u8>(d++, QUOTE);
      }
    }
    p = stop + 1;
  }
  store<u8>(d, 0x7d);
  return d + 1;
}

/**
 * Writes `"name"` in lower case, behind a comma where it is not the first. Up to 15 bytes behind
 * it are overwritten: a text is written from its front, with room left at its end.
 */
function putName(d: usize, p: usize, end: usize): usize {
  if (p == end || isDigit(load<u8>(p))) return 0;
  d = openName(d);
  let sum: u64 = end - p;
  for (; p + 16 < end; p += 16, d += 16) {
    const part = lowered(v128.load(p));
    v128.store(d, part);
    sum = mix(sum, part);
  }
  const last = lowered(v128.load(p));
  v128.store(d, last);
  const left = i8x16.splat(<i8>(end - p));
  const inside = i8x16.lt_u(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), left);
  sum = mix(sum, v128.and(last, inside));
  d += end - p;
  store<u8>(d, QUOTE);
  return isNew(<u32>(sum >> 32)) ? d + 1 : 0;
}

// @ts-ignore: decorator
@inline
function lowered(bytes: v128): v128 {
  const capitals = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(65)), i8x16.splat(26));
  return v128.or(bytes, v128.and(capitals, i8x16.splat(32)));
}

// @ts-ignore: decorator
@inline
function mix(sum: u64, part: v128): u64 {
  sum = (sum ^ i64x2.extract_lane(part, 0)) * 0x9e3779b97f4a7c15;
  sum = (sum ^ (sum >> 29) ^ i64x2.extract_lane(part, 1)) * 0xbf58476d1ce4e5b9;
  return sum ^ (sum >> 31);
}

/** As putName, but the case stays. */
function putArgumentName(d: usize, p: usize, end: usize): usize {
  const name = openName(d);
  d = putDecoded(name, p, end);
  if (!d || isDigit(load<u8>(name))) return 0;
  store<u8>(d, QUOTE);
  return isNew(hash(name, d - name)) ? d + 1 : 0;
}

/** Writes text of a query without its escapes as the inside of a JSON string; 0: see above. */
function putDecoded(d: usize, p: usize, end: usize): usize {
  while (p < end) {
    const next = findEither(p, end, PERCENT, PLUS);
    d = putQuoted(d, p, next);
    if (next == end) break;
    let c: u32 = 0x20;
    p = next + 1;
    if (load<u8>(next) == PERCENT) {
      if (next + 2 >= end) return 0;
      const high = hexValue(load<u8>(next, 1));
      const low = hexValue(load<u8>(next, 2));
      if ((high | low) > 15) return 0;
      c = (high << 4) | low;
      p = next + 3;
    }
    if (c - 0x20 > 0x5e) return 0;
    if (c == QUOTE || c == BACKSLASH) store<u8>(d++, BACKSLASH);
    store<u8>(d++, <u8>c);
  }
  return d;
}

/** Writes printable ASCII as the inside of a JSON string. */
function putQuoted(d: usize, p: usize, end: usize): usize {
  for (;;) {
    const next = findEither(p, end, QUOTE, BACKSLASH);
    d = put(d, p, next - p);
    if (next == end) break;
    store<u8>(d, BACKSLASH);
    store<u8>(d + 1, load<u8>(next));
    d += 2;
    p = next + 1;
  }
  return d;
}

function openName(d: usize): usize {
  if (count) store<u8>(d++, 0x2c);
  store<u8>(d, QUOTE);
  return d + 1;
}

/** Names of one hash count as one name: the slow way then finds out. */
function isNew(hash: u32): bool {
  if (count == MEMBERS_MAX) return false;
  for (let i = 0; i < count; i++) {
    if (load<u32>(seen + (<usize>i << 2)) == hash) return false;
  }
  store<u32>(seen + (<usize>count << 2), hash);
  count++;
  return true;
}

/** JavaScript orders names like indices before others. */
// @ts-ignore: decorator
@inline
function isDigit(c: u32): bool {
  return c - 48 < 10;
}

function isSecret(p: usize, n: usize): bool {
  return isWord(p, n, 'authorization') || isWord(p, n, 'proxy-authorization');
}

function putTrimmed(d: usize, p: usize, end: usize): usize {
  while (p < end && load<u8>(p) == 0x20) p++;
  while (end > p && load<u8>(end - 1) == 0x20) end--;
  return putQuoted(d, p, end);
}
