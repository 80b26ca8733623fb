/**
 * The order in which routes are tried (`traditional_compatible`). A route is split by its paths,
 * because each length of path ranks on its own, and the parts of all routes are sorted once; what
 * the core compares is only the position in that order.
 */
import type { Route } from '../config/model.js';
import { itemsPerStep, type Steps, sortSteps } from '../slices.js';
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
export function* rankRoutes(routes: readonly Route[]): Steps<RankedPart[]> {
  const parts: RankedPart[] = [];
  for (const [index, route] of routes.entries()) {
    if (index % itemsPerStep === 0) yield;
    if (route.protocols.some(isHttp)) split(route, index, parts);
  }
  return yield* sortSteps(parts, better);
}

/** True for the protocols whose requests are routed here. */
export function isHttp(protocol: string): boolean {
  return /^(?:http|grpc|ws)s?$/.test(protocol);
}

/** Appends the parts of a route. Most routes have one plain path: those take the short way. */
function split(route: Route, index: number, parts: RankedPart[]): void {
  const weight = classWeight(route);
  const paths = route.paths ?? [];
  const add = (plain: readonly string[], patterns: readonly string[]) => {
    parts.push({
      route: index,
      id: route.id,
      paths: plain,
      patterns,
      weight: patterns.length > 0 ? weight | 1 : weight,
      regexPriority: patterns.length > 0 ? route.regex_priority : 0,
      length: plain[0].length,
    });
  };
  if (paths.length === 0) {
    if (weight > 0) add(NO_PATH, NONE);
    return;
  }
  const patterns = paths.filter((path) => path.startsWith('~'));
  if (patterns.length > 0) {
    add(
      NO_PATH,
      patterns.map((path) => path.slice(1)),
    );
  }
  if (paths.length === 1) {
    if (patterns.length === 0) add([binary(paths[0])], NONE);
    return;
  }
  const plain = paths.filter((path) => !path.startsWith('~')).map(binary);
  for (const length of new Set(plain.map((path) => path.length))) {
    add(
      plain.filter((path) => path.length === length),
      NONE,
    );
  }
}

const NO_PATH: readonly string[] = [''];
const NONE: readonly string[] = [];

/** Bits 10 up: number of fields; 9: only plain hosts; 8 to 1: header names; 0: pattern path. */
function classWeight(route: Route): number {
  let fields = 0;
  let rest = 0;
  if (route.methods?.length) fields++;
  if (route.snis?.length) fields++;
  if (route.paths?.length) fields++;
  // only the flavour `expressions` lets routes of HTTP have these
  if (route.sources?.length) fields++;
  if (route.destinations?.length) fields++;
  if (route.hosts?.length) {
    fields++;
    if (!route.hosts.some((host) => host.includes('*'))) rest |= 1 << 9;
  }
  const headers = route.headers ? Object.keys(route.headers).length : 0;
  if (headers > 0) {
    fields++;
    rest |= Math.min(headers, 255) << 1;
  }
  return (fields << 10) | rest;
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
