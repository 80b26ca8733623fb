/** Arguments of a raw query string, one by one, decoded as forms are. */
// raw memory: single bytes of names and values
import { findByte } from '../bytes';
import { hexValue } from '../http/path';
import { ROUTE_SCRATCH } from '../layout';

/** The arguments behind this one are not looked at (Kong's lua_max_uri_args). */
const ARGUMENTS_MAX: u32 = 100;

/** Name and value of the last argument; longer ones than fit are cut. */
const NAME: usize = ROUTE_SCRATCH + 0x4000;
const VALUE: usize = ROUTE_SCRATCH + 0xa000;
const ROOM: usize = 0x6000;

const AMPERSAND: u8 = 0x26;
const EQUALS: u8 = 0x3d;

let at: usize = 0;
let queryEnd: usize = 0;
let left: u32 = 0;

export const argumentName: usize = NAME;
export let argumentNameLength: u32 = 0;
export const argumentValue: usize = VALUE;
export let argumentValueLength: u32 = 0;
/** It has no equals sign. */
export let argumentIsBare: bool = false;

/** Starts at the arguments of an origin-form target. */
export function openArguments(target: usize, n: u32): void {
  queryEnd = target + n;
  at = n ? findByte(target + 1, queryEnd, 0x3f) + 1 : queryEnd;
  left = ARGUMENTS_MAX;
}

/** Steps to the next argument; false: there is none. Those without a name do not count. */
export function nextArgument(): bool {
  while (at < queryEnd && left) {
    const end = findByte(at, queryEnd, AMPERSAND);
    const mark = findByte(at, end, EQUALS);
    argumentNameLength = <u32>(putDecoded(NAME, at, mark) - NAME);
    argumentIsBare = mark == end;
    argumentValueLength = mark < end ? <u32>(putDecoded(VALUE, mark + 1, end) - VALUE) : 0;
    at = end + 1;
    if (!argumentNameLength) continue;
    left--;
    return true;
  }
  return false;
}

/** A plus sign is a blank; a percent sign that no two digits follow stands for itself. */
function putDecoded(d: usize, p: usize, end: usize): usize {
  const limit = d + ROOM;
  for (; p < end && d < limit; p++) {
    const c: u32 = load<u8>(p);
    if (c == 0x25 && end - p > 2) {
      const high = hexValue(load<u8>(p, 1));
      const low = hexValue(load<u8>(p, 2));
      if ((high | low) < 16) {
        store<u8>(d++, <u8>((high << 4) | low));
        p += 2;
        continue;
      }
    }
    store<u8>(d++, c == 0x2b ? 0x20 : <u8>c);
  }
  return d;
}
