/**
 * Paths of request targets: normalised before routing, escaped again toward the upstream. One
 * decoding only, and the router looks at the very bytes that the upstream target is made of.
 */
// raw memory: loops over the bytes of a path
import { findByte, put } from '../bytes';
import { RAW, skipClass } from './classes';

/**
 * Writes the normal form of the path at [from, from + length) to `out` (never longer) and returns
 * its length. Unreserved and other octets are decoded, reserved ones stay escaped in upper case,
 * dot segments go, slashes merge. -1: refused with 400 (a malformed escape, NUL in any spelling,
 * a path that climbs above the root, also where escaped slashes count as separators).
 */
export function normalizePath(from: usize, length: usize, out: usize): i32 {
  const end = from + length;
  const kinds = scan(from, end);
  if (kinds & HAS_NUL) return -1;
  if (!kinds) {
    put(out, from, length);
    return <i32>length;
  }
  let n: i32 = <i32>length;
  if (kinds & HAS_PERCENT) {
    n = decode(from, end, out);
    if (n < 0 || (n > 0 && climbs(out, out + n))) return -1;
    if (!(scan(out, out + n) & HAS_SEGMENTS)) return n;
  } else {
    memory.copy(out, from, length);
  }
  return n > 0 && load<u8>(out) == SLASH ? removeDots(out, out + n) : n;
}

/** Writes n bytes at d, escaping what may not stand in a request target; returns the end. */
export function putEscaped(d: usize, from: usize, n: usize): usize {
  const end = from + n;
  let p = from;
  let stop = skipClass(p, end, RAW);
  while (stop < end) {
    d = putEscape(put(d, p, stop - p), load<u8>(stop));
    p = stop + 1;
    stop = skipClass(p, end, RAW);
  }
  return put(d, p, end - p);
}

/** Writes one octet as %XX. */
export function putEscape(d: usize, c: u32): usize {
  store<u8>(d, PERCENT);
  store<u8>(d + 1, hexDigit(c >> 4));
  store<u8>(d + 2, hexDigit(c & 15));
  return d + 3;
}

const PERCENT: u8 = 0x25;
const SLASH: u8 = 0x2f;
const DOT: u8 = 0x2e;

const HAS_PERCENT: u32 = 1;
const HAS_NUL: u32 = 2;
/** "//" or "/.": the only starts of anything that the last step changes. */
const HAS_SEGMENTS: u32 = 4;

/** HAS_ bits of [p, end); raw vector loads, bytes past the end are masked out. */
function scan(p: usize, end: usize): u32 {
  const slash = i8x16.splat(SLASH);
  const dot = i8x16.splat(DOT);
  let kinds: u32 = 0;
  for (; p < end; p += 16) {
    const here = v128.load(p);
    const next = v128.load(p, 1);
    const inside = <u32>(end - p) >= 16 ? 0xffff : (1 << <u32>(end - p)) - 1;
    const pairs = v128.and(
      i8x16.eq(here, slash),
      v128.or(i8x16.eq(next, slash), i8x16.eq(next, dot)),
    );
    const percent = i8x16.bitmask(i8x16.eq(here, i8x16.splat(PERCENT)));
    const nul = i8x16.bitmask(i8x16.eq(here, i8x16.splat(0)));
    // the second byte of a pair must be inside too
    const paired = i8x16.bitmask(pairs) & (<u32>(end - p) > 16 ? 0xffff : inside >> 1);
    if (percent & inside) kinds |= HAS_PERCENT;
    if (nul & inside) kinds |= HAS_NUL;
    if (paired) kinds |= HAS_SEGMENTS;
  }
  return kinds;
}

/** Decodes every escape once; returns the length or -1. */
function decode(p: usize, end: usize, out: usize): i32 {
  let d = out;
  while (p < end) {
    const next = findByte(p, end, PERCENT);
    memory.copy(d, p, next - p);
    d += next - p;
    if (next == end) break;
    if (next + 2 >= end) return -1;
    const high = hexValue(load<u8>(next, 1));
    const low = hexValue(load<u8>(next, 2));
    if ((high | low) > 15) return -1;
    const c = (high << 4) | low;
    if (c == 0) return -1;
    if (isReserved(c)) {
      store<u8>(d, PERCENT);
      store<u8>(d + 1, hexDigit(high));
      store<u8>(d + 2, hexDigit(low));
      d += 3;
    } else {
      store<u8>(d++, <u8>c);
    }
    p = next + 3;
  }
  return <i32>(d - out);
}

/**
 * True where the decoded path leaves the root when %2F counts as a slash: the reference's server
 * looks at it that way before routing, and so may the upstream.
 */
function climbs(p: usize, end: usize): bool {
  let depth = 0;
  while (p < end) {
    const separator = separatorLength(p, end);
    if (separator) {
      p += separator;
      continue;
    }
    const segment = p;
    while (p < end && !separatorLength(p, end)) p++;
    const n = p - segment;
    if (n == 1 && load<u8>(segment) == DOT) continue;
    if (n == 2 && load<u8>(segment) == DOT && load<u8>(segment, 1) == DOT) {
      if (--depth < 0) return true;
    } else {
      depth++;
    }
  }
  return false;
}

/** 1 at a slash, 3 at %2F (upper case after decoding), else 0. */
function separatorLength(p: usize, end: usize): usize {
  if (load<u8>(p) == SLASH) return 1;
  const escaped = p + 3 <= end && (load<u32>(p) & 0xffffff) == 0x463225;
  return escaped ? 3 : 0;
}

/** Removes dot segments and merges slashes in place (RFC 3986 5.2.4); returns the length or -1. */
function removeDots(out: usize, end: usize): i32 {
  let p = out;
  let d = out;
  while (p < end) {
    // here p stands at a slash; d is behind a slash or at the end of a segment
    if (d == out || load<u8>(d - 1) != SLASH) store<u8>(d++, SLASH);
    p++;
    const next = findByte(p, end, SLASH);
    const n = next - p;
    if (n == 2 && load<u8>(p) == DOT && load<u8>(p, 1) == DOT) {
      if (d == out + 1) return -1;
      do d--;
      while (load<u8>(d - 1) != SLASH);
    } else if (!(n == 1 && load<u8>(p) == DOT)) {
      memory.copy(d, p, n);
      d += n;
    }
    p = next;
  }
  return <i32>(d - out);
}

/** Value of a hexadecimal digit, above 15 for any other byte. */
// @ts-ignore: decorator
@inline
export function hexValue(c: u32): u32 {
  if (c - 48 < 10) return c - 48;
  const letter = (c | 32) - 97;
  return letter < 6 ? letter + 10 : 255;
}

// @ts-ignore: decorator
@inline
function hexDigit(n: u32): u8 {
  return <u8>(n < 10 ? 48 + n : 55 + n);
}

/** gen-delims, sub-delims and % (RFC 3986 2.2): `! # $ % & ' ( ) * + , / : ; = ? @ [ ]` */
// @ts-ignore: decorator
@inline
function isReserved(c: u32): bool {
  // bits of 0x20..0x3f and of 0x40..0x5f
  if (c - 0x20 < 32) return ((0xac009ffa >>> (c - 0x20)) & 1) != 0;
  return c == 0x40 || c == 0x5b || c == 0x5d;
}
