/** What upstreams hash of a request that only plugins know: the client, captures of the route. */
import type { HashInput, Upstream } from '../config/model.js';
import { EditOp } from '../core/layout.js';
import type { Exchange } from './exchange.js';

const fromPlugins = (input: HashInput): boolean => input === 'consumer' || input === 'uri_capture';

/** Whether an upstream hashes any of that. */
export function needsPlugins({
  algorithm,
  hash_on: on,
  hash_fallback: fallback,
}: Upstream): boolean {
  return algorithm === 'consistent-hashing' && (fromPlugins(on) || fromPlugins(fallback));
}

/** Tells the core of them, where the upstream of an exchange asks for them. */
export function addHashInputs(exchange: Exchange): void {
  const upstream = exchange.upstream ?? exchange.plan?.hashing;
  if (!upstream || !needsPlugins(upstream)) return;
  const { hash_on: on, hash_fallback: fallback } = upstream;
  add(exchange, EditOp.HASH_VALUE, inputOf(exchange, on, upstream.hash_on_uri_capture));
  const group = upstream.hash_fallback_uri_capture;
  add(exchange, EditOp.HASH_FALLBACK, inputOf(exchange, fallback, group));
}

function inputOf(exchange: Exchange, input: HashInput, group: string | null): string | undefined {
  if (input === 'consumer') {
    const { consumer, credential } = exchange.state;
    return consumer?.id ?? credential?.id ?? undefined;
  }
  if (input !== 'uri_capture' || group === null) return undefined;
  const { named, unnamed } = exchange.request.uriCaptures;
  return /^\d+$/.test(group) ? unnamed[Number(group)] : named[group];
}

/** Values are bytes in the edits region: one character for each. */
function add({ upstreamEdits }: Exchange, op: number, value: string | undefined): void {
  if (value === undefined) return;
  upstreamEdits.push(op, '', Buffer.from(value).toString('latin1'));
}
