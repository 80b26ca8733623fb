/** Kong's own properties (`kong.*`): what is read, and what a filter may set. */
import { EditOp } from '../../core/layout.js';
import { chooseUpstream } from '../../plugin/choose-upstream.js';
import type { Exchange } from '../../plugin/exchange.js';
import { nodeId, version } from '../../product.js';
import type { PropertyValue } from '../adapter.js';
import {
  fromWire,
  type PropertyFacts,
  type Read,
  type Reads,
  route,
  type Subject,
  scheme,
  service,
  status,
} from './subject.js';

const sharedPrefix = 'ctx.shared.';
const configurationPrefix = 'configuration.';

const json = (entity: object | null): PropertyValue =>
  entity === null ? undefined : JSON.stringify(entity);

const reads: Reads = {
  'client.protocol': scheme,
  'request.forwarded_host': ({ exchange }) => fromWire(exchange.request.forwarded.host),
  'request.forwarded_port': ({ exchange }) => exchange.request.forwarded.port,
  'request.forwarded_scheme': ({ exchange }) => fromWire(exchange.request.forwarded.scheme),
  'request.port': ({ exchange }) => exchange.view.localPort,
  'response.source': ({ exchange, answer }) =>
    answer ? (exchange.state.source ?? 'service') : undefined,
  'response.status': status,
  'router.route': (subject) => json(route(subject)),
  'router.service': (subject) => json(service(subject)),
  route_id: (subject) => route(subject)?.id,
  route_name: (subject) => route(subject)?.name ?? undefined,
  service_id: (subject) => service(subject)?.id,
  service_name: (subject) => service(subject)?.name ?? undefined,
  'service.response.status': ({ exchange, answer }) =>
    exchange.state.source === null ? answer?.status : undefined,
};

const nodeReads: Readonly<Record<string, () => PropertyValue>> = {
  'nginx.subsystem': () => 'http',
  'node.id': () => nodeId,
  'node.memory_stats': () => JSON.stringify(process.memoryUsage()),
  version: () => version,
};

/** `name`: behind `kong.`. */
export function kongProperty(subject: Subject, name: string): PropertyValue {
  if (name.startsWith(sharedPrefix)) {
    const { shared } = subject.exchange.state;
    const key = name.slice(sharedPrefix.length);
    const value = Object.hasOwn(shared, key) ? shared[key] : null;
    return value === null || value === undefined ? undefined : String(value);
  }
  const read: Read | undefined = Object.hasOwn(reads, name) ? reads[name] : undefined;
  return asText(read?.(subject));
}

/** Those that need no exchange. */
export function kongNodeProperty(
  configuration: PropertyFacts['configuration'],
  name: string,
): PropertyValue {
  if (name.startsWith(configurationPrefix)) {
    return configuration.get(name.slice(configurationPrefix.length));
  }
  return Object.hasOwn(nodeReads, name) ? nodeReads[name]() : undefined;
}

/** Everything of Kong's is text, in Envoy's encoding as well. */
const asText = (value: PropertyValue): PropertyValue =>
  typeof value === 'number' ? String(value) : value;

/** @returns false: it is none that can be set, or not to this value, or not now; null removes */
export function setKongProperty(
  facts: PropertyFacts,
  exchange: Exchange,
  name: string,
  text: string | null,
): boolean {
  if (name.startsWith(sharedPrefix)) {
    const key = name.slice(sharedPrefix.length);
    if (text === null) delete exchange.state.shared[key];
    else exchange.state.shared[key] = text;
    return key !== '';
  }
  if (text === null) return false;
  if (name === 'response.status') {
    if (!/^[2-5]\d\d$/.test(text)) return false;
    exchange.clientEdits.push(EditOp.STATUS, '', text);
    return true;
  }
  // The protocol toward an upstream is the service's; naming that one is no change.
  if (name === 'service.request.scheme') return exchange.plan?.service?.protocol === text;
  if (exchange.forwarded) return false;
  if (name === 'service.upstream') return chooseUpstream(exchange, text);
  return name === 'service.target' && setTarget(facts, exchange, text);
}

function setTarget(facts: PropertyFacts, exchange: Exchange, text: string): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2]);
  if (!match || port < 1 || port > 65535) return false;
  const index = facts.internTarget(match[1].replace(/^\[|\]$/g, ''), port);
  exchange.upstream = null;
  exchange.upstreamEdits.push(EditOp.SET_TARGET, '', String(index));
  exchange.upstreamEdits.push(EditOp.SET, 'Host', text);
  return true;
}
