/**
 * The order in which routes are tried (`traditional_compatible`). A route is split by its paths,
 * because each length of path ranks on its own, and the parts of all routes are sorted once; what
 * the core compares is only the position in that order.
 */
import type { Route } from '../config/model.js';
import { binary } from './table-writer.js';

/** A part of a route that ranks on its own. */
export interface RankedPart {
  /** Index of the route in the input. */
  readonly route: number;
  readonly id: string;
  /** Plain paths of one length, as binary strings; `['']` for a route without paths. */
  readonly paths: readonly string[];
  /** The pattern paths in declared order, without their `~`; then `paths` is `['']`. */
  readonly patterns: readonly string[];
  /** Match weight, plain-host bit, header count and regex bit in one number, high to low. */
  readonly weight: number;
  readonly regexPriority: number;
  /** Bytes of the plain paths. */
  readonly length: number;
}

/** Parts of every route that takes http or grpc requests, best first. */
export function rankRoutes(routes: readonly Route[]): RankedPart[] {
  const parts: RankedPart[] = [];
  routes.forEach((route, index) => {
    if (!route.protocols.some(isHttp)) return;
    split(route, index, parts);
  });
  return parts.sort(better);
}

function isHttp(protocol: string): boolean {
  return protocol.startsWith('http') || protocol.startsWith('grpc');
}

function split(route: Route, index: number, parts: RankedPart[]): void {
  const weight = classWeight(route);
  const part = { route: index, id: route.id, weight, regexPriority: 0, length: 0 };
  const plain = new Map<number, string[]>();
  const patterns: string[] = [];
  for (const path of route.paths ?? []) {
    if (path.startsWith('~')) {
      patterns.push(path.slice(1));
      continue;
    }
    const bytes = binary(path);
    const same = plain.get(bytes.length);
    if (same) same.push(bytes);
    else plain.set(bytes.length, [bytes]);
  }
  if (patterns.length > 0) {
    parts.push({
      ...part,
      paths: [''],
      patterns,
      weight: weight | 1,
      regexPriority: route.regex_priority,
    });
  }
  for (const [length, paths] of plain) parts.push({ ...part, paths, patterns: [], length });
  if (plain.size === 0 && patterns.length === 0 && weight > 0) {
    parts.push({ ...part, paths: [''], patterns: [] });
  }
}

/** Bits 10 up: number of fields; 9: only plain hosts; 8 to 1: header names; 0: pattern path. */
function classWeight(route: Route): number {
  const headers = Object.keys(route.headers ?? {}).length;
  const lists = [route.methods, route.hosts, route.snis, route.paths];
  const fields = lists.filter((list) => list && list.length > 0).length + (headers > 0 ? 1 : 0);
  const hosts = route.hosts ?? [];
  const plain = hosts.length > 0 && !hosts.some((host) => host.includes('*'));
  return (fields << 10) | (plain ? 1 << 9 : 0) | (Math.min(headers, 255) << 1);
}

/** Equal ranks are decided by the greater route id. */
function better(a: RankedPart, b: RankedPart): number {
  return (
    b.weight - a.weight ||
    b.regexPriority - a.regexPriority ||
    b.length - a.length ||
    (a.id < b.id ? 1 : a.id > b.id ? -1 : a.route - b.route)
  );
}
