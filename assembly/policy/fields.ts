/** What policies look for in a request: header fields and arguments of the query. */
// raw memory: loops over the bytes of names
import { equal, lower } from '../bytes';
import * as head from '../http/head';
import { HEADER_ENTRY_SIZE, HeaderEntry, REQUEST_HEADERS } from '../layout';
import * as request from '../proxy/request';

/** How many fields, or arguments, the last search found. */
export let found: u32 = 0;
/** Value of the first argument that the last search found, and whether it had one. */
export let argument: usize = 0;
export let argumentBytes: u32 = 0;
export let argumentHasValue: bool = false;

/** First field of that name, in any case and `_` as good as `-`; counts all of them. */
export function findField(name: usize, n: u32): HeaderEntry | null {
  let first: HeaderEntry | null = null;
  found = 0;
  for (let i: u32 = 0; i < head.headerCount; i++) {
    const entry = changetype<HeaderEntry>(REQUEST_HEADERS + <usize>i * HEADER_ENTRY_SIZE);
    if (entry.nameLength != <u16>n || entry.flags & 1 || !isFolded(entry.name, name, n)) continue;
    if (!first) first = entry;
    found++;
  }
  return first;
}

/** True where the n bytes at `given` are those at `name`, which is in lower case with dashes. */
function isFolded(given: usize, name: usize, n: u32): bool {
  for (let i: usize = 0; i < n; i++) {
    const c = lower(load<u8>(given + i));
    if ((c == 0x5f ? 0x2d : c) != load<u8>(name + i)) return false;
  }
  return true;
}

/** Bytes of the query of the request at hand, without the mark. */
export function queryBytes(): u32 {
  return request.targetBytes > request.pathBytes + 1
    ? request.targetBytes - request.pathBytes - 1
    : 0;
}

/** False where the query must be decoded to be understood, or has very many arguments. */
export function isPlainQuery(): bool {
  const end = request.target + request.targetBytes;
  let count = 0;
  for (let p = end - queryBytes(); p < end; p++) {
    const c = load<u8>(p);
    if (c == 0x25 || c == 0x2b) return false;
    if (c == 0x26) count++;
  }
  return count < 500;
}

/** Looks for an argument of a plain query; sets `found` and what it says of the first. */
export function findArgument(name: usize, n: u32): void {
  const end = request.target + request.targetBytes;
  let p = end - queryBytes();
  found = 0;
  while (p < end) {
    let stop = p;
    let equals: usize = 0;
    for (; stop < end && load<u8>(stop) != 0x26; stop++) {
      if (!equals && load<u8>(stop) == 0x3d) equals = stop;
    }
    const nameEnd = equals ? equals : stop;
    if (nameEnd - p == n && equal(p, name, n)) {
      if (!found++) {
        argument = equals ? equals + 1 : stop;
        argumentBytes = <u32>(stop - argument);
        argumentHasValue = equals != 0;
      }
    }
    p = stop + 1;
  }
}

/** True where a value may be sent on as it is: printable ASCII only. */
export function isPrintable(p: usize, n: u32): bool {
  for (let i: usize = 0; i < n; i++) {
    const c = load<u8>(p + i);
    if (c < 0x20 || c > 0x7e) return false;
  }
  return true;
}
