/** Builds the matcher of a route table: ranks, host tables, path trees and checks. */
import type { Route } from '../config/model.js';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import { itemsPerStep, type Steps } from '../slices.js';
import { Candidate, Matcher, MatcherFlavor, Need } from './layout.js';
import type { CheckRange, RouteProblem, RouterFlavor } from './route-checks.js';
import { Checks } from './route-checks.js';
import type { ExpressionRoute } from './route-expressions.js';
import { rankExpressions } from './route-expressions.js';
import type { HostKind } from './route-hosts.js';
import { hashBackwards, hashForwards, hashWords, parseHost, writeSlots } from './route-hosts.js';
import { rankRoutes } from './route-rank.js';
import { rankTraditional } from './route-rank-traditional.js';
import type { TreeEntry } from './route-tree.js';
import { PathTrees } from './route-tree.js';
import { binary, type TableWriter } from './table-writer.js';

/** Entries by host name, one map per kind of host value; `any` for routes without hosts. */
interface Hosts extends Record<HostKind, Map<string, TreeEntry[]>> {
  /**
   * The flavour `traditional`: exact hosts that are compared with the host without its port.
   * Others: hosts of expressions that are compared in lower case.
   */
  readonly bare: Map<string, TreeEntry[]>;
  readonly any: TreeEntry[];
}

/** What is told of one part of a route to place it. */
interface Part {
  readonly route: number;
  readonly paths: readonly string[];
  readonly patterns: readonly string[];
  readonly order: number;
  /** The order under a host that is compared with all that the client sent. */
  readonly hostOrder: number;
}

/**
 * Writes the matcher of the routes, its fixed part at the offset `at`; returns what kept routes
 * out of it, and the Need bits of the request fields that the routes look at.
 * @throws GatewayError GW_E_CONFIG_LIMIT where hosts times paths exceed what an arena can hold
 */
export function* matcherSteps(
  writer: TableWriter,
  at: number,
  routes: readonly Route[],
  flavor: RouterFlavor,
): Steps<{ problems: readonly RouteProblem[]; needs: number }> {
  const checks = new Checks(writer, flavor);
  const problems: RouteProblem[] = [];
  const expressions = yield* rankExpressions(routes, flavor, problems);
  const hosts: Hosts = {
    exact: new Map(),
    bare: new Map(),
    left: new Map(),
    right: new Map(),
    any: [],
  };
  yield* placeExpressions(routes, expressions, hosts, checks);
  const parts = yield* partsOf(routes, flavor, expressions.length);
  const needs = yield* distribute(routes, parts, hosts, checks, flavor);
  problems.push(...checks.problems);
  if (problems.length > 0) return { problems, needs };

  const trees = new PathTrees(writer);
  const anyHost = hosts.any.length > 0 ? yield* trees.add(hosts.any) : -1;
  const exact = yield* writeSlots(writer, yield* roots(trees, hosts.exact), hashWords);
  const left = yield* writeSlots(writer, yield* roots(trees, hosts.left), hashBackwards);
  const right = yield* writeSlots(writer, yield* roots(trees, hosts.right), hashForwards);
  const bare = yield* writeSlots(writer, yield* roots(trees, hosts.bare), hashWords);
  const fields: Record<Exclude<keyof typeof Matcher, 'size'>, number> = {
    exact: exact.offset,
    exactMask: exact.mask,
    exactMax: exact.longest,
    left: left.offset,
    leftMask: left.mask,
    leftMax: left.longest,
    right: right.offset,
    rightMask: right.mask,
    rightMax: right.longest,
    bare: bare.offset,
    bareMask: bare.mask,
    bareMax: bare.longest,
    flavor: flavor === 'traditional' ? MatcherFlavor.TRADITIONAL : MatcherFlavor.ENGINE,
    anyHost,
    nodes: writer.words(trees.nodes.view()),
    nodeCount: trees.nodeCount,
    candidates: writer.words(trees.candidates.view()),
    candidateCount: trees.candidateCount,
    checks: writer.words(checks.checks.view()),
    checkCount: checks.checkCount,
    items: writer.words(checks.items.view()),
    itemCount: checks.itemCount,
  };
  for (const [name, value] of Object.entries(fields)) {
    writer.set(at + Matcher[name as keyof typeof fields], value);
  }
  return { problems, needs };
}

