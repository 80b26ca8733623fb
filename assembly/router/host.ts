/** The Host header as the router sees it. */
// raw memory: a loop over the bytes of a host
import { findByte } from '../bytes';
import { RouteQuery } from '../layout';

/**
 * Splits a raw Host value at its first colon where only digits follow; an IPv6 literal stays whole.
 * Returns the length of the host in the low half and the port in the high half: the port of the
 * header, `defaultPort` where it has none. Numbers too large for a port never equal one.
 */
export function splitHost(host: usize, n: u32, defaultPort: u32): u64 {
  const colon = <u32>(findByte(host, host + n, COLON) - host);
  if (colon + 1 >= n) return whole(n, defaultPort);
  let number: u32 = 0;
  for (let i = colon + 1; i < n; i++) {
    const digit = <u32>load<u8>(host + i) - 48;
    if (digit > 9) return whole(n, defaultPort);
    number = number > 65535 ? number : number * 10 + digit;
  }
  return ((<u64>number) << 32) | colon;
}

/** Where the host of a Host value lies without its port and brackets, see splitTraditional. */
export let bareHost: usize = 0;
export let bareLength: u32 = 0;

/**
 * Splits a raw Host value as the flavour `traditional` does: brackets are peeled off, a port is
 * told by the first colon. Sets bareHost and bareLength; returns the port, `defaultPort` where
 * there is none.
 */
export function splitTraditional(host: usize, n: u32, defaultPort: u32): u32 {
  bareHost = host;
  bareLength = n;
  let colon: u32 = 0;
  if (load<u8>(host) == 0x5b) {
    while (colon < n && load<u8>(host + colon) != 0x5d) colon++;
    if (colon == n) return defaultPort;
    bareHost = host + 1;
    bareLength = colon - 1;
    if (++colon == n) return defaultPort;
  } else {
    while (colon < n && load<u8>(host + colon) != COLON) colon++;
    if (colon == n) return defaultPort;
    bareLength = colon;
  }
  if (colon + 1 == n) return defaultPort;
  return <u32>(splitHost(host + colon, n - colon, defaultPort) >> 32);
}

/** Bytes of the Host value without its port, as splitHost tells them; 0: no host. */
export function hostBytes(query: RouteQuery): u32 {
  return <u32>splitHost(query.host, query.hostLength, 0);
}

const COLON: u8 = 0x3a;

// @ts-ignore: decorator
@inline
function whole(n: u32, defaultPort: u32): u64 {
  return ((<u64>defaultPort) << 32) | n;
}
