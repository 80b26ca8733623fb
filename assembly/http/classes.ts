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

const classes: usize = memory.data(256);

/** Fills the class table; called once by `init`. */
export function initClasses(): void {
  for (let c: u32 = 0x21; c < 256; c++) {
    if (c != 0x7f && c != 0x23) add(c, TARGET);
  }
  for (let c: u32 = 48; c <= 57; c++) add(c, TOKEN | HEX | DIGIT | HOST_CHAR);
  for (let c: u32 = 65; c <= 90; c++) {
    add(c, TOKEN | HOST_CHAR);
    add(c | 32, TOKEN | HOST_CHAR);
  }
  for (let c: u32 = 65; c <= 70; c++) {
    add(c, HEX);
    add(c | 32, HEX);
  }
  addText("!#$%&'*+-.^_`|~", TOKEN);
  addText("-._~!$&'()*+,;=%", HOST_CHAR);
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

/** First byte in [p, end) outside the class, or `end`. */
export function skipClass(p: usize, end: usize, bits: u8): usize {
  while (p < end && load<u8>(classes + load<u8>(p)) & bits) p++;
  return p;
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
