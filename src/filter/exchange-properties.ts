/**
 * Properties of an exchange by path: Envoy's names, the variables of nginx that filters of Kong ask
 * for (`ngx.*`) and Kong's own (`kong.*`). Unknown ones are undefined.
 */
import type { ExchangeView } from '../core/exchange-view.js';
import { EditOp } from '../core/layout.js';
import type { Exchange } from '../plugin/exchange.js';
import { nodeId, version } from '../product.js';
import type { PropertyValue } from './adapter.js';
import { HeaderMap } from './header-map.js';

/** What does not depend on the exchange. */
export interface PropertyFacts {
  /** Epoch milliseconds. */
  readonly wallMs: () => number;
  /** Number of an upstream address for one exchange. */
  readonly internTarget: (host: string, port: number) => number;
}

interface Subject {
  readonly facts: PropertyFacts;
  readonly exchange: Exchange;
  /** Null before there is an answer. */
  readonly answer: ExchangeView | null;
}

type Read = (subject: Subject) => PropertyValue;

const nanosecondsPerMs = 1_000_000n;
const milliseconds = (ms: number): bigint => BigInt(Math.trunc(ms)) * nanosecondsPerMs;
const target = ({ exchange }: Subject): string => exchange.view.target;
const header =
  (name: string): Read =>
  ({ exchange }) =>
    exchange.view.header(name) ?? undefined;
const query: Read = (subject) => {
  const mark = target(subject).indexOf('?');
  return mark < 0 ? '' : target(subject).slice(mark + 1);
};
const bodySize = ({ exchange }: Subject): number => Math.max(0, exchange.view.contentLength);
const answerLength = ({ answer }: Subject): PropertyValue => {
  const text = answer?.header('content-length', 'response') ?? null;
  return text === null ? undefined : Number(text);
};
const urlPath: Read = (subject) => target(subject).split('?', 1)[0];
const host: Read = ({ exchange }) => exchange.view.header('host') ?? undefined;
const scheme: Read = ({ exchange }) => (exchange.view.tls ? 'https' : 'http');
const protocol: Read = ({ exchange }) => `HTTP/1.${exchange.view.minorVersion}`;
const status: Read = ({ answer }) => answer?.status;
const route = ({ exchange }: Subject) => exchange.plan?.route ?? null;
const service = ({ exchange }: Subject) => exchange.plan?.service ?? null;
const asked = (subject: Subject) => (subject.answer ? service(subject) : null);

function sizeOfHeaders({ exchange }: Subject): number {
  let size = 0;
  exchange.view.eachHeader('request', (name, value) => {
    size += name.length + value.length + 4;
  });
  return size;
}

function headers(side: 'request' | 'response'): Read {
  return ({ exchange, answer }) => {
    const view = side === 'request' ? exchange.view : answer;
    if (!view) return undefined;
    const map = new HeaderMap();
    view.eachPlace(side, map);
    return map;
  };
}

const envoy: Readonly<Record<string, Read>> = {
  'request.path': target,
  'request.url_path': urlPath,
  'request.host': host,
  'request.scheme': scheme,
  'request.method': ({ exchange }) => exchange.view.method,
  'request.useragent': header('user-agent'),
  'request.referer': header('referer'),
  'request.protocol': protocol,
  'request.query': query,
  'request.id': ({ exchange }) => exchange.view.header('x-request-id') ?? exchange.view.requestId,
  'request.time': ({ exchange }) => milliseconds(exchange.view.startWallMs),
  'request.duration': ({ facts, exchange }) =>
    milliseconds(Math.max(0, facts.wallMs() - exchange.view.startWallMs)),
  'request.size': bodySize,
  'request.total_size': (subject) => bodySize(subject) + sizeOfHeaders(subject),
  'request.headers': headers('request'),
  'response.code': status,
  'response.size': answerLength,
  'response.headers': headers('response'),
  'source.address': ({ exchange }) => exchange.view.clientAddress,
  'source.port': ({ exchange }) => exchange.view.peerPort,
  'destination.address': ({ exchange }) => exchange.view.localAddress,
  'destination.port': ({ exchange }) => exchange.view.localPort,
  'connection.id': ({ exchange }) => exchange.connection,
  'connection.mtls': () => false,
  'upstream.address': (subject) => asked(subject)?.host,
  'upstream.port': (subject) => asked(subject)?.port,
  route_name: (subject) => route(subject)?.name ?? undefined,
  cluster_name: (subject) => service(subject)?.name ?? undefined,
  'node.id': () => nodeId,
};

const kong: Readonly<Record<string, Read>> = {
  'client.protocol': scheme,
  'nginx.subsystem': () => 'http',
  'node.id': () => nodeId,
  'node.memory_stats': () => JSON.stringify(process.memoryUsage()),
  'request.forwarded_host': ({ exchange }) =>
    exchange.view.header('x-forwarded-host') ?? hostName(exchange),
  'request.forwarded_port': ({ exchange }) =>
    exchange.view.header('x-forwarded-port') ?? String(exchange.view.localPort),
  'request.forwarded_scheme': (subject) =>
    subject.exchange.view.header('x-forwarded-proto') ?? scheme(subject),
  'request.port': ({ exchange }) => String(exchange.view.localPort),
  'response.source': ({ exchange, answer }) =>
    answer ? (exchange.state.source ?? 'service') : undefined,
  'router.route': (subject) => json(route(subject)),
  'router.service': (subject) => json(service(subject)),
  route_id: (subject) => route(subject)?.id,
  route_name: (subject) => route(subject)?.name ?? undefined,
  service_id: (subject) => service(subject)?.id,
  service_name: (subject) => service(subject)?.name ?? undefined,
  'service.response.status': (subject) =>
    subject.exchange.state.source === null ? status(subject) : undefined,
  version: () => version,
};

