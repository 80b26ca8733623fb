/** Leaves out of a plan what a request does not meet the condition of. */
import type { ExchangeView } from '../core/exchange-view.js';
import type { Core } from '../core/instance.js';
import { type ConditionSource, holds } from '../core/request-condition.js';
import { parseArguments } from './pdk/arguments.js';
import type { Plan } from './plan.js';
import { ClientView, RequestView } from './request-view.js';

/** The plan for the request that a view shows; the same one where every condition holds. */
export function planFor(core: Core, plan: Plan, view: ExchangeView): Plan {
  const source = sourceOf(view);
  return plan.without(
    plan.conditional.filter(({ condition }) => condition && !holds(core, condition, source)),
  );
}

function sourceOf(view: ExchangeView): ConditionSource {
  const request = new RequestView(view, () => Promise.reject(new Error('not here')));
  const client = new ClientView(view);
  return {
    path: request.path,
    method: request.method,
    host: request.host,
    scheme: request.scheme,
    clientIp: client.ip,
    clientPort: client.port,
    localPort: request.port,
    headers: (name) => request.headerValues(name),
    queries(name) {
      const value = parseArguments(request.rawQuery, 1000)[name];
      const values = Array.isArray(value) ? value : value === undefined ? [] : [value];
      return values.map((one) => (one === true ? '' : String(one)));
    },
  };
}
