/** Conditions of a candidate beyond host and path: methods, headers, server names. */
// raw memory: loops over the bytes of names and values
import { equal, lower } from '../bytes';
import {
  ADDRESS_FAMILY_ANY,
  ADDRESS_FAMILY_V4,
  AddressItem,
  CHECK_ITEM_SIZE,
  CHECK_OP_CLEAR,
  CHECK_OP_DESTINATION,
  CHECK_OP_EXPRESSION,
  CHECK_OP_HEADER,
  CHECK_OP_HEADER_AS_SENT,
  CHECK_OP_METHOD,
  CHECK_OP_PATH_REGEX,
  CHECK_OP_PATH_REGEX_TAIL,
  CHECK_OP_SECURE,
  CHECK_OP_SNI,
  CHECK_OP_SOURCE,
  CHECK_SIZE,
  Candidate,
  Check,
  CheckItem,
  EXPRESSION_STEP_SIZE,
  HEADER_ENTRY_SIZE,
  HeaderEntry,
  ITEM_KIND_ADDRESS,
  ITEM_KIND_ENDS_WITH,
  ITEM_KIND_EXACT,
  ITEM_KIND_EXPRESSION,
  ITEM_KIND_REGEX,
  ITEM_KIND_STARTS_WITH,
  Matcher,
  PROTOCOL_GRPCS,
  PROTOCOL_HTTPS,
  ROUTE_QUERY_CLIENT_ADDRESS,
  ROUTE_QUERY_LOCAL_ADDRESS,
  RegexProgram,
  RouteQuery,
} from '../layout';
import { expressionHolds, expressionPrefix } from './expression';
import { NONE, SLOTS_FOUND, search } from './regex';
import { inRange, isV4 } from '../proxy/address';
import { LOWERED, lowerText } from './lowered';
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
    case CHECK_OP_PATH_REGEX_TAIL:
      return someTailPattern(base, items, end, query);
    case CHECK_OP_HEADER_AS_SENT:
      return someHeaderAsSent(base, check, items, end, query);
    case CHECK_OP_SOURCE: {
      const address = changetype<usize>(query) + ROUTE_QUERY_CLIENT_ADDRESS;
      return someAddress(base, items, end, address, query.peerPort);
    }
    case CHECK_OP_DESTINATION: {
      const address = changetype<usize>(query) + ROUTE_QUERY_LOCAL_ADDRESS;
      return someAddress(base, items, end, address, query.hostPort);
    }
    case CHECK_OP_CLEAR:
      return !isSecure(query);
    case CHECK_OP_SECURE:
      return isSecure(query);
    case CHECK_OP_EXPRESSION:
      return items < end && itemHolds(base, changetype<CheckItem>(items), query);
    default:
      return false;
  }
}

// @ts-ignore: decorator
@inline
function isSecure(query: RouteQuery): bool {
  return (query.protocol & (PROTOCOL_HTTPS | PROTOCOL_GRPCS)) != 0;
}

/** The expression of the route: its match of the path, if it has one, is the prefix. */
function itemHolds(base: usize, item: CheckItem, query: RouteQuery): bool {
  if (item.kind != ITEM_KIND_EXPRESSION) return false;
  const count = item.length / <u32>EXPRESSION_STEP_SIZE;
  if (!expressionHolds(base, base + item.bytes, count, query)) return false;
  regexPrefixLength = expressionPrefix;
  return true;
}

/** True where some pattern matches the path; the first one that does gives the prefix. */
function somePattern(base: usize, items: usize, end: usize, query: RouteQuery): bool {
  for (let at = items; at < end; at += CHECK_ITEM_SIZE) {
    const item = changetype<CheckItem>(at);
    if (item.kind != ITEM_KIND_REGEX) continue;
    if (search(base + item.bytes, query.path, query.pathLength, false)) {
      regexPrefixLength = load<i32>(SLOTS_FOUND, 4) - load<i32>(SLOTS_FOUND);
      return true;
    }
  }
  return false;
}

/**
 * The same in the flavour `traditional`, where the last group of a pattern is the end of its last
 * alternative: a match by another one leaves no prefix.
 */
