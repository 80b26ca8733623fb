/**
 * Chooses the content type of an error answer from the Accept header: highest q wins, the first on
 * equality (kong-router reference, section 16).
 */
// raw memory: walks the header value
import { isWord } from '../bytes';
import {
  CONTENT_TYPE_HTML,
  CONTENT_TYPE_JSON,
  CONTENT_TYPE_PLAIN,
  CONTENT_TYPE_XML,
} from '../layout';
import { TOKEN, skipClass } from './classes';

/** contentType code for the Accept value of n bytes; `fallback` where no range is one of ours. */
export function chooseType(p: usize, n: usize, fallback: u32): u32 {
  const end = p + n;
  let best: i32 = -1;
  let chosen = fallback;
  while (p < end) {
    let rangeEnd = p;
    while (rangeEnd < end && load<u8>(rangeEnd) != 0x2c) rangeEnd++;
    while (p < rangeEnd && (load<u8>(p) == 0x20 || load<u8>(p) == 0x09)) p++;
    let typeEnd = skipClass(p, rangeEnd, TOKEN);
    if (typeEnd < rangeEnd && load<u8>(typeEnd) == 0x2f) {
      typeEnd = skipClass(typeEnd + 1, rangeEnd, TOKEN);
    }
    const type = typeOf(p, typeEnd - p);
    const weight = weightOf(typeEnd, rangeEnd);
    if (type >= 0 && weight > best && weight > 0) {
      best = weight;
      chosen = <u32>type;
    }
    p = rangeEnd + 1;
  }
  return chosen;
}

function typeOf(p: usize, n: usize): i32 {
  if (isWord(p, n, 'application/json') || isWord(p, n, 'application/*') || isWord(p, n, '*/*')) {
    return CONTENT_TYPE_JSON;
  }
  if (isWord(p, n, 'text/html')) return CONTENT_TYPE_HTML;
  if (isWord(p, n, 'text/plain') || isWord(p, n, 'text/*')) return CONTENT_TYPE_PLAIN;
  return isWord(p, n, 'application/xml') ? CONTENT_TYPE_XML : -1;
}

/** q in thousandths; 1000 where none is given. */
function weightOf(p: usize, end: usize): i32 {
  for (; p + 2 < end; p++) {
    if ((load<u8>(p) | 32) != 0x71 || load<u8>(p, 1) != 0x3d) continue;
    let value: i32 = 0;
    let scale: i32 = 1000;
    for (let q = p + 2; q < end && scale; q++) {
      const c = <i32>load<u8>(q);
      if (c == 0x2e) continue;
      if (c < 48 || c > 57) break;
      value += (c - 48) * scale;
      scale /= 10;
    }
    return value;
  }
  return 1000;
}
