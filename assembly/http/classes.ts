/**
 * Character classes of RFC 9110 and RFC 3986 as one 256-entry table of bits, and the scans over
 * them. The vector scans only skip ahead; the byte test after them decides.
 */
// raw memory: the class table and vector scans

export const TOKEN: u8 = 1; // RFC 9110 5.6.2
export const HEX: u8 = 2;
export const DIGIT: u8 = 4;
export const HOST_CHAR: u8 = 8; // reg-name of RFC 3986 3.2.2, and the percent sign
export const TARGET: u8 = 16; // anything but controls, blank, DEL and '#'
export const RAW: u8 = 32; // RFC 3986 2.2, 2.3 and '%': stands in a target as it is

const classes: usize = memory.data(256);
/**
 * The ASCII part of each class for skipClass, 16 bytes each: byte n has a bit per character whose
 * low half is n, the bit of its high half.
 */
const sets: usize = memory.data(128, 16);

/** Fills the class table; called once by `init`. */
export function initClasses(): void {
  for (let c: u32 = 0x21; c < 256; c++) {
    if (c != 0x7f && c != 0x23) add(c, TARGET);
  }
  for (let c: u32 = 48; c <= 57; c++) add(c, TOKEN | HEX | DIGIT | HOST_CHAR | RAW);
  for (let c: u32 = 65; c <= 90; c++) {
    add(c, TOKEN | HOST_CHAR | RAW);
    add(c | 32, TOKEN | HOST_CHAR | RAW);
  }
  for (let c: u32 = 65; c <= 70; c++) {
    add(c, HEX);
    add(c | 32, HEX);
  }
  addText("!#$%&'*+-.^_`|~", TOKEN);
  addText("-._~!$&'()*+,;=%", HOST_CHAR);
  addText("-._~!#$%&'()*+,/:;=?@[]", RAW);
  for (let c: u32 = 0; c < 128; c++) addToSets(c, load<u8>(classes + c));
}

function addToSets(c: u32, bits: u32): void {
  for (; bits; bits &= bits - 1) {
    const at = sets + (<usize>ctz(bits) << 4) + (c & 15);
    store<u8>(at, load<u8>(at) | <u8>((<u32>1) << (c >> 4)));
  }
}

function add(c: u32, bits: u8): void {
  store<u8>(classes + c, load<u8>(classes + c) | bits);
}

function addText(text: string, bits: u8): void {
  const from = changetype<usize>(text);
  for (let i = 0; i < text.length; i++) add(load<u8>(from + (<usize>i << 1)), bits);
}

/** True where the byte belongs to the class. */
// @ts-ignore: decorator
@inline
export function isClass(c: u32, bits: u8): bool {
  return (load<u8>(classes + c) & bits) != 0;
}

/** First byte in [p, end) outside the class, or `end`. Not for TARGET, which is beyond ASCII. */
export function skipClass(p: usize, end: usize, bits: u8): usize {
  const set = v128.load(sets + (<usize>ctz<u32>(bits) << 4));
  const halves = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
  const low = i8x16.splat(15);
  while (p < end) {
    const v = v128.load(p);
    const inside = v128.and(
      i8x16.swizzle(set, v128.and(v, low)),
      i8x16.swizzle(halves, v128.and(i16x8.shr_u(v, 4), low)),
    );
    const mask = i8x16.bitmask(i8x16.eq(inside, i8x16.splat(0)));
    if (mask) {
      const at = p + ctz(mask);
      return at < end ? at : end;
    }
    p += 16;
  }
  return end;
}

/** First control octet (TAB excepted) or DEL in [p, end), or `end`. */
export function findControl(p: usize, end: usize): usize {
  while (p < end) {
    const v = v128.load(p);
    const low = v128.and(i8x16.lt_u(v, i8x16.splat(32)), i8x16.ne(v, i8x16.splat(9)));
    const mask = i8x16.bitmask(v128.or(low, i8x16.eq(v, i8x16.splat(127))));
    if (mask) {
      const at = p + ctz(mask);
      return at < end ? at : end;
    }
    p += 16;
  }
  return end;
}

/** First octet in [p, end) that is no TARGET character, or `end`. */
export function findTargetEnd(p: usize, end: usize): usize {
  while (p < end) {
    const v = v128.load(p);
    const low = v128.or(i8x16.le_u(v, i8x16.splat(32)), i8x16.eq(v, i8x16.splat(127)));
    const mask = i8x16.bitmask(v128.or(low, i8x16.eq(v, i8x16.splat(35))));
    if (mask) {
      const at = p + ctz(mask);
      return at < end ? at : end;
    }
    p += 16;
  }
  return end;
}

/** First octet in [p, end) outside ASCII, or `end`. */
export function findHigh(p: usize, end: usize): usize {
  while (p < end) {
    const mask = i8x16.bitmask(v128.load(p));
    if (mask) {
      const at = p + ctz(mask);
      return at < end ? at : end;
    }
    p += 16;
  }
  return end;
}
