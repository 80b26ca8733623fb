/** Variables of nginx that filters of Kong ask for (`ngx.*`). All of them are text. */
import { hostname } from 'node:os';
import { putAddress } from '../../core/address.js';
import { tlsSessionNames } from '../../tls/session-names.js';
import type { PropertyValue } from '../adapter.js';
import {
  durationMs,
  fromWire,
  headBytes,
  protocol,
  query,
  type Reads,
  requestField,
  type Subject,
  scheme,
  service,
  status,
  target,
  upstream,
} from './subject.js';

/** Seconds with three digits behind the point, as nginx writes times. */
const seconds = (ms: number): string => (Math.max(0, ms) / 1000).toFixed(3);
const session = ({ exchange }: Subject) => tlsSessionNames(exchange.view.tlsSession);

const host = ({ exchange }: Subject): string => exchange.request.host;
const path = ({ exchange }: Subject): string => exchange.view.path;

const request: Reads = {
  request: (subject) => `${subject.exchange.view.method} ${target(subject)} ${protocol(subject)}`,
  request_method: ({ exchange }) => exchange.view.method,
  request_uri: target,
  uri: path,
  document_uri: path,
  args: query,
  query_string: query,
  is_args: (subject) => (query(subject) === '' ? '' : '?'),
  host,
  http_host: requestField('host'),
  scheme,
  https: ({ exchange }) => (exchange.view.tls ? 'on' : ''),
  server_protocol: protocol,
  request_id: ({ exchange }) => exchange.view.requestId,
  kong_request_id: ({ exchange }) => exchange.view.requestId,
  content_length: requestField('content-length'),
  content_type: requestField('content-type'),
  request_length: (subject) => {
    const { received } = subject.exchange.traffic;
    return received < 0 ? headBytes(subject) : received;
  },
  request_time: (subject) => seconds(durationMs(subject)),
  request_completion: ({ exchange }) => (exchange.traffic.sent < 0 ? '' : 'OK'),
  msec: ({ facts }) => seconds(facts.wallMs()),
  time_iso8601: ({ facts }) => new Date(facts.wallMs()).toISOString().replace(/\.\d+Z/, '+00:00'),
};

const connection: Reads = {
  remote_addr: ({ exchange }) => exchange.view.clientAddress,
  realip_remote_addr: ({ exchange }) => exchange.view.peerAddress,
  realip_remote_port: ({ exchange }) => exchange.view.peerPort,
  binary_remote_addr: ({ exchange }) => binaryAddress(exchange.view.clientAddress),
  remote_port: ({ exchange }) => exchange.view.peerPort,
  server_addr: ({ exchange }) => exchange.view.localAddress,
  server_port: ({ exchange }) => exchange.view.localPort,
  server_name: () => 'kong',
  connection: ({ exchange }) => exchange.connection,
  connection_requests: ({ exchange }) => exchange.sequence,
  ssl_protocol: (subject) => session(subject)?.version,
  ssl_cipher: (subject) => session(subject)?.cipher,
  ssl_server_name: ({ exchange }) => exchange.view.serverName || undefined,
  ssl_client_verify: ({ exchange }) => (exchange.view.tls ? 'NONE' : undefined),
};

const answer: Reads = {
  status,
  bytes_sent: ({ exchange }) => Math.max(0, exchange.traffic.sent),
  body_bytes_sent: ({ exchange }) => Math.max(0, exchange.traffic.bodySent),
  proxy_host: (subject) => service(subject)?.host,
  proxy_port: (subject) => service(subject)?.port,
  upstream_addr: (subject) => {
    const address = upstream(subject);
    if (!address) return undefined;
    const { host, port } = address;
    return host.includes(':') && !host.startsWith('unix:')
      ? `[${host}]:${port}`
      : `${host}:${port}`;
  },
  upstream_status: ({ answer }) => answer?.upstreamStatus || undefined,
  upstream_response_time: ({ answer }) =>
    answer && answer.upstreamMs >= 0 ? seconds(answer.upstreamMs) : undefined,
  upstream_header_time: ({ answer }) =>
    answer && answer.upstreamMs >= 0 ? seconds(answer.upstreamMs) : undefined,
};

const reads: Reads = { ...request, ...connection, ...answer };

/** `name`: behind `ngx.`. */
export function nginxProperty(subject: Subject, name: string): PropertyValue {
  const read = Object.hasOwn(reads, name) ? reads[name] : undefined;
  const value = read ? read(subject) : variableOf(subject, name);
  return typeof value === 'number' ? String(value) : fromWire(value);
}

/** Variables whose name holds the name of something else. */
function variableOf(subject: Subject, name: string): PropertyValue {
  const { exchange, answer } = subject;
  const behind = (prefix: string) => name.slice(prefix.length);
  const field = (prefix: string) => behind(prefix).replaceAll('_', '-');
  if (name.startsWith('http_')) return exchange.view.header(field('http_')) ?? undefined;
  if (name.startsWith('arg_')) return valueIn(query(subject), '&', behind('arg_'));
  if (name.startsWith('cookie_')) {
    return valueIn(exchange.view.header('cookie') ?? '', ';', behind('cookie_'));
  }
  const prefix = ['sent_http_', 'upstream_http_'].find((known) => name.startsWith(known));
  return prefix ? (answer?.header(field(prefix), 'response') ?? undefined) : undefined;
}

/** Those that need no exchange. */
export function nginxNodeProperty(name: string): PropertyValue {
  if (name === 'hostname') return hostname();
  return name === 'pid' ? String(process.pid) : undefined;
}

/** The first value of that name in a list of `name=value`, as it stands there. */
function valueIn(list: string, separator: string, name: string): string | undefined {
  for (const pair of list.split(separator)) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}

/** 4 or 16 bytes. */
function binaryAddress(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(16);
  if (!putAddress(bytes, 0, text)) return undefined;
  return text.includes(':') ? bytes : bytes.subarray(12);
}
