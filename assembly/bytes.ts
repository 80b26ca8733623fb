/**
 * The general load/store helpers: find, compare ignoring case, copy, hash, print. Everything that
 * scans may read up to 15 bytes past its end (memory is one block and every region is padded), but
 * only bytes before the end decide.
 */

/** Above it memory.copy is worth its call. */
const PUT_BYTES_MAX: usize = 256;
const BILLION: u64 = 1000000000;

/** Lower-cases one ASCII byte. */
// @ts-ignore: decorator
@inline
export function lower(c: u32): u32 {
  return c - 65 < 26 ? c | 32 : c;
}

/** First position of `c` in [p, end), or `end`. */
export function findByte(p: usize, end: usize, c: u8): usize {
  const wanted = i8x16.splat(c);
  while (p < end) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(p), wanted));
    if (mask) {
      const at = p + ctz(mask);
      return at < end ? at : end;
    }
    p += 16;
  }
  return end;
}

/** First position of `a` or `b` in [p, end), or `end`. */
export function findEither(p: usize, end: usize, a: u8, b: u8): usize {
  const first = i8x16.splat(a);
  const second = i8x16.splat(b);
  while (p < end) {
    const bytes = v128.load(p);
    const mask = i8x16.bitmask(v128.or(i8x16.eq(bytes, first), i8x16.eq(bytes, second)));
    if (mask) {
      const at = p + ctz(mask);
      return at < end ? at : end;
    }
    p += 16;
  }
  return end;
}

/** True where n bytes at a and b are equal. */
export function equal(a: usize, b: usize, n: usize): bool {
  while (n > 16) {
    if (i8x16.bitmask(i8x16.ne(v128.load(a), v128.load(b)))) return false;
    a += 16;
    b += 16;
    n -= 16;
  }
  const differs = i8x16.bitmask(i8x16.ne(v128.load(a), v128.load(b)));
  return (differs & ((1 << <u32>n) - 1)) == 0;
}

/** True where n bytes at a and b are equal, ASCII letters without case. */
export function equalIgnoreCase(a: usize, b: usize, n: usize): bool {
  for (let i: usize = 0; i < n; i++) {
    if (lower(load<u8>(a + i)) != lower(load<u8>(b + i))) return false;
  }
  return true;
}

/** True where n bytes at p spell the lower-case ASCII literal, without case. */
// @ts-ignore: decorator
@inline
export function isWord(p: usize, n: usize, word: string): bool {
  return n == <usize>word.length && spells(p, word);
}

function spells(p: usize, word: string): bool {
  const text = changetype<usize>(word);
  const n = <u32>word.length;
  if (n <= 16) return !(differing(p, text) & ((1 << n) - 1));
  // The last 16 once more, whatever of them was looked at already.
  for (let i: usize = 0; i + 16 < n; i += 16) {
    if (differing(p + i, text + (i << 1))) return false;
  }
  return !differing(p + n - 16, text + ((n - 16) << 1));
}

/** Bit per byte of the 16 at p that is not the lower-case character of the literal at text. */
// @ts-ignore: decorator
@inline
function differing(p: usize, text: usize): u32 {
  const bytes = v128.load(p);
  const capitals = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(65)), i8x16.splat(26));
  const lowered = v128.or(bytes, v128.and(capitals, i8x16.splat(32)));
  return <u32>i8x16.bitmask(i8x16.ne(lowered, narrow(text)));
}

/** 16 characters of a literal as bytes. */
// @ts-ignore: decorator
@inline
function narrow(text: usize): v128 {
  return i8x16.narrow_i16x8_u(v128.load(text), v128.load(text, 16));
}

/**
 * Writes the ASCII literal at d; returns the end. Literals are static data: nothing is allocated.
 */
export function putText(d: usize, text: string): usize {
  const from = changetype<usize>(text);
  const n = <usize>text.length;
  if (n < 8) {
    for (let i: usize = 0; i < n; i++) store<u8>(d + i, load<u8>(from + (i << 1)));
    return d + n;
  }
  // The last 8 once more: nothing behind the end is touched.
  for (let i: usize = 0; i + 8 < n; i += 8) putEight(d + i, from + (i << 1));
  putEight(d + n - 8, from + ((n - 8) << 1));
  return d + n;
}

// @ts-ignore: decorator
@inline
function putEight(d: usize, from: usize): void {
  const characters = v128.load(from);
  v128.store64_lane(d, i8x16.narrow_i16x8_u(characters, characters), 0);
}

/** Copies 16 bytes, an address say. */
// @ts-ignore: decorator
@inline
export function copy16(d: usize, from: usize): void {
  v128.store(d, v128.load(from));
}

/**
 * Copies n bytes, which do not overlap; returns the end. Most are short, and a call of the engine's
 * memory.copy costs more than they do: a few words, the last of which may cover some bytes again.
 */
export function put(d: usize, from: usize, n: usize): usize {
  const end = d + n;
  if (n >= 16) {
    if (n > PUT_BYTES_MAX) {
      memory.copy(d, from, n);
      return end;
    }
    const last = v128.load(from + n - 16);
    for (; d < end - 16; d += 16, from += 16) v128.store(d, v128.load(from));
    v128.store(end - 16, last);
  } else if (n >= 8) {
    store<u64>(d, load<u64>(from));
    store<u64>(end - 8, load<u64>(from + n - 8));
  } else if (n >= 4) {
    store<u32>(d, load<u32>(from));
    store<u32>(end - 4, load<u32>(from + n - 4));
  } else if (n) {
    store<u8>(d, load<u8>(from));
    store<u8>(d + (n >> 1), load<u8>(from + (n >> 1)));
    store<u8>(end - 1, load<u8>(from + n - 1));
  }
  return end;
}

/** Writes a decimal number; returns the end. */
export function putDecimal(d: usize, value: u64): usize {
  if (value < 10) {
    store<u8>(d, 48 + <u8>value);
    return d + 1;
  }
  if (value < BILLION) return putSmall(d, <u32>value);
  const high = value / BILLION;
  d = putDecimal(d, high);
  // Nine digits, zeros in front of them too.
  let rest = <u32>(value - high * BILLION);
  for (let p = d + 8; p >= d; p--) {
    const next = rest / 10;
    store<u8>(p, <u8>(48 + rest - next * 10));
    rest = next;
  }
  return d + 9;
}

/** Up to nine digits: division of 32 bits by a constant is a multiplication. */
function putSmall(d: usize, value: u32): usize {
  let digits: u32 = 1;
  for (let power: u32 = 10; power <= value && digits < 9; power *= 10) digits++;
  const end = d + digits;
  let p = end;
  do {
    const next = value / 10;
    store<u8>(--p, <u8>(48 + value - next * 10));
    value = next;
  } while (value);
  return end;
}

/** Writes a number in lower-case hexadecimal without leading zeros; returns the end. */
export function putHex(d: usize, value: u64): usize {
  let digits = 1;
  for (let rest = value >> 4; rest; rest >>= 4) digits++;
  const end = d + digits;
  for (let p = end - 1; p >= d; p--) {
    const digit = <u32>value & 15;
    store<u8>(p, <u8>(digit < 10 ? 48 + digit : 87 + digit));
    value >>= 4;
  }
  return end;
}

/** FNV-1a over n bytes. */
export function hash(p: usize, n: usize): u32 {
  let h: u32 = 2166136261;
  for (let i: usize = 0; i < n; i++) h = (h ^ load<u8>(p + i)) * 16777619;
  return h;
}
