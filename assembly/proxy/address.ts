/**
 * IP addresses as 16 bytes (IPv4 mapped into ::ffff:0:0/96): text both ways, the trusted ranges and
 * the choice of the client address (settings trusted_ips, real_ip_header, real_ip_recursive).
 */
// raw memory: address bytes
import { copy16, equalIgnoreCase, lower, putHex } from '../bytes';
import {
  HEADER_ENTRY_SIZE,
  HeaderEntry,
  SETTINGS,
  SETTINGS_REAL_IP_HEADER,
  Settings,
  TOKEN_FLAG_REAL_IP_RECURSIVE,
  TRUSTED,
  TRUSTED_RANGE_SIZE,
  TrustedRange,
} from '../layout';


const parsed: usize = memory.data(16);

// @ts-ignore: decorator
@inline
export function isV4(address: usize): bool {
  return load<u64>(address) == 0 && load<u32>(address, 8) == 0xffff0000;
}

/** Writes an address as text (RFC 5952 without zero compression of single groups). */
export function putAddress(d: usize, address: usize): usize {
  if (isV4(address)) {
    for (let i: usize = 12; i < 16; i++) {
      if (i > 12) store<u8>(d++, 0x2e);
      d = putOctet(d, load<u8>(address + i));
    }
    return d;
  }
  let longest: usize = 0;
  let from: usize = 8;
  for (let i: usize = 0; i < 8; i++) {
    let n: usize = 0;
    while (i + n < 8 && load<u16>(address + ((i + n) << 1)) == 0) n++;
    if (n > longest && n > 1) {
      longest = n;
      from = i;
    }
  }
  for (let i: usize = 0; i < 8; i++) {
    if (i == from) {
      store<u16>(d, 0x3a3a);
      d += 2;
      i += longest - 1;
      continue;
    }
    if (i && i != from + longest) store<u8>(d++, 0x3a);
    d = putHex(d, <u64>bswap<u16>(load<u16>(address + (i << 1))));
  }
  return d;
}

function putOctet(d: usize, value: u32): usize {
  if (value >= 10) {
    if (value >= 100) {
      const hundreds = value / 100;
      store<u8>(d++, <u8>(48 + hundreds));
      value -= hundreds * 100;
    }
    const tens = value / 10;
    store<u8>(d++, <u8>(48 + tens));
    value -= tens * 10;
  }
  store<u8>(d, <u8>(48 + value));
  return d + 1;
}

/** Parses IPv4 or IPv6 text of n bytes into 16 bytes at `into`; false: it is no address. */
export function parseAddress(p: usize, n: usize, into: usize): bool {
  const end = p + n;
  store<u64>(into, 0);
  store<u64>(into, 0, 8);
  let v4 = true;
  for (let q = p; q < end; q++) if (load<u8>(q) == 0x3a) v4 = false;
  if (v4) {
    store<u32>(into, 0xffff0000, 8);
    return parseV4(p, end, into + 12);
  }
  return parseV6(p, end, into);
}

function parseV4(p: usize, end: usize, into: usize): bool {
  for (let i: usize = 0; i < 4; i++) {
    if (i && (p >= end || load<u8>(p++) != 0x2e)) return false;
    let value: u32 = 0;
    let digits = 0;
    while (p < end && <u32>load<u8>(p) - 48 < 10 && digits < 3) {
      value = value * 10 + <u32>load<u8>(p++) - 48;
      digits++;
    }
    if (!digits || value > 255) return false;
    store<u8>(into + i, <u8>value);
  }
  return p == end;
}

