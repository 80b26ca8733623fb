/**
 * The cookie that keeps a client with its peer: set where a request has none (kong-config
 * reference, section 12).
 */
// raw memory: the id is put together byte by byte
import { equal, isWord, put, putText } from '../bytes';
import { tableBase } from '../balance/table';
import { hash32 } from '../balance/hash';
import * as head from '../http/head';
import { Balancer, HEADER_ENTRY_SIZE, HeaderEntry, RESPONSE_HEADERS } from '../layout';
import { allocate, release } from '../memory';
import { Exchange, putRandom } from './exchange';

const random: usize = memory.data(32);
const ID_BYTES: u32 = 36;

/** Makes an id, hashes it instead of the missing cookie, and has the answer set it. */
export function setHashCookie(b: Balancer, x: Exchange): bool {
  const base = tableBase();
  const lineBytes = <usize>b.hashNameLength + b.cookieLength + 64;
  const slot = allocate(x.debugBytes + lineBytes);
  const name = allocate(<usize>b.hashNameLength + 1);
  if (!slot || !name) return false;
  let d = put(slot, x.debug, x.debugBytes);
  d = put(putText(d, 'Set-Cookie: '), base + b.hashName, b.hashNameLength);
  store<u8>(d, 0x3d);
  const id = d + 1;
  d = putId(id);
  x.hashValue = hash32(id, ID_BYTES);
  d = put(d, base + b.cookie, b.cookieLength);
  release(x.debug);
  x.debug = <u32>slot;
  x.debugBytes = <u32>(d - slot);
  store<u8>(put(name, base + b.hashName, b.hashNameLength), 0x3d);
  x.cookie = <u32>name;
  x.cookieBytes = b.hashNameLength + 1;
  return true;
}

/** Takes the upstream's cookie of that name out of the answer just parsed: ours replaces it. */
export function dropSameCookie(x: Exchange): void {
  for (let i: u32 = 0; i < head.headerCount; i++) {
    const entry = changetype<HeaderEntry>(RESPONSE_HEADERS + <usize>i * HEADER_ENTRY_SIZE);
    if (<u32>entry.valueLength < x.cookieBytes) continue;
    if (!isWord(entry.name, entry.nameLength, 'set-cookie')) continue;
    if (equal(entry.value, x.cookie, x.cookieBytes)) entry.flags |= 1;
  }
}

/** Writes a random UUID of version 4 (RFC 9562 5.4). */
function putId(d: usize): usize {
  putRandom(random);
  putRandom(random + 16);
  store<u8>(random, 0x34, 12);
  // The variant: 8, 9, a or b.
  const bits = load<u8>(random, 16) & 3;
  store<u8>(random, <u8>(bits < 2 ? 0x38 + bits : 0x5f + bits), 16);
  d = putPart(d, random, 8);
  d = putPart(d, random + 8, 4);
  d = putPart(d, random + 12, 4);
  d = putPart(d, random + 16, 4);
  return put(d, random + 20, 12);
}

function putPart(d: usize, from: usize, n: usize): usize {
  d = put(d, from, n);
  store<u8>(d, 0x2d);
  return d + 1;
}
