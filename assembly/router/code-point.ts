/** Code points of valid UTF-8, and the classes of compiled patterns that they are looked up in. */
// raw memory: bytes of one sequence, words of one class

/** The code point at p in the low half, the bytes it takes in the high half. Valid UTF-8 only. */
export function decode(p: usize): u64 {
  const c: u32 = load<u8>(p);
  if (c < 0x80) return <u64>c | (1 << 32);
  const second: u32 = load<u8>(p, 1) & 0x3f;
  if (c < 0xe0) return <u64>(((c & 0x1f) << 6) | second) | (2 << 32);
  const third: u32 = load<u8>(p, 2) & 0x3f;
  if (c < 0xf0) return <u64>(((c & 0x0f) << 12) | (second << 6) | third) | (3 << 32);
  const fourth: u32 = load<u8>(p, 3) & 0x3f;
  const code = ((c & 7) << 18) | (second << 12) | (third << 6) | fourth;
  return <u64>code | (4 << 32);
}

/** True where the class at p, see RegexInstruction, has the code point. */
export function classHas(p: usize, c: u32): bool {
  if (c < 128) return ((load<u32>(p + <usize>((c >> 5) << 2)) >> (c & 31)) & 1) != 0;
  let low: u32 = 0;
  let high = load<u32>(p, 16);
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = p + 20 + (<usize>middle << 3);
    if (c > load<u32>(range, 4)) low = middle + 1;
    else if (c < load<u32>(range)) high = middle;
    else return true;
  }
  return false;
}
