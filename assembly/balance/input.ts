/**
 * What of a request a balancer hashes (kong-config reference, section 12). Needs the results of the
 * request's parse and the edits of the access phase, which hold what only the shell knows.
 */
// raw memory: texts that are put together, their list
import { equalIgnoreCase, findByte, isWord, put } from '../bytes';
import * as head from '../http/head';
import {
  Balancer,
  EDIT_OP_HASH_FALLBACK,
  EDIT_OP_HASH_VALUE,
  HASH_INPUT_CONSUMER,
  HASH_INPUT_COOKIE,
  HASH_INPUT_HEADER,
  HASH_INPUT_IP,
  HASH_INPUT_NONE,
  HASH_INPUT_PATH,
  HASH_INPUT_QUERY_ARG,
  HASH_INPUT_URI_CAPTURE,
  HEADER_ENTRY_SIZE,
  HeaderEntry,
  REQUEST_HEADERS,
  ROUTE_SCRATCH,
  ROUTE_SCRATCH_BYTES,
} from '../layout';
import { putAddress } from '../proxy/address';
import { editValue, lastEdit } from '../proxy/edits';
import { CLIENT_ADDRESS, Exchange } from '../proxy/exchange';
import * as request from '../proxy/request';
import {
  argumentIsBare,
  argumentName,
  argumentNameLength,
  argumentValue,
  argumentValueLength,
  nextArgument,
  openArguments,
} from '../router/arguments';
import { isFoldedName } from '../router/checks';
import { hash32 } from './hash';
import { tableBase } from './table';

/** Values longer than fit here are cut; heads are limited to half of it. */
const TEXT: usize = ROUTE_SCRATCH + 0x10000;
const TEXT_END: usize = ROUTE_SCRATCH + ROUTE_SCRATCH_BYTES;

/** Values of one query argument, longer lists than Kong reads there are not. */
const VALUES_MAX: u32 = 100;
const values: usize = memory.data(800);

let at: usize = 0;
let length: usize = 0;

/** True where the request has no cookie of the name that the balancer hashes. */
export let cookieMissing: bool = false;

/** The hash of a request; of nothing where it has neither input. */
export function hashOf(b: Balancer, x: Exchange): u32 {
  const base = tableBase();
  cookieMissing = false;
  const on = b.hashOn;
  if (find(on, base + b.hashName, b.hashNameLength, x, EDIT_OP_HASH_VALUE)) {
    return hash32(at, length);
  }
  cookieMissing = on == HASH_INPUT_COOKIE;
  const name = base + b.fallbackName;
  if (find(b.fallback, name, b.fallbackNameLength, x, EDIT_OP_HASH_FALLBACK)) {
    return hash32(at, length);
  }
  cookieMissing = cookieMissing || b.fallback == HASH_INPUT_COOKIE;
  return hash32(TEXT, 0);
}

/** Leaves the input in `at` and `length`; false: the request lacks it. */
function find(input: u32, name: usize, n: u32, x: Exchange, op: u32): bool {
  switch (input) {
    case HASH_INPUT_NONE: return false;
    case HASH_INPUT_IP: {
      at = TEXT;
      length = putAddress(TEXT, changetype<usize>(x) + CLIENT_ADDRESS) - TEXT;
      return true;
    }
    case HASH_INPUT_PATH: {
      const q = request.query();
      at = q.path;
      length = q.pathLength;
      return true;
    }
    case HASH_INPUT_HEADER: return findHeader(name, n);
    case HASH_INPUT_COOKIE: return findCookie(name, n);
    case HASH_INPUT_QUERY_ARG: return findArgument(name, n);
    case HASH_INPUT_CONSUMER:
    case HASH_INPUT_URI_CAPTURE: {
      const edit = lastEdit(op);
      if (!edit) return false;
      at = editValue(edit);
      length = edit.valueLength;
      return true;
    }
  }
  return false;
}

/** Lines of one name count as one, joined with ", ". */
function findHeader(name: usize, n: u32): bool {
  let found = false;
  let d = TEXT;
  for (let i: u32 = 0; i < head.headerCount; i++) {
    const entry = changetype<HeaderEntry>(REQUEST_HEADERS + <usize>i * HEADER_ENTRY_SIZE);
    if (<u32>entry.nameLength != n || !isFoldedName(name, entry.name, n)) continue;
    if (d + entry.valueLength + 2 > TEXT_END) break;
    if (found) {
      store<u16>(d, 0x202c);
      d += 2;
    }
    found = true;
    d = put(d, entry.value, entry.valueLength);
  }
  at = TEXT;
  length = d - TEXT;
  return found;
}

function findCookie(name: usize, n: u32): bool {
  for (let i: u32 = 0; i < head.headerCount; i++) {
    const entry = changetype<HeaderEntry>(REQUEST_HEADERS + <usize>i * HEADER_ENTRY_SIZE);
    if (!isWord(entry.name, entry.nameLength, 'cookie')) continue;
    let p: usize = entry.value;
    const end = p + entry.valueLength;
    while (p < end) {
      while (p < end && load<u8>(p) == 0x20) p++;
      const stop = findByte(p, end, 0x3b);
      if (stop - p > n && load<u8>(p + n) == 0x3d && equalIgnoreCase(p, name, n)) {
        at = p + n + 1;
        length = stop - at;
        return true;
      }
      p = stop + 1;
    }
  }
  return false;
}

/** Values of one name count as one: sorted, joined with commas; `true` for one without "=". */
function findArgument(name: usize, n: u32): bool {
  const q = request.query();
  openArguments(q.target, q.targetLength);
  let d = TEXT;
  let count: u32 = 0;
  while (count < VALUES_MAX && nextArgument()) {
    if (argumentNameLength != n || memory.compare(argumentName, name, n)) continue;
    if (d + argumentValueLength + 4 > TEXT_END - 0x8000) break;
    const from = d;
    if (argumentIsBare) {
      store<u32>(d, 0x65757274);
      d += 4;
    } else d = put(d, argumentValue, argumentValueLength);
    insertSorted(count++, from, <u32>(d - from));
  }
  if (!count) return false;
  const joined = d;
  for (let i: u32 = 0; i < count; i++) {
    if (i) store<u8>(d++, 0x2c);
    const place = values + (<usize>i << 3);
    d = put(d, load<u32>(place), load<u32>(place, 4));
  }
  at = joined;
  length = d - joined;
  return true;
}

function insertSorted(count: u32, from: usize, n: u32): void {
  let i = count;
  for (; i > 0; i--) {
    const before = values + (<usize>(i - 1) << 3);
    if (!isBehind(load<u32>(before), load<u32>(before, 4), from, n)) break;
    store<u64>(before + 8, load<u64>(before));
  }
  store<u32>(values + (<usize>i << 3), <u32>from);
  store<u32>(values + (<usize>i << 3), n, 4);
}

/** True where the n bytes at a come behind the m bytes at b, byte by byte. */
function isBehind(a: usize, n: u32, b: usize, m: u32): bool {
  const order = memory.compare(a, b, min(n, m));
  return order ? order > 0 : n > m;
}
