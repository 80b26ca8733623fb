/**
 * The order in which routes are tried in the flavour `traditional`, that of Kong before 3.0: by
 * category (which criteria a route has), inside it by kinds of hosts and paths, length and age.
 */
import type { Route } from '../config/model.js';
import { itemsPerStep, type Steps, sortSteps } from '../slices.js';
import { isHttp } from './route-rank.js';
import { binary } from './table-writer.js';

/** A route with one of its paths. */
export interface TraditionalPart {
  /** Index of the route in the input. */
  readonly route: number;
  /** Plain path as a binary string; empty where there is none. */
  readonly path: string;
  /** Text of the pattern path, without its `~`. */
  readonly pattern: string | null;
  /** Place in the total order, best first. */
  readonly order: number;
  /**
   * The same where a host of the route is, port and all, what the client sent: those come before
   * all others of their category.
   */
  readonly hostOrder: number;
}

interface Ranked {
  readonly route: number;
  readonly path: string;
  readonly pattern: string | null;
  /** Number of criteria, then their bits. */
  readonly category: number;
  readonly subWeight: number;
  readonly headers: number;
  readonly regexPriority: number;
  readonly length: number;
  readonly createdAt: number;
}

/** Parts of every route that takes http or grpc requests, best first. */
export function* rankTraditional(routes: readonly Route[]): Steps<TraditionalPart[]> {
  const parts: Ranked[] = [];
  for (const [index, route] of routes.entries()) {
    if (index % itemsPerStep === 0) yield;
    if (!route.protocols.some(isHttp)) continue;
    const category = categoryOf(route);
    if (category === 0) continue;
    const paths = route.paths?.length ? route.paths : [''];
    for (const path of paths) parts.push(rank(route, index, category, path));
  }
  return number(yield* sortSteps(parts, better));
}

/** Numbers the parts: in each category first all with their host, then all of them again. */
function number(parts: readonly Ranked[]): TraditionalPart[] {
  const out: TraditionalPart[] = [];
  let start = 0;
  while (start < parts.length) {
    let end = start;
    while (end < parts.length && parts[end].category === parts[start].category) end++;
    for (let i = start; i < end; i++) {
      const { route, path, pattern } = parts[i];
      const hostOrder = start + i;
      out.push({ route, path, pattern, hostOrder, order: hostOrder + end - start });
    }
    start = end;
  }
  return out;
}

function rank(route: Route, index: number, category: number, path: string): Ranked {
  const pattern = path.startsWith('~') ? path.slice(1) : null;
  const plain = pattern === null ? binary(path) : '';
  const hosts = route.hosts ?? [];
  let subWeight = pattern === null ? 0 : 1;
  if (hosts.length > 0 && !hosts.some((host) => host.includes('*'))) subWeight |= 2;
  if (hosts.some((host) => host.includes('*') && /:[0-9]+$/.test(host))) subWeight |= 4;
  return {
    route: index,
    path: plain,
    pattern,
    category,
    subWeight,
    headers: Object.keys(route.headers ?? {}).length,
    regexPriority: pattern === null ? 0 : route.regex_priority,
    length: plain.length,
    createdAt: route.created_at,
  };
}

/** Host before header before path before method before server name. */
function categoryOf(route: Route): number {
  const headers = Object.keys(route.headers ?? {});
  const fields = [route.hosts, headers, route.paths, route.methods, route.snis];
  let bits = 0;
  let count = 0;
  for (const field of fields) {
    bits <<= 1;
    if (!field?.length) continue;
    bits |= 1;
    count++;
  }
  return (count << 8) | bits;
}

function better(a: Ranked, b: Ranked): number {
  return (
    b.category - a.category ||
    b.subWeight - a.subWeight ||
    b.headers - a.headers ||
    b.regexPriority - a.regexPriority ||
    b.length - a.length ||
    a.createdAt - b.createdAt ||
    a.route - b.route
  );
}
