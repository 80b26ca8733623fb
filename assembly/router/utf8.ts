/** Well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, surrogates or cut sequences. */
// raw memory: loops over the bytes of a text

/** True where the n bytes at p are valid UTF-8. Plain ASCII costs one vector test per 16 bytes. */
export function isUtf8(p: usize, n: usize): bool {
  const end = p + n;
  while (p < end) {
    const high = i8x16.bitmask(v128.load(p));
    if (end - p < 16 && !(high & ((1 << <u32>(end - p)) - 1))) return true;
    if (!high) {
      p += 16;
      continue;
    }
    const length = sequenceLength(p, end);
    if (!length) return false;
    p += length;
  }
  return true;
}

/** Bytes of the sequence at p, 0 where it is not well formed or reaches past the end. */
export function sequenceLength(p: usize, end: usize): usize {
  const c: u32 = load<u8>(p);
  if (c < 0x80) return 1;
  if (c - 0xc2 < 0x1e) return end - p >= 2 && isTail(load<u8>(p, 1)) ? 2 : 0;
  if ((c & 0xf0) == 0xe0) {
    if (end - p < 3) return 0;
    const second: u32 = load<u8>(p, 1);
    if (c == 0xe0 && second < 0xa0) return 0;
    if (c == 0xed && second > 0x9f) return 0;
    return isTail(second) && isTail(load<u8>(p, 2)) ? 3 : 0;
  }
  if (c - 0xf0 < 5) {
    if (end - p < 4) return 0;
    const second: u32 = load<u8>(p, 1);
    if (c == 0xf0 && second < 0x90) return 0;
    if (c == 0xf4 && second > 0x8f) return 0;
    return isTail(second) && isTail(load<u8>(p, 2)) && isTail(load<u8>(p, 3)) ? 4 : 0;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function isTail(c: u32): bool {
  return (c & 0xc0) == 0x80;
}
