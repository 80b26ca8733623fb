/**
 * Properties of an exchange by path: Envoy's names, variables of nginx (`ngx.*`) and Kong's own
 * (`kong.*`). Unknown ones, and those that have no value now, are undefined.
 */
import type { ExchangeView } from '../core/exchange-view.js';
import { EditOp } from '../core/layout.js';
import type { Exchange } from '../plugin/exchange.js';
import type { PropertyValue } from './adapter.js';
import { envoyReads, nodeFacts } from './properties/envoy.js';
import { kongNodeProperty, kongProperty, setKongProperty } from './properties/kong.js';
import { nginxNodeProperty, nginxProperty } from './properties/nginx.js';
import type { PropertyFacts } from './properties/subject.js';

export type { PropertyFacts } from './properties/subject.js';

/** A property, or undefined. `segments`: the path as the filter gave it. */
export function propertyOf(
  facts: PropertyFacts,
  exchange: Exchange,
  answer: ExchangeView | null,
  path: string,
  segments: readonly string[],
): PropertyValue {
  const subject = { facts, exchange, answer };
  const read = Object.hasOwn(envoyReads, path) ? envoyReads[path] : undefined;
  if (read) return read(subject);
  const rest = () => segments.slice(1).join('.');
  if (segments[0] === 'kong') return kongProperty(subject, rest());
  return segments[0] === 'ngx' ? nginxProperty(subject, rest()) : undefined;
}

/** What the node says of itself, whether or not there is an exchange. */
export function nodePropertyOf(
  { configuration }: Pick<PropertyFacts, 'configuration'>,
  path: string,
  segments: readonly string[],
): PropertyValue {
  const rest = () => segments.slice(1).join('.');
  if (segments[0] === 'kong') return kongNodeProperty(configuration, rest());
  if (segments[0] === 'ngx') return nginxNodeProperty(rest());
  return Object.hasOwn(nodeFacts, path) ? nodeFacts[path] : undefined;
}

/** Kong's settable properties, and `ngx.args`; false: not one of them. */
export function setPropertyOf(
  facts: PropertyFacts,
  exchange: Exchange,
  path: string,
  value: Uint8Array | null,
): boolean {
  const text = value === null ? null : Buffer.from(value).toString();
  if (path.startsWith('kong.')) {
    return setKongProperty(facts, exchange, path.slice('kong.'.length), text);
  }
  if (path !== 'ngx.args' || exchange.forwarded) return false;
  if (text !== null && !/^[\x21\x22\x24-\x7e]*$/.test(text)) return false;
  exchange.upstreamEdits.push(EditOp.SET_QUERY, '', text ?? '');
  return true;
}