/** Expressions come before all other routes, in their own order. */
function* placeExpressions(
  routes: readonly Route[],
  expressions: readonly ExpressionRoute[],
  hosts: Hosts,
  checks: Checks,
): Steps<void> {
  let left = limits.routeArenaBytes.value / Candidate.size;
  for (let order = 0; order < expressions.length; order++) {
    if (order % itemsPerStep === 0) yield;
    const compiled = expressions[order];
    const { reach } = compiled;
    const tests = checks.addExpression(routes[compiled.route], compiled);
    left -= reach.length;
    if (left < 0) {
      throw new GatewayError(
        'GW_E_CONFIG_LIMIT',
        'the expressions lead to too many hosts and paths',
      );
    }
    placeReach(compiled, order, hosts, tests);
  }
}

function placeReach(compiled: ExpressionRoute, order: number, hosts: Hosts, tests: CheckRange) {
  const { route, reach, prefixLength } = compiled;
  for (const { host, path } of reach) {
    const entries = host ? entriesOf(hosts[host.kind], host.name) : hosts.any;
    const { first: checks, count: checkCount } = tests;
    entries.push({ path, order, route, port: -1, checks, checkCount, prefixLength });
  }
}

/** `start`: the order of the best part. */
function* partsOf(routes: readonly Route[], flavor: RouterFlavor, start: number): Steps<Part[]> {
  if (flavor !== 'traditional') {
    return (yield* rankRoutes(routes)).map(({ route, paths, patterns }, index) => {
      const order = start + index;
      return { route, paths, patterns, order, hostOrder: order };
    });
  }
  return (yield* rankTraditional(routes)).map(({ path, pattern, ...place }) => {
    return { paths: [path], patterns: pattern === null ? [] : [pattern], ...place };
  });
}

/** Puts every ranked part into the trees of its hosts; returns the Need bits. */
function* distribute(
  routes: readonly Route[],
  parts: readonly Part[],
  hosts: Hosts,
  checks: Checks,
  flavor: RouterFlavor,
): Steps<number> {
  const distributor = new Distributor(hosts, checks, flavor);
  for (let place = 0; place < parts.length; place++) {
    if (place % itemsPerStep === 0) yield;
    distributor.place(routes[parts[place].route], parts[place]);
  }
  return distributor.needs | checks.needs;
}

class Distributor {
  /** Need bits of the fields that hosts and paths look at. */
  needs = 0;
  readonly #hosts: Hosts;
  readonly #checks: Checks;
  readonly #traditional: boolean;
  #candidatesLeft = limits.routeArenaBytes.value / Candidate.size;

  constructor(hosts: Hosts, checks: Checks, flavor: RouterFlavor) {
    this.#hosts = hosts;
    this.#checks = checks;
    this.#traditional = flavor === 'traditional';
  }

  place(route: Route, part: Part): void {
    const { order } = part;
    const tests = this.#checks.add(route, part.route, part.patterns);
    if (route.paths?.length) this.needs |= Need.PATH;
    if (!route.hosts?.length) {
      this.#add(this.#hosts.any, -1, part, tests, order);
      return;
    }
    this.needs |= Need.HOST;
    for (const value of route.hosts) {
      const { kind, name, port } = parseHost(value);
      if (this.#traditional && kind === 'exact') {
        const whole = binary(value);
        this.#add(entriesOf(this.#hosts.exact, whole), -1, part, tests, part.hostOrder);
        this.#add(entriesOf(this.#hosts.bare, whole), -1, part, tests, order);
      } else this.#add(entriesOf(this.#hosts[kind], name), port, part, tests, order);
    }
  }

  #add(entries: TreeEntry[], port: number, part: Part, tests: CheckRange, order: number): void {
    this.#candidatesLeft -= part.paths.length;
    if (this.#candidatesLeft < 0) {
      throw new GatewayError('GW_E_CONFIG_LIMIT', 'the routes have too many hosts times paths');
    }
    for (const plain of part.paths) {
      const path = plain || tests.prefix;
      entries.push({
        path,
        order,
        route: part.route,
        port,
        checks: tests.first,
        checkCount: tests.count,
        prefixLength: path.length,
      });
    }
  }
}

function entriesOf(map: Map<string, TreeEntry[]>, name: string): TreeEntry[] {
  let entries = map.get(name);
  if (!entries) {
    entries = [];
    map.set(name, entries);
  }
  return entries;
}

function* roots(
  trees: PathTrees,
  map: ReadonlyMap<string, TreeEntry[]>,
): Steps<Map<string, number>> {
  const out = new Map<string, number>();
  for (const [name, entries] of map) out.set(name, yield* trees.add(entries));
  return out;
}
