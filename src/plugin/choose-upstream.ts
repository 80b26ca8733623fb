/** Another upstream for one exchange, as plugins and filters choose it. */
import { EditOp } from '../core/layout.js';
import type { Exchange } from './exchange.js';

/** Sends the exchange to a target of the upstream; false: there is none of that name. */
export function chooseUpstream(exchange: Exchange, name: string): boolean {
  const { plan } = exchange;
  const entity = plan?.entities.upstream(name);
  const view = entity && plan?.host.internUpstream?.(name, plan.service);
  if (!entity || view === null || view === undefined) return false;
  exchange.upstream = entity;
  exchange.upstreamEdits.push(EditOp.SET_UPSTREAM, '', String(view));
  return true;
}
