/**
 * IP addresses as the core holds them: 16 bytes, IPv4 mapped into ::ffff:0:0/96 (RFC 4291 2.5.5.2),
 * and as text the way logs and headers spell them (RFC 5952).
 */
import { isIP, isIPv4 } from 'node:net';

/**
 * Writes an address as 16 bytes; zeros and false where `text` is not an IP. Zone ids are dropped.
 */
export function putAddress(into: Uint8Array, offset: number, text = ''): boolean {
  const zone = text.indexOf('%');
  const address = zone < 0 ? text : text.slice(0, zone);
  const kind = isIP(address);
  into.fill(0, offset, offset + 16);
  if (kind === 0) return false;
  if (kind === 4) {
    into[offset + 10] = into[offset + 11] = 0xff;
    writeDotted(address, into, offset + 12);
  } else {
    writeIpv6(address, into, offset);
  }
  return true;
}

/** The text of 16 address bytes: dotted for mapped IPv4, else compressed lower-case IPv6. */
export function readAddress(from: Uint8Array, offset: number): string {
  if (isMapped(from, offset)) {
    return `${from[offset + 12]}.${from[offset + 13]}.${from[offset + 14]}.${from[offset + 15]}`;
  }
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((from[offset + i] << 8) | from[offset + i + 1]);
  const gap = longestZeroRun(groups);
  if (gap.length < 2) return hex(groups);
  return `${hex(groups.slice(0, gap.start))}::${hex(groups.slice(gap.start + gap.length))}`;
}

export interface AddressRange {
  /** 16 bytes with the host bits zero. */
  readonly address: Uint8Array;
  /** 0 to 128; of the mapped form for IPv4. */
  readonly prefixBits: number;
}

/** Whether the first bits of two addresses are the same. */
export function startsAlike(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false;
  const rest = bits & 7;
  return rest === 0 || (a[whole] ^ b[whole]) >> (8 - rest) === 0;
}

/** Parses an address or `address/bits`; null where it is neither. */
export function parseRange(text: string): AddressRange | null {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const address = new Uint8Array(16);
  if (!putAddress(address, 0, host)) return null;
  const width = isIPv4(host) ? 32 : 128;
  let bits = width;
  if (slash >= 0) {
    const digits = text.slice(slash + 1);
    if (!/^\d{1,3}$/.test(digits) || Number(digits) > width) return null;
    bits = Number(digits);
  }
  const prefixBits = 128 - width + bits;
  for (let i = 0; i < 16; i++) {
    const keep = Math.max(0, Math.min(8, prefixBits - i * 8));
    address[i] &= 0xff << (8 - keep);
  }
  return { address, prefixBits };
}

function isMapped(bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[offset + i] !== 0) return false;
  return bytes[offset + 10] === 0xff && bytes[offset + 11] === 0xff;
}

function writeDotted(text: string, into: Uint8Array, offset: number): void {
  let start = 0;
  for (let i = 0; i < 4; i++) {
    const dot = i === 3 ? text.length : text.indexOf('.', start);
    into[offset + i] = Number(text.slice(start, dot));
    start = dot + 1;
  }
}

function writeIpv6(text: string, into: Uint8Array, offset: number): void {
  const gap = text.indexOf('::');
  const head = groupsOf(gap < 0 ? text : text.slice(0, gap));
  const tail = gap < 0 ? [] : groupsOf(text.slice(gap + 2));
  for (let i = 0; i < head.length; i++) into[offset + i] = head[i];
  for (let i = 0; i < tail.length; i++) into[offset + 16 - tail.length + i] = tail[i];
}

function groupsOf(text: string): number[] {
  const bytes: number[] = [];
  if (text === '') return bytes;
  for (const group of text.split(':')) {
    if (group.includes('.')) {
      for (const part of group.split('.')) bytes.push(Number(part));
    } else {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - i > best.length) best = { start: i, length: end - i };
    if (end > i) i = end;
  }
  return best;
}

const hex = (groups: readonly number[]): string => groups.map((g) => g.toString(16)).join(':');
