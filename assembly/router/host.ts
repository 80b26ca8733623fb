/** The Host header as the router sees it. */
// raw memory: a loop over the bytes of a host

/**
 * Splits a raw Host value at its first colon where only digits follow; an IPv6 literal stays whole.
 * Returns the length of the host in the low half and the port in the high half: the port of the
 * header, `defaultPort` where it has none. Numbers too large for a port never equal one.
 */
export function splitHost(host: usize, n: u32, defaultPort: u32): u64 {
  let colon: u32 = 0;
  while (colon < n && load<u8>(host + colon) != COLON) colon++;
  if (colon + 1 >= n) return whole(n, defaultPort);
  let number: u32 = 0;
  for (let i = colon + 1; i < n; i++) {
    const digit = <u32>load<u8>(host + i) - 48;
    if (digit > 9) return whole(n, defaultPort);
    number = number > 65535 ? number : number * 10 + digit;
  }
  return ((<u64>number) << 32) | colon;
}

const COLON: u8 = 0x3a;

// @ts-ignore: decorator
@inline
function whole(n: u32, defaultPort: u32): u64 {
  return ((<u64>defaultPort) << 32) | n;
}
