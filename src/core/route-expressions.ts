/** Routes that are chosen by an expression: their order, and what the core tests of each. */
import type { Protocol, Route } from '../config/model.js';
import { GatewayError } from '../errors.js';
import { itemsPerStep, type Steps, sortSteps } from '../slices.js';
import type { Narrowed, Reach } from './expression/index.js';
import { compileExpression, narrow, reachOf } from './expression/index.js';
import type { RouteProblem, RouterFlavor } from './route-checks.js';

/** A route with its compiled expression, as far as the ways to it do not prove it already. */
export interface ExpressionRoute extends Narrowed {
  /** Index of the route in the input. */
  readonly route: number;
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
  for (const [route, { expression, protocols }] of routes.entries()) {
    if (route % itemsPerStep === 0) yield;
    if (expression === null || !protocols.some((name) => /^(?:http|grpc)/.test(name))) continue;
    try {
      if (flavor !== 'expressions') {
        const message = 'expressions are not supported by this router flavor';
        throw new GatewayError('GW_E_CONFIG_INVALID', message);
      }
      const { node, needs } = compileExpression(expression);
      const reach = reachOf(node);
      found.push({ ...narrow(node, reach), route, reach, needs });
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      problems.push({ route, field: 'expression', message: error.message });
    }
  }
  return yield* sortSteps(found, (a, b) => {
    const [first, second] = [routes[a.route], routes[b.route]];
    return second.priority - first.priority || (first.id < second.id ? 1 : -1);
  });
}

/**
 * Whether a route takes requests of one kind of connection only (reference section 8.4): https
 * alone takes both, so that plain ones can be told to come back with TLS.
 */
export function onlyOn(protocols: readonly Protocol[]): 'clear' | 'secure' | null {
  if (protocols.length === 1 && protocols[0] === 'https') return null;
  const clear = protocols.some((name) => name === 'http' || name === 'grpc');
  const secure = protocols.some((name) => name === 'https' || name === 'grpcs');
  return clear === secure ? null : clear ? 'clear' : 'secure';
}