const nginx: Readonly<Record<string, Read>> = {
  remote_addr: ({ exchange }) => exchange.view.clientAddress,
  realip_remote_addr: ({ exchange }) => exchange.view.peerAddress,
  remote_port: ({ exchange }) => String(exchange.view.peerPort),
  server_port: ({ exchange }) => String(exchange.view.localPort),
  request_method: ({ exchange }) => exchange.view.method,
  request_uri: target,
  uri: ({ exchange }) => exchange.view.path,
  document_uri: ({ exchange }) => exchange.view.path,
  args: query,
  query_string: query,
  host: ({ exchange }) => hostName(exchange),
  hostname: ({ exchange }) => hostName(exchange),
  scheme,
  server_protocol: protocol,
  request_id: ({ exchange }) => exchange.view.requestId,
  content_length: header('content-length'),
  content_type: header('content-type'),
  status: (subject) => String(status(subject) ?? ''),
  https: ({ exchange }) => (exchange.view.tls ? 'on' : ''),
};

/** A property, or undefined. `segments`: the path as the filter gave it. */
export function propertyOf(
  facts: PropertyFacts,
  exchange: Exchange,
  answer: ExchangeView | null,
  path: string,
  segments: readonly string[],
): PropertyValue {
  const subject = { facts, exchange, answer };
  const read = Object.hasOwn(envoy, path) ? envoy[path] : undefined;
  if (read) return read(subject);
  const rest = (count: number) => segments.slice(count).join('.');
  const [first, second] = segments;
  if (second === 'headers' && first === 'request') {
    return exchange.view.header(rest(2)) ?? undefined;
  }
  if (second === 'headers' && first === 'response') {
    return answer?.header(rest(2), 'response') ?? undefined;
  }
  if (first === 'kong') return kongProperty(subject, rest(1));
  return first === 'ngx' ? nginxProperty(subject, rest(1)) : undefined;
}

/** Kong's settable properties; false: not one of them. */
export function setPropertyOf(
  facts: PropertyFacts,
  exchange: Exchange,
  path: string,
  value: Uint8Array | null,
): boolean {
  if (!path.startsWith('kong.')) return false;
  const name = path.slice('kong.'.length);
  const text = value === null ? null : Buffer.from(value).toString();
  if (name.startsWith(sharedPrefix)) {
    const key = name.slice(sharedPrefix.length);
    if (text === null) delete exchange.state.shared[key];
    else exchange.state.shared[key] = text;
    return key !== '';
  }
  if (name === 'response.status') {
    if (text === null || !/^[2-5]\d\d$/.test(text)) return false;
    exchange.clientEdits.push(EditOp.STATUS, '', text);
    return true;
  }
  if (name === 'service.request.scheme') return isScheme(exchange, text);
  if (name !== 'service.target' || exchange.forwarded) return false;
  return setTarget(facts, exchange, text ?? '');
}

const sharedPrefix = 'ctx.shared.';

/** The protocol toward an upstream is the service's; naming that one is no change. */
const isScheme = ({ plan }: Exchange, text: string | null): boolean =>
  text !== null && plan?.service?.protocol === text;

function setTarget(facts: PropertyFacts, exchange: Exchange, text: string): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2]);
  if (!match || port < 1 || port > 65535) return false;
  const index = facts.internTarget(match[1].replace(/^\[|\]$/g, ''), port);
  exchange.upstreamEdits.push(EditOp.SET_TARGET, '', String(index));
  exchange.upstreamEdits.push(EditOp.SET, 'Host', text);
  return true;
}

function kongProperty(subject: Subject, name: string): PropertyValue {
  if (name.startsWith(sharedPrefix)) {
    const { shared } = subject.exchange.state;
    const key = name.slice(sharedPrefix.length);
    const value = Object.hasOwn(shared, key) ? shared[key] : null;
    return value === null || value === undefined ? undefined : String(value);
  }
  const value = Object.hasOwn(kong, name) ? kong[name](subject) : undefined;
  return typeof value === 'number' ? String(value) : value;
}

function nginxProperty(subject: Subject, name: string): PropertyValue {
  const { exchange, answer } = subject;
  const dashed = (prefix: string) => name.slice(prefix.length).replaceAll('_', '-');
  if (name.startsWith('http_')) return exchange.view.header(dashed('http_')) ?? undefined;
  if (name.startsWith('sent_http_')) {
    return answer?.header(dashed('sent_http_'), 'response') ?? undefined;
  }
  if (name.startsWith('arg_')) return exchange.request.query(name.slice(4)) ?? undefined;
  return Object.hasOwn(nginx, name) ? nginx[name](subject) : undefined;
}

const hostName = (exchange: Exchange): string =>
  (exchange.view.header('host') ?? '').replace(/:\d+$/, '');

const json = (entity: object | null): PropertyValue =>
  entity === null ? undefined : JSON.stringify(entity);
