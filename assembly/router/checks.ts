/** Conditions of a candidate beyond host and path: methods, headers, server names. */
// raw memory: loops over the bytes of names and values
import { equal, lower } from '../bytes';
import {
  CHECK_ITEM_SIZE,
  CHECK_OP_HEADER,
  CHECK_OP_METHOD,
  CHECK_OP_PATH_REGEX,
  CHECK_OP_SNI,
  CHECK_SIZE,
  Candidate,
  Check,
  CheckItem,
  HEADER_ENTRY_SIZE,
  HeaderEntry,
  ITEM_KIND_ENDS_WITH,
  ITEM_KIND_EXACT,
  ITEM_KIND_REGEX,
  ITEM_KIND_STARTS_WITH,
  Matcher,
  PROTOCOL_GRPCS,
  PROTOCOL_HTTPS,
  RouteQuery,
} from '../layout';
import { SLOTS_FOUND, search } from './regex';
import { isUtf8 } from './utf8';

/** Bytes that the path pattern of the last checksHold matched; -1: it had none. */
export let regexPrefixLength: i32 = -1;

/** True where every check of the candidate holds; within a check one item is enough. */
export function checksHold(
  base: usize,
  matcher: Matcher,
  candidate: Candidate,
  query: RouteQuery,
): bool {
  regexPrefixLength = -1;
  let at = base + matcher.checks + <usize>candidate.checks * CHECK_SIZE;
  const end = at + <usize>candidate.checkCount * CHECK_SIZE;
  for (; at < end; at += CHECK_SIZE) {
    const check = changetype<Check>(at);
    const items = base + matcher.items + <usize>check.items * CHECK_ITEM_SIZE;
    const itemsEnd = items + <usize>check.itemCount * CHECK_ITEM_SIZE;
    if (!holds(base, check, items, itemsEnd, query)) return false;
  }
  return true;
}

function holds(base: usize, check: Check, items: usize, end: usize, query: RouteQuery): bool {
  switch (check.op) {
    case CHECK_OP_METHOD:
      return someText(base, items, end, query.method, query.methodLength);
    case CHECK_OP_HEADER:
      return someHeader(base, check, items, end, query);
    case CHECK_OP_SNI:
      // the condition is void on a connection without TLS
      if (!(query.protocol & (PROTOCOL_HTTPS | PROTOCOL_GRPCS))) return true;
      return query.sniLength != 0 && someText(base, items, end, query.sni, query.sniLength);
    case CHECK_OP_PATH_REGEX:
      return somePattern(base, items, end, query);
    default:
      return false;
  }
}

/** True where some pattern matches the path; the first one that does gives the prefix. */
function somePattern(base: usize, items: usize, end: usize, query: RouteQuery): bool {
  for (let at = items; at < end; at += CHECK_ITEM_SIZE) {
    const item = changetype<CheckItem>(at);
    if (search(base + item.bytes, query.path, query.pathLength, false)) {
      regexPrefixLength = load<i32>(SLOTS_FOUND, 4) - load<i32>(SLOTS_FOUND);
      return true;
    }
  }
  return false;
}

/** True where some item accepts the text byte by byte. */
function someText(base: usize, items: usize, end: usize, text: usize, n: u32): bool {
  for (let at = items; at < end; at += CHECK_ITEM_SIZE) {
    const item = changetype<CheckItem>(at);
    const wanted = base + item.bytes;
    const length = item.length;
    switch (item.kind) {
      case ITEM_KIND_EXACT:
        if (length == n && equal(text, wanted, n)) return true;
        break;
      case ITEM_KIND_ENDS_WITH:
        if (length <= n && equal(text + n - length, wanted, length)) return true;
        break;
      case ITEM_KIND_STARTS_WITH:
        if (length <= n && equal(text, wanted, length)) return true;
        break;
      default:
        break;
    }
  }
  return false;
}

/** True where some value of some header line of the check's name is accepted. */
function someHeader(
  base: usize,
  check: Check,
  items: usize,
  end: usize,
  query: RouteQuery,
): bool {
  const name = base + check.name;
  let at = <usize>query.headers;
  const last = at + <usize>query.headerCount * HEADER_ENTRY_SIZE;
  for (; at < last; at += HEADER_ENTRY_SIZE) {
    const entry = changetype<HeaderEntry>(at);
    if (<u32>entry.nameLength != check.nameLength) continue;
    if (!isName(name, entry.name, check.nameLength)) continue;
    if (someValue(base, items, end, entry.value, entry.valueLength)) return true;
  }
  return false;
}

/** True where the header name is the folded one, ignoring case and taking - for _. */
function isName(folded: usize, name: usize, n: u32): bool {
  for (let i: u32 = 0; i < n; i++) {
    const c = lower(load<u8>(name + i));
    if (<u32>load<u8>(folded + i) != (c == 0x2d ? 0x5f : c)) return false;
  }
  return true;
}

/** True where some item accepts the header value without case. */
function someValue(base: usize, items: usize, end: usize, value: usize, n: u32): bool {
  for (let at = items; at < end; at += CHECK_ITEM_SIZE) {
    const item = changetype<CheckItem>(at);
    if (item.kind == ITEM_KIND_REGEX) {
      if (isUtf8(value, n) && search(base + item.bytes, value, n, false)) return true;
    } else if (item.length == n && isLowered(base + item.bytes, value, n)) {
      return true;
    }
  }
  return false;
}

/** True where the value lower-cased is the text, which is in lower case already. */
function isLowered(text: usize, value: usize, n: u32): bool {
  for (let i: u32 = 0; i < n; i++) {
    if (<u32>load<u8>(text + i) != lower(load<u8>(value + i))) return false;
  }
  return true;
}