function parseV6(p: usize, end: usize, into: usize): bool {
  let groups: usize = 0;
  let gap: usize = 99;
  if (p + 1 < end && load<u8>(p) == 0x3a && load<u8>(p, 1) == 0x3a) {
    gap = 0;
    p += 2;
  }
  while (p < end) {
    let value: u32 = 0;
    const from = p;
    for (; p < end && p - from < 5; p++) {
      const c = lower(load<u8>(p));
      const digit = c - 48 < 10 ? c - 48 : c - 97 < 6 ? c - 87 : 99;
      if (digit == 99) break;
      value = (value << 4) | digit;
    }
    if (p == from || p - from > 4 || groups == 8) return false;
    if (p < end && load<u8>(p) == 0x2e) {
      if (groups > 6 || !parseV4(from, end, into + (groups << 1))) return false;
      groups += 2;
      break;
    }
    store<u16>(into + (groups++ << 1), bswap<u16>(<u16>value));
    if (p == end) break;
    if (load<u8>(p++) != 0x3a || p == end) return false;
    if (load<u8>(p) == 0x3a) {
      if (gap != 99) return false;
      gap = groups;
      p++;
    }
  }
  if (gap == 99) return groups == 8;
  if (groups > 7) return false;
  const tail = (groups - gap) << 1;
  memory.copy(into + 16 - tail, into + (gap << 1), tail);
  memory.fill(into + (gap << 1), 0, 16 - tail - (gap << 1));
  return true;
}

/** True where the address lies in one of the trusted ranges. */
export function isTrusted(address: usize): bool {
  const count = changetype<Settings>(SETTINGS).trustedCount;
  for (let i: u32 = 0; i < count; i++) {
    const range = TRUSTED + <usize>i * TRUSTED_RANGE_SIZE;
    if (inRange(address, range, changetype<TrustedRange>(range).prefixBits)) return true;
  }
  return false;
}

/** True where the first `bits` of the address are those of the range. */
export function inRange(address: usize, range: usize, bits: u32): bool {
  const whole = <usize>(bits >> 3);
  if (memory.compare(address, range, whole) != 0) return false;
  const rest = bits & 7;
  if (!rest) return true;
  return ((load<u8>(address + whole) ^ load<u8>(range + whole)) >> <u8>(8 - rest)) == 0;
}

/**
 * Writes the client address at `into`: the peer's, or, where the peer is trusted, the last value of
 * real_ip_header (recursive: the last one that is not trusted itself).
 */
export function chooseClientAddress(
  peer: usize,
  trusted: bool,
  table: usize,
  count: u32,
  into: usize,
): void {
  copy16(into, peer);
  const settings = changetype<Settings>(SETTINGS);
  if (!trusted || !settings.realIpHeaderLength) return;
  const recursive = (settings.tokens & TOKEN_FLAG_REAL_IP_RECURSIVE) != 0;
  const name = SETTINGS + SETTINGS_REAL_IP_HEADER;
  for (let i = <i32>count - 1; i >= 0; i--) {
    const entry = changetype<HeaderEntry>(table + <usize>i * HEADER_ENTRY_SIZE);
    if (entry.nameLength != <u16>settings.realIpHeaderLength) continue;
    if (!equalIgnoreCase(entry.name, name, entry.nameLength)) continue;
    if (!takeFromList(entry.value, <usize>entry.value + entry.valueLength, recursive, into)) return;
  }
}

/** Walks a list from its end; true: every element was trusted, so look further back. */
function takeFromList(from: usize, end: usize, recursive: bool, into: usize): bool {
  while (end > from) {
    let start = end;
    while (start > from && load<u8>(start - 1) != 0x2c) start--;
    let p = start;
    let e = end;
    while (p < e && (load<u8>(p) == 0x20 || load<u8>(p) == 0x09)) p++;
    while (e > p && (load<u8>(e - 1) == 0x20 || load<u8>(e - 1) == 0x09)) e--;
    if (!parseElement(p, e)) return false;
    copy16(into, parsed);
    if (!recursive || !isTrusted(parsed)) return false;
    end = start > from ? start - 1 : from;
  }
  return true;
}

/** An address, with an optional port behind it, into `parsed`. */
function parseElement(p: usize, end: usize): bool {
  if (p < end && load<u8>(p) == 0x5b) {
    let close = p;
    while (close < end && load<u8>(close) != 0x5d) close++;
    return close < end && parseAddress(p + 1, close - p - 1, parsed);
  }
  let colons = 0;
  let colon = end;
  for (let q = p; q < end; q++) {
    if (load<u8>(q) == 0x3a) {
      colons++;
      colon = q;
    }
  }
  if (colons == 1) end = colon;
  return parseAddress(p, end - p, parsed);
}
