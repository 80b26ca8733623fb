/**
 * The header of the PROXY protocol, versions 1 and 2 (HAProxy's "The PROXY protocol", 2020): what a
 * load balancer puts before the first byte of a connection to say who the client is. It comes from
 * the network, so anything that is not exactly right is refused; the connection's own addresses are
 * never replaced by half a header.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { readAddress } from '../core/address.js';
import { limits } from '../limits.js';

export interface ProxiedAddresses {
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

export type ProxyHeader =
  /** It may become a header: wait for more bytes. */
  | { readonly kind: 'partial' }
  /** It is none; the connection is to be reset. */
  | { readonly kind: 'bad' }
  /**
   * `bytes` belong to the header. Without addresses the sender speaks for itself (LOCAL, UNKNOWN),
   * and the addresses of the socket count.
   */
  | { readonly kind: 'whole'; readonly bytes: number; readonly addresses: ProxiedAddresses | null };

const partial: ProxyHeader = { kind: 'partial' };
const bad: ProxyHeader = { kind: 'bad' };

/** Longest line of version 1, its CR LF included (section 2.1). */
const lineBytesMax = 107;
const signature1 = Buffer.from('PROXY ');
const signature2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixedBytes2 = 16;
const commandLocal = 0x20;
const commandProxy = 0x21;
/** Address family and transport of version 2, with the bytes of both addresses and ports. */
const tcp4 = { code: 0x11, addressBytes: 4 };
const tcp6 = { code: 0x21, addressBytes: 16 };
/** Unix sockets and datagrams: no address that an HTTP request could be judged by. */
const unspecific = new Set([0x00, 0x12, 0x22, 0x31, 0x32]);

/** Looks at the first bytes of a connection. Pure; `bytes` is not kept. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, signature2)) return parseBinary(bytes);
  if (startsLike(bytes, signature1)) return parseLine(bytes);
  return bad;
}

/** True where the bytes at hand are the beginning of `signature`, or begin with it. */
function startsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.compare(signature, 0, length, 0, length) === 0;
}

function parseLine(bytes: Buffer): ProxyHeader {
  const lineEnd = bytes.subarray(0, lineBytesMax).indexOf('\r\n');
  if (lineEnd < 0) return bytes.length < lineBytesMax ? partial : bad;
  const line = bytes.latin1Slice(0, lineEnd);
  const whole = lineEnd + 2;
  // Whatever follows UNKNOWN is to be ignored (section 2.1).
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) {
    return { kind: 'whole', bytes: whole, addresses: null };
  }
  const [, family, peerAddress, localAddress, peerPort, localPort, ...more] = line.split(' ');
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIpv6 : () => false;
  if (more.length > 0 || !isPort(peerPort) || !isPort(localPort)) return bad;
  if (!isAddress(peerAddress) || !isAddress(localAddress)) return bad;
  const ports = { peerPort: Number(peerPort), localPort: Number(localPort) };
  return { kind: 'whole', bytes: whole, addresses: { peerAddress, localAddress, ...ports } };
}

/** A zone means nothing on another machine. */
function isPlainIpv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

/** Decimal, no leading zero (section 2.1). */
function isPort(text: string | undefined): text is string {
  return text !== undefined && /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65535;
}

function parseBinary(bytes: Buffer): ProxyHeader {
  if (bytes.length < fixedBytes2) {
    const command = bytes[12];
    return command === undefined || command === commandLocal || command === commandProxy
      ? partial
      : bad;
  }
  const command = bytes[12];
  const family = bytes[13];
  const whole = fixedBytes2 + bytes.readUInt16BE(14);
  if (command !== commandLocal && command !== commandProxy) return bad;
  if (whole > limits.proxyHeaderBytes.value) return bad;
  const kind = [tcp4, tcp6].find(({ code }) => code === family);
  if (command === commandProxy && !kind && !unspecific.has(family)) return bad;
  if (command === commandProxy && kind && whole < fixedBytes2 + kind.addressBytes * 2 + 4) {
    return bad;
  }
  if (bytes.length < whole) return partial;
  const isNamed = command === commandProxy && kind !== undefined;
  return { kind: 'whole', bytes: whole, addresses: isNamed ? addressesOf(bytes, kind) : null };
}

/** Source address, destination address, source port, destination port (section 2.2). */
function addressesOf(bytes: Buffer, { addressBytes }: { addressBytes: number }): ProxiedAddresses {
  const ports = fixedBytes2 + addressBytes * 2;
  return {
    peerAddress: addressAt(bytes, fixedBytes2, addressBytes),
    localAddress: addressAt(bytes, fixedBytes2 + addressBytes, addressBytes),
    peerPort: bytes.readUInt16BE(ports),
    localPort: bytes.readUInt16BE(ports + 2),
  };
}

function addressAt(bytes: Buffer, offset: number, length: number): string {
  if (length === 4) return bytes.subarray(offset, offset + 4).join('.');
  return readAddress(bytes, offset);
}