function someTailPattern(base: usize, items: usize, end: usize, query: RouteQuery): bool {
  for (let at = items; at < end; at += CHECK_ITEM_SIZE) {
    const item = changetype<CheckItem>(at);
    if (item.kind != ITEM_KIND_REGEX) continue;
    if (!search(base + item.bytes, query.path, query.pathLength, true)) continue;
    const tail = changetype<RegexProgram>(base + item.bytes).slotCount - 1;
    const reached = load<u32>(SLOTS_FOUND + (<usize>tail << 2)) != NONE;
    regexPrefixLength = reached ? load<i32>(SLOTS_FOUND, 4) : 0;
    return true;
  }
  return false;
}

/** True where some item has the address and the port. */
function someAddress(base: usize, items: usize, end: usize, address: usize, port: u32): bool {
  for (let at = items; at < end; at += CHECK_ITEM_SIZE) {
    const entry = changetype<CheckItem>(at);
    if (entry.kind != ITEM_KIND_ADDRESS) continue;
    const item = changetype<AddressItem>(base + entry.bytes);
    if (item.port && item.port - 1 != port) continue;
    if (item.family == ADDRESS_FAMILY_ANY) return true;
    // families never match each other, not even by ::/0
    if ((item.family == ADDRESS_FAMILY_V4) != isV4(address)) continue;
    if (inRange(address, changetype<usize>(item), item.prefixBits)) return true;
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
    if (!isFoldedName(name, entry.name, check.nameLength)) continue;
    let value: usize = entry.value;
    let length: u32 = entry.valueLength;
    // the request's side is lower-cased by Unicode, the configured one was by ASCII
    if (!isAscii(value, length)) {
      length = <u32>lowerText(value, length);
      value = LOWERED;
    }
    if (someValue(base, items, end, value, length)) return true;
  }
  return false;
}

/**
 * The same in the flavour `traditional`: lines of that very name, or, where there are none, of the
 * name with - for _.
 */
function someHeaderAsSent(
  base: usize,
  check: Check,
  items: usize,
  end: usize,
  query: RouteQuery,
): bool {
  const name = base + check.name;
  const first = <usize>query.headers;
  const last = first + <usize>query.headerCount * HEADER_ENTRY_SIZE;
  for (let hyphens = 0; hyphens < 2; hyphens++) {
    let seen = false;
    for (let at = first; at < last; at += HEADER_ENTRY_SIZE) {
      const entry = changetype<HeaderEntry>(at);
      if (<u32>entry.nameLength != check.nameLength) continue;
      if (!isNameAsSent(name, entry.name, check.nameLength, hyphens != 0)) continue;
      seen = true;
      if (someValue(base, items, end, entry.value, entry.valueLength)) return true;
    }
    if (seen) return false;
  }
  return false;
}

function isNameAsSent(wanted: usize, name: usize, n: u32, hyphens: bool): bool {
  for (let i: u32 = 0; i < n; i++) {
    const c = <u32>load<u8>(wanted + i);
    if ((hyphens && c == 0x5f ? 0x2d : c) != lower(load<u8>(name + i))) return false;
  }
  return true;
}

/** True where the header name is the folded one, ignoring case and taking - for _. */
export function isFoldedName(folded: usize, name: usize, n: u32): bool {
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
      const program = base + item.bytes;
      const sound = changetype<RegexProgram>(program).bytes != 0 || isUtf8(value, n);
      if (sound && search(program, value, n, false)) return true;
    } else if (item.length == n && isLowered(base + item.bytes, value, n)) {
      return true;
    }
  }
  return false;
}

function isAscii(p: usize, n: u32): bool {
  let bits: u32 = 0;
  for (let i: u32 = 0; i < n; i++) bits |= load<u8>(p + i);
  return bits < 0x80;
}

/** True where the value lower-cased is the text, which is in lower case already. */
function isLowered(text: usize, value: usize, n: u32): bool {
  for (let i: u32 = 0; i < n; i++) {
    if (<u32>load<u8>(text + i) != lower(load<u8>(value + i))) return false;
  }
  return true;
}
