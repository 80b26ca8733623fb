/** Lower case by Unicode (section 3.13, toLowercase), as expressions ask for with lower(). */
// raw memory: single characters of a text
import { CASED, CASE_IGNORABLE } from './sigma-data';
import { LOWER_RANGES, LOWER_RANGE_COUNT } from './lower-data';
import { classHas, decode } from './code-point';
import { sequenceLength } from './utf8';

/**
 * Writes the n bytes at p in lower case to d and returns the end. Bytes that are no UTF-8 stay as
 * they are. What does not fit before `limit` is left out; a text grows by half at most.
 */
export function putLower(d: usize, limit: usize, p: usize, n: usize): usize {
  const start = p;
  const end = p + n;
  while (p < end && d + 4 <= limit) {
    const c: u32 = load<u8>(p);
    if (c < 0x80) {
      store<u8>(d++, <u8>(c - 65 < 26 ? c | 32 : c));
      p++;
      continue;
    }
    const length = sequenceLength(p, end);
    if (!length) {
      store<u8>(d++, <u8>c);
      p++;
      continue;
    }
    const code = <u32>decode(p);
    if (code == DOTTED_I) {
      store<u8>(d, 0x69);
      d = putCodePoint(d + 1, 0x307);
    } else if (code == SIGMA) {
      d = putCodePoint(d, endsWord(start, p, p + length, end) ? FINAL_SIGMA : SMALL_SIGMA);
    } else d = putCodePoint(d, lowerOf(code));
    p += length;
  }
  return d;
}

/** The one character whose lower case is two. */
const DOTTED_I: u32 = 0x130;
const SIGMA: u32 = 0x3a3;
const SMALL_SIGMA: u32 = 0x3c3;
const FINAL_SIGMA: u32 = 0x3c2;

/** Lower case of a character beyond ASCII. */
function lowerOf(code: u32): u32 {
  let low: u32 = 0;
  let high = LOWER_RANGE_COUNT;
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = LOWER_RANGES + <usize>middle * 12;
    const first = load<u32>(range);
    const last = load<u32>(range, 4) & 0xffffff;
    if (code > last) low = middle + 1;
    else if (code < first) high = middle;
    else {
      const step = load<u32>(range, 4) >> 24;
      return (code - first) % step ? code : code + load<u32>(range, 8);
    }
  }
  return code;
}

/** True where a letter stands before `from` and none behind `to`, not counting marks between. */
function endsWord(start: usize, from: usize, to: usize, end: usize): bool {
  let p = from;
  let before = false;
  while (p > start) {
    do p--;
    while (p > start && (load<u8>(p) & 0xc0) == 0x80);
    if (!sequenceLength(p, from)) break;
    const code = <u32>decode(p);
    if (classHas(CASE_IGNORABLE, code)) continue;
    before = classHas(CASED, code);
    break;
  }
  if (!before) return false;
  while (to < end) {
    const length = sequenceLength(to, end);
    if (!length) return true;
    const code = <u32>decode(to);
    if (!classHas(CASE_IGNORABLE, code)) return !classHas(CASED, code);
    to += length;
  }
  return true;
}

function putCodePoint(d: usize, code: u32): usize {
  if (code < 0x80) {
    store<u8>(d, <u8>code);
    return d + 1;
  }
  if (code < 0x800) {
    store<u8>(d, <u8>(0xc0 | (code >> 6)));
    store<u8>(d, <u8>(0x80 | (code & 0x3f)), 1);
    return d + 2;
  }
  if (code < 0x10000) {
    store<u8>(d, <u8>(0xe0 | (code >> 12)));
    store<u8>(d, <u8>(0x80 | ((code >> 6) & 0x3f)), 1);
    store<u8>(d, <u8>(0x80 | (code & 0x3f)), 2);
    return d + 3;
  }
  store<u8>(d, <u8>(0xf0 | (code >> 18)));
  store<u8>(d, <u8>(0x80 | ((code >> 12) & 0x3f)), 1);
  store<u8>(d, <u8>(0x80 | ((code >> 6) & 0x3f)), 2);
  store<u8>(d, <u8>(0x80 | (code & 0x3f)), 3);
  return d + 4;
}
