/**
 * The general load/store helpers: find, compare ignoring case, copy, hash, print. Everything that
 * scans may read up to 15 bytes past its end (memory is one block and every region is padded), but
 * only bytes before the end decide.
 */

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
  const n = <usize>word.length;
  for (let i: usize = 0; i < n; i++) {
    if (lower(load<u8>(p + i)) != <u32>load<u16>(text + (i << 1))) return false;
  }
  return true;
}

/**
 * Writes the ASCII literal at d; returns the end. Literals are static data: nothing is allocated.
 */
export function putText(d: usize, text: string): usize {
  const from = changetype<usize>(text);
  const n = <usize>text.length;
  for (let i: usize = 0; i < n; i++) store<u8>(d + i, load<u8>(from + (i << 1)));
  return d + n;
}

/** Copies n bytes; returns the end. */
// @ts-ignore: decorator
@inline
export function put(d: usize, from: usize, n: usize): usize {
  memory.copy(d, from, n);
  return d + n;
}

/** Writes a decimal number; returns the end. */
export function putDecimal(d: usize, value: u64): usize {
  let digits = 1;
  for (let rest = value; rest >= 10; rest /= 10) digits++;
  const end = d + digits;
  for (let p = end - 1; p >= d; p--) {
    store<u8>(p, 48 + <u8>(value % 10));
    value /= 10;
  }
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
