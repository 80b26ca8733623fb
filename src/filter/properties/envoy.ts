/** Properties by the names that the Proxy-Wasm specification and Envoy have for them. */
import { nodeId, product, version } from '../../product.js';
import { tlsSessionNames } from '../../tls/session-names.js';
import type { PropertyValue } from '../adapter.js';
import { alternativeName, digestOf, subjectOf } from './certificates.js';
import {
  allFromWire,
  answerField,
  bodyBytes,
  durationMs,
  headBytes,
  known,
  protocol,
  query,
  type Read,
  type Reads,
  requestField,
  route,
  type Subject,
  scheme,
  service,
  status,
  target,
  time,
  upstream,
} from './subject.js';

/** Bits of Envoy's response flags by the status of an error of our own. */
const failureFlags: Readonly<Record<number, number>> = {
  502: 0x20, // the upstream could not be connected to, or failed
  503: 0x02, // there was no upstream to ask
  504: 0x04, // it took too long
};

const request: Reads = {
  'request.path': target,
  'request.url_path': (subject) => target(subject).split('?', 1)[0],
  'request.host': requestField('host'),
  'request.scheme': scheme,
  'request.method': ({ exchange }) => exchange.view.method,
  'request.useragent': requestField('user-agent'),
  'request.referer': requestField('referer'),
  'request.protocol': protocol,
  'request.query': query,
  'request.id': ({ exchange }) => exchange.view.header('x-request-id') ?? exchange.view.requestId,
  'request.time': ({ exchange }) => time(exchange.view.startWallMs),
  'request.duration': (subject) => time(durationMs(subject)),
  'request.size': bodyBytes,
  'request.total_size': (subject) => {
    const { received } = subject.exchange.traffic;
    return received < 0 ? bodyBytes(subject) + headBytes(subject) : received;
  },
};

const response: Reads = {
  'response.code': status,
  'response.code_details': ({ exchange, answer }) =>
    answer ? (exchange.state.source === null ? 'via_upstream' : 'direct_response') : undefined,
  'response.flags': ({ exchange, answer }) => {
    if (!answer) return undefined;
    return exchange.state.source === 'error' ? (failureFlags[answer.status] ?? 0) : 0;
  },
  'response.size': (subject) => {
    const { bodySent } = subject.exchange.traffic;
    const length = answerField('content-length')(subject);
    return bodySent < 0 && length !== undefined ? Number(length) : known(bodySent);
  },
  'response.total_size': ({ exchange }) => known(exchange.traffic.sent),
  'response.backend_latency': ({ answer }) =>
    answer && answer.upstreamMs >= 0 ? time(answer.upstreamMs) : undefined,
};

const localCertificate = ({ facts, exchange }: Subject) =>
  exchange.view.tls ? facts.certificateFor(exchange.view.serverName) : undefined;

/** Clients are not asked for certificates: what would be in them is absent. */
const connection: Reads = {
  'source.address': ({ exchange }) => exchange.view.clientAddress,
  'source.port': ({ exchange }) => exchange.view.peerPort,
  'destination.address': ({ exchange }) => exchange.view.localAddress,
  'destination.port': ({ exchange }) => exchange.view.localPort,
  'connection.id': ({ exchange }) => exchange.connection,
  'connection.mtls': () => false,
  'connection.tls_version': ({ exchange }) => tlsSessionNames(exchange.view.tlsSession)?.version,
  'connection.requested_server_name': ({ exchange }) => exchange.view.serverName || undefined,
  'connection.subject_local_certificate': (subject) => subjectOf(localCertificate(subject)),
  'connection.dns_san_local_certificate': (subject) =>
    alternativeName(localCertificate(subject), 'DNS'),
  'connection.uri_san_local_certificate': (subject) =>
    alternativeName(localCertificate(subject), 'URI'),
};

const session = (subject: Subject) => upstream(subject)?.tls?.session;

const upstreamSide: Reads = {
  'upstream.address': (subject) => upstream(subject)?.host,
  'upstream.port': (subject) => upstream(subject)?.port,
  'upstream.tls_version': (subject) => session(subject)?.version,
  'upstream.subject_local_certificate': (subject) => subjectOf(session(subject)?.own),
  'upstream.subject_peer_certificate': (subject) => subjectOf(session(subject)?.peer),
  'upstream.dns_san_local_certificate': (subject) => alternativeName(session(subject)?.own, 'DNS'),
  'upstream.dns_san_peer_certificate': (subject) => alternativeName(session(subject)?.peer, 'DNS'),
  'upstream.uri_san_local_certificate': (subject) => alternativeName(session(subject)?.own, 'URI'),
  'upstream.uri_san_peer_certificate': (subject) => alternativeName(session(subject)?.peer, 'URI'),
  'upstream.sha256_peer_certificate_digest': (subject) => digestOf(session(subject)?.peer),
};

const routeName: Read = (subject) => route(subject)?.name ?? undefined;
const serviceName: Read = (subject) => service(subject)?.name ?? undefined;

const place: Reads = {
  route_name: routeName,
  cluster_name: serviceName,
  'xds.route_name': routeName,
  'xds.cluster_name': serviceName,
};

/** Of an exchange. */
export const envoyReads: Reads = {
  ...allFromWire(request),
  ...response,
  ...connection,
  ...upstreamSide,
  ...place,
};

/** What the node says of itself, to root contexts as well. */
export const nodeFacts: Readonly<Record<string, PropertyValue>> = {
  'node.id': nodeId,
  'node.user_agent_name': product.split('/', 1)[0],
  'node.user_agent_version': version,
  listener_direction: 1, // inbound
  'xds.listener_direction': 1,
};
