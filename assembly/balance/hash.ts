/** XXH32 with seed 0, the hash of Kong's rings. */
// raw memory: words of the text
const P1: u32 = 0x9e3779b1;
const P2: u32 = 0x85ebca77;
const P3: u32 = 0xc2b2ae3d;
const P4: u32 = 0x27d4eb2f;
const P5: u32 = 0x165667b1;

/** The hash of n bytes at p. */
export function hash32(p: usize, n: usize): u32 {
  const end = p + n;
  let h: u32 = P5;
  if (n >= 16) {
    let a: u32 = P1 + P2;
    let b: u32 = P2;
    let c: u32 = 0;
    let d: u32 = 0 - P1;
    do {
      a = round(a, load<u32>(p));
      b = round(b, load<u32>(p, 4));
      c = round(c, load<u32>(p, 8));
      d = round(d, load<u32>(p, 12));
      p += 16;
    } while (p + 16 <= end);
    h = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
  }
  h += <u32>n;
  for (; p + 4 <= end; p += 4) h = rotl(h + load<u32>(p) * P3, 17) * P4;
  for (; p < end; p++) h = rotl(h + <u32>load<u8>(p) * P5, 11) * P1;
  h = (h ^ (h >> 15)) * P2;
  h = (h ^ (h >> 13)) * P3;
  return h ^ (h >> 16);
}

// @ts-ignore: decorator
@inline
function round(sum: u32, word: u32): u32 {
  return rotl(sum + word * P2, 13) * P1;
}
