/**
 * A slow, obvious judge of routing in the `traditional_compatible` flavour: every part of every
 * route gets its 64-bit priority word, all are sorted, the first whose conditions hold wins.
 */
import { BlockList } from 'node:net';
import type { IpPort, Route } from '../../src/config/model.js';
import type { LookUp, RouterRequest } from '../unit/router/harness.js';
import { normalisePath, upstreamTarget } from './router-path.js';

interface Part {
  readonly route: Route;
  readonly index: number;
  /** The paths of this part, configured spelling; null: the route has none. */
  readonly paths: readonly string[] | null;
  readonly word: bigint;
}

export type Judge = (request: RouterRequest) => LookUp;

/** Prepares the routes; the returned judge answers like the core's look-up. */
export function judgeOf(routes: readonly Route[]): Judge {
  const parts = routes.flatMap((route, index) => partsOf(route, index));
  parts.sort((a, b) => {
    if (a.word !== b.word) return a.word < b.word ? 1 : -1;
    return a.route.id < b.route.id ? 1 : -1;
  });
  const looksAtPaths = routes.some((route) => (route.paths ?? []).length > 0);
  return (request) => judge(parts, looksAtPaths, request);
}

function judge(parts: readonly Part[], looksAtPaths: boolean, request: RouterRequest): LookUp {
  const mark = request.target.indexOf('?', 1);
  const path = normalisePath(mark < 0 ? request.target : request.target.slice(0, mark));
  if (path === null) return { route: -2, prefixLength: 0, target: null };
  const none = { route: -1, prefixLength: 0, target: null };
  if (looksAtPaths && !isUtf8(path)) return none;
  for (const { route, index, paths } of parts) {
    if (!fieldsHold(route, request)) continue;
    const prefixLength = paths ? matchedLength(paths, path) : null;
    if (paths && prefixLength === null) continue;
    const target = route.service ? upstreamTarget(route, path, prefixLength, request.target) : null;
    return { route: index, prefixLength: prefixLength ?? 0, target };
  }
  return none;
}

function partsOf(route: Route, index: number): Part[] {
  const paths = route.paths ?? [];
  if (paths.length === 0) return [{ route, index, paths: null, word: wordOf(route, false, 0) }];
  const groups = new Map<number, string[]>();
  for (const path of paths) {
    const key = path.startsWith('~') ? -1 : bytesOf(path).length;
    groups.set(key, [...(groups.get(key) ?? []), path]);
  }
  return [...groups].map(([length, members]) => {
    const word = wordOf(route, length < 0, Math.max(length, 0));
    return { route, index, paths: members, word };
  });
}

function wordOf(route: Route, regex: boolean, length: number): bigint {
  const hosts = route.hosts ?? [];
  const headers = Object.keys(route.headers ?? {});
  let weight = 0;
  const lists = [route.methods, hosts, headers, route.snis, route.paths];
  for (const list of [...lists, route.sources, route.destinations]) {
    if (list?.length) weight++;
  }
  let word = BigInt(weight) << 61n;
  if (hosts.length > 0 && hosts.every((host) => !host.includes('*'))) word |= 1n << 60n;
  word |= BigInt(Math.min(headers.length, 255)) << 52n;
  if (regex) word |= (1n << 51n) | (BigInt(route.regex_priority) << 19n);
  return word | BigInt(length);
}

function fieldsHold(route: Route, request: RouterRequest): boolean {
  if (route.methods?.length && !route.methods.includes(request.method)) return false;
  if (route.hosts?.length && !route.hosts.some((host) => hostHolds(host, request))) return false;
  for (const [name, values] of Object.entries(route.headers ?? {})) {
    const fold = (text: string) => text.toLowerCase().replaceAll('-', '_');
    const seen = request.headers.filter(([key]) => fold(key) === fold(name));
    if (!seen.some(([, value]) => values.some((wanted) => valueHolds(wanted, value)))) return false;
  }
  const { sources, destinations } = route;
  const { peer, peerPort, local } = request;
  if (sources?.length && !sources.some((end) => endHolds(end, peer, peerPort))) return false;
  const [, port] = splitPort(request.host ?? '');
  const localPort = port ?? request.localPort;
  if (destinations?.length && !destinations.some((end) => endHolds(end, local, localPort))) {
    return false;
  }
  if (route.snis?.length && request.secure) {
    const { sni } = request;
    return sni !== null && route.snis.some((wanted) => nameHolds(withoutDot(wanted), sni));
  }
  return true;
}

function endHolds({ ip, port }: IpPort, address: string, number: number): boolean {
  if (port !== undefined && port !== null && port !== number) return false;
  if (!ip) return true;
  const family = (text: string) => (text.includes(':') ? 'ipv6' : 'ipv4');
  if (family(ip) !== family(address)) return false;
  const list = new BlockList();
  const [network, bits] = ip.split('/');
  if (bits === undefined) list.addAddress(network, family(ip));
  else list.addSubnet(network, Number(bits), family(ip));
  return list.check(address, family(address));
}

function hostHolds(wanted: string, request: RouterRequest): boolean {
  if (request.host === null) return false;
  const [name, port] = splitPort(request.host);
  const [wantedName, wantedPort] = splitPort(wanted);
  if (wantedPort !== null && wantedPort !== (port ?? request.localPort)) return false;
  return nameHolds(bytesOf(wantedName), name);
}

function splitPort(host: string): [name: string, port: number | null] {
  const parts = /^([^:]*):([0-9]+)$/.exec(host);
  return parts ? [parts[1], Number(parts[2])] : [host, null];
}

function nameHolds(wanted: string, name: string): boolean {
  if (wanted.startsWith('*')) return name.endsWith(wanted.slice(1));
  if (wanted.endsWith('*')) return name.startsWith(wanted.slice(0, -1));
  return wanted === name;
}

function withoutDot(sni: string): string {
  return sni.length > 1 && sni.endsWith('.') ? sni.slice(0, -1) : sni;
}

/** Header values are compared in lower case; a pattern is lower-cased like any other value. */
function valueHolds(wanted: string, value: string): boolean {
  const text = Buffer.from(value, 'latin1').toString('utf8').toLowerCase();
  const lowered = wanted.replace(/[A-Z]/g, (c) => c.toLowerCase());
  if (lowered.startsWith('~*')) return new RegExp(lowered.slice(2), 'u').test(text);
  return lowered === text;
}

/** Bytes of the path that the first fitting value matched, or null. */
function matchedLength(paths: readonly string[], path: string): number | null {
  for (const wanted of paths) {
    if (wanted.startsWith('~')) {
      const source = `^${wanted.slice(1)}`.replaceAll('(?P<', '(?<');
      const found = new RegExp(source.replace('(?i)b', '[bB]'), 'u').exec(
        Buffer.from(path, 'latin1').toString('utf8'),
      );
      if (found) return Buffer.byteLength(found[0]);
    } else if (path.startsWith(bytesOf(wanted))) return bytesOf(wanted).length;
  }
  return null;
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function isUtf8(bytes: string): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(bytes, 'latin1'));
    return true;
  } catch {
    return false;
  }
}
