/** Routes that are chosen by an expression: their order, and what the core tests of each. */
import type { Protocol, Route } from '../config/model.js';
import { GatewayError } from '../errors.js';
import { itemsPerStep, type Steps, sortSteps } from '../slices.js';
import type { Narrowed, Reach } from './expression/index.js';
import { compileExpression, narrow, reachOf } from './expression/index.js';
import type { RouteProblem, RouterFlavor } from './route-checks.js';
import { isHttp } from './route-rank.js';

/** A route with its compiled expression, as far as the ways to it do not prove it already. */
export interface ExpressionRoute extends Narrowed {
  /** Index of the route in the input. */
  readonly route: number;
  readonly priority: number;
  readonly id: string;
  readonly reach: readonly Reach[];
  /** Need bits of the request fields that the whole expression looks at. */
  readonly needs: number;
}

/**
 * The routes with an expression that take http or grpc requests, best first: by `priority`, equal
 * ones by the greater id. They all come before routes without one (reference section 8.3). An
 * expression that does not compile, or another flavour than `expressions`, is added to `problems`.
 */
export function* rankExpressions(
  routes: readonly Route[],
  flavor: RouterFlavor,
  problems: RouteProblem[],
): Steps<readonly ExpressionRoute[]> {
  const found: ExpressionRoute[] = [];
  for (let index = 0; index < routes.length; index++) {
    if (index % itemsPerStep === 0) yield;
    const { expression, protocols } = routes[index];
    if (expression === null || !protocols.some(isHttp)) continue;
    const compiled = compileRoute(routes[index], expression, index, flavor, problems);
    if (compiled) found.push(compiled);
  }
  return yield* sortSteps(found, (a, b) => b.priority - a.priority || (a.id < b.id ? 1 : -1));
}

function compileRoute(
  { priority, id }: Route,
  expression: string,
  route: number,
  flavor: RouterFlavor,
  problems: RouteProblem[],
): ExpressionRoute | null {
  try {
    if (flavor !== 'expressions') {
      const message = 'expressions are not supported by this router flavor';
      throw new GatewayError('GW_E_CONFIG_INVALID', message);
    }
    const { node, needs } = compileExpression(expression);
    const reach = reachOf(node);
    const { rest, prefixLength } = narrow(node, reach);
    return { rest, prefixLength, route, priority, id, reach, needs };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    problems.push({ route, field: 'expression', message: error.message });
    return null;
  }
}

/**
 * Whether a route takes requests of one kind of connection only (reference section 8.4): https
 * alone takes both, so that plain ones can be told to come back with TLS.
 */
export function onlyOn(protocols: readonly Protocol[]): 'clear' | 'secure' | null {
  if (protocols.length === 1 && /^(?:https|wss)$/.test(protocols[0])) return null;
  const clear = protocols.some((name) => /^(?:http|grpc|ws)$/.test(name));
  const secure = protocols.some((name) => /^(?:https|grpcs|wss)$/.test(name));
  return clear === secure ? null : clear ? 'clear' : 'secure';
}
