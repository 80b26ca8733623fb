/**
 * Kong's listen form: `0.0.0.0:8000 reuseport backlog=16384, [::1]:8443 ssl, unix:/run/gw.sock`.
 */
import { isIP } from 'node:net';
import type { ListenSpec } from '../driver/contract.js';
import { nearest } from './nearest.js';

const defaultBacklog = 16384;
const flags = ['ssl', 'http2', 'proxy_protocol', 'reuseport', 'deferred', 'bind'];
const options = ['backlog', 'ipv6only', 'so_keepalive'];

/**
 * Parses the addresses of a listen setting; `off` gives none. Accepted for Kong's sake and without
 * effect: `deferred`, `bind`, `ipv6only=`, `so_keepalive=`.
 * @throws Error naming the address and what is wrong with it
 */
export function parseListen(text: string): ListenSpec[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length === 1 && parts[0].toLowerCase() === 'off') return [];
  const specs = parts.map(parseAddress);
  const seen = new Set<string>();
  for (const { host, port, unix } of specs) {
    const address = unix ? `unix:${host}` : `${host}:${port}`;
    if (seen.has(address) && port !== 0) throw new Error(`'${address}' is given twice`);
    seen.add(address);
  }
  return specs;
}

function parseAddress(part: string): ListenSpec {
  const [address, ...words] = part.split(/\s+/);
  if (address === '') throw new Error("an empty address; write 'off' to listen nowhere");
  if (address === 'off') throw new Error("'off' stands alone");
  const place = address.startsWith('unix:') ? unixPlace(address) : internetPlace(address);
  const given = new Set<string>();
  let backlog = defaultBacklog;
  for (const word of words) {
    const [name, value] = splitWord(word);
    if (given.has(name)) throw new Error(`'${address}': ${name} is given twice`);
    given.add(name);
    if (value === undefined) checkFlag(address, name);
    else checkOption(address, name, value);
    if (name === 'backlog') backlog = Number(value);
  }
  return {
    ...place,
    ssl: given.has('ssl'),
    http2: given.has('http2'),
    proxyProtocol: given.has('proxy_protocol'),
    reuseport: given.has('reuseport'),
    backlog,
  };
}

function splitWord(word: string): [name: string, value: string | undefined] {
  const equals = word.indexOf('=');
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}

function unixPlace(address: string): Pick<ListenSpec, 'host' | 'port' | 'unix'> {
  const path = address.slice('unix:'.length);
  if (!path.startsWith('/')) throw new Error(`'${address}': the path must be absolute`);
  return { host: path, port: 0, unix: true };
}

function internetPlace(address: string): Pick<ListenSpec, 'host' | 'port' | 'unix'> {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(address);
  if (!match) throw new Error(`'${address}': expected address:port, [IPv6]:port or unix:/path`);
  const port = Number(match[3]);
  if (port > 65535) throw new Error(`'${address}': port must be between 0 and 65535`);
  if (match[1] !== undefined) {
    if (isIP(match[1]) !== 6) throw new Error(`'${address}': not an IPv6 address in brackets`);
    return { host: match[1], port, unix: false };
  }
  if (isIP(match[2]) !== 4) throw new Error(`'${address}': not an IP address`);
  return { host: match[2], port, unix: false };
}

function checkFlag(address: string, name: string): void {
  if (flags.includes(name)) return;
  const near = nearest(name, [...flags, ...options.map((option) => `${option}=`)]);
  const hint = near === undefined ? '' : `; did you mean '${near}'?`;
  throw new Error(`'${address}': unknown flag '${name}'${hint}`);
}

function checkOption(address: string, name: string, value: string): void {
  const good = {
    backlog: /^[1-9]\d{0,6}$/,
    ipv6only: /^(on|off)$/,
    so_keepalive: /^(on|off|\d*[smh]?:\d*[smh]?:\d*)$/,
  }[name];
  if (!good) checkFlag(address, `${name}=`);
  else if (!good.test(value)) throw new Error(`'${address}': invalid ${name}=${value}`);
}
