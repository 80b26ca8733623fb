/**
 * The one definition of everything the Wasm core and the shell share: regions of linear memory,
 * structs, codes. `emit.ts` writes both sides from it and hashes it; start-up refuses a mismatch.
 *
 *   event / command record (16 bytes)      header entry (16 bytes)
 *   +0 type   +4 connection                 +0 name pointer   +4 value pointer
 *   +8 a      +12 b                         +8 name length    +10 value length (u16)
 *                                           +12 id (u16)      +14 flags (u16)
 */

import { balancerCodes, balancerStructs } from './balancer.js';
import { expressionCodes, expressionStructs } from './expression.js';
import { logStructs } from './log-record.js';
import { matcherCodes, matcherStructs } from './matcher.js';
import { policyCodes, policyStructs } from './policy.js';
import { routeTableStructs } from './route-table.js';

export type FieldType = 'u8' | 'u16' | 'u32' | 'i32' | 'f64' | `bytes${number}`;
export type Field = readonly [type: FieldType, name: string, comment: string];

const KIB = 1024;
const MIB = 1024 * KIB;

/** Fixed map of linear memory (512 MiB reserved, touched only as used): [name, offset, bytes]. */
export const regions = [
  ['control', 0x1000, 0x1000],
  ['settings', 0x2000, 0x2000],
  ['acceptInfo', 0x4000, 0x1000],
  ['phaseView', 0x5000, 0x1000],
  ['requestHeaders', 0x6000, 0x1000],
  ['responseHeaders', 0x7000, 0x1000],
  ['trusted', 0x8000, 0x4000],
  ['rings', 0xc000, 0x4000],
  ['events', 0x10000, 64 * KIB],
  ['path', 0x20000, 128 * KIB],
  ['routeScratch', 0x40000, 128 * KIB],
  // 0x60000 .. 0x80000: static data of the compiled module (asconfig.json memoryBase)
  ['edits', 0x80000, 512 * KIB],
  ['commands', 0x100000, 1 * MIB],
  ['reply', 0x200000, 2 * MIB],
  ['read', 0x400000, 4 * MIB],
  ['out', 0x800000, 8 * MIB],
  ['connections', 16 * MIB, 8 * MIB],
  ['targets', 24 * MIB, 1 * MIB],
  ['regex', 25 * MIB, 3 * MIB],
  ['metrics', 28 * MIB, 4 * MIB],
  ['routesA', 32 * MIB, 96 * MIB],
  ['routesB', 128 * MIB, 96 * MIB],
  ['ringChunks', 224 * MIB, 92 * MIB],
  ['logText', 316 * MIB, 4 * MIB],
  ['peers', 320 * MIB, 1 * MIB],
  ['balancerStates', 321 * MIB, 1 * MIB],
  ['balancersA', 322 * MIB, 15 * MIB],
  ['balancersB', 337 * MIB, 15 * MIB],
  ['slots', 352 * MIB, 160 * MIB],
] as const satisfies readonly (readonly [string, number, number])[];

/** Size of the whole memory in 64 KiB pages: initial = maximum, growth would detach every view. */
export const memoryPages = 8192;

export const codes = {
  event: {
    ACCEPT: 1, // a: pointer to AcceptInfo
    DATA: 2, // a: pointer, b: length
    END: 3, // the peer's FIN
    ERROR: 4, // reset or failed connect; a: ErrorCause
    BLOCKED: 5, // the driver holds unsent bytes for this connection
    DRAINED: 6, // and holds none any more
    CONNECTED: 7,
    RESUME: 8, // the shell has news of an exchange; b: its sequence. The core calls phase RESUMED
    TICK: 9, // only the clock moved
    DRAIN: 10, // the gateway stops: close idle connections, answer the rest with Connection: close
    DROP_IDLE: 11, // a: target whose idle upstream connections are to be closed
  },
  command: {
    SEND: 1, // a: pointer, b: length; valid until process() is called again
    CLOSE: 2, // flush, then close; a: 1: the peer sends nothing more, so nothing is awaited
    ABORT: 3, // reset
    CONNECT: 4, // a: target index
    PAUSE: 5, // stop reading
    RESUME: 6,
    SHUTDOWN: 7, // flush, then FIN; keep reading
  },
  errorCause: { RESET: 1, REFUSED: 2, TIMEOUT: 3, RESOLVE: 4, OTHER: 5 },
  /** What the core calls for. ENDED in a plan's bits: told of the end of every exchange. */
  phase: {
    REWRITE: 1, // before routing
    ACCESS: 2,
    HEADER_FILTER: 4, // the head of the answer is known, also of one of our own
    RESUMED: 8, // after a RESUME event: what has become of the exchange?
    REQUEST_BODY: 16, // body bytes for the shell
    REQUEST_PULL: 32, // room for body bytes of the shell
    RESPONSE_BODY: 64,
    RESPONSE_PULL: 128,
    ENDED: 256,
    COUNT: 512, // CounterAsk records in the reply region; REPLY: one is used up, and none counted
  },
  /** Low bits of what a phase call returns. */
  phaseVerdict: {
    CONTINUE: 0,
    REPLY: 1, // the reply region holds the answer
    PARK: 2, // wait for RESUME; an answer's head is held, its body goes to the shell
    CUT: 3, // break the exchange off
  },
  /** Added to a verdict. */
  verdictFlag: {
    READ: 16, // parked: read the request body, for the shell
    REQUEST_BODY: 32, // the shell gives the request body; PhaseView.outLength or chunked
    RESPONSE_BODY: 64, // the answer's body goes through the shell; likewise
    REPLAY: 128, // the shell can give the request body again, from its start
    HOLD_REQUEST: 256, // no further request body for now
    HOLD_RESPONSE: 512,
    END: 1024, // of the output, behind the bytes of this pull
    GO_ON: 4096, // with body bytes: the answer's held head goes on, as after RESUME
    SETTLED: 2048, // access: not called for this exchange again; PhaseView.clientEdits wait
  },
  bodyFlag: { END: 1, RESTART: 2 },
  responseSource: { SERVICE: 0, EXIT: 1, ERROR: 2 },
  /** Ops from SET_TARGET to SET_UPSTREAM hold a decimal number. */
  editOp: {
    SET: 1,
    ADD: 2,
    REMOVE: 3,
    SET_PATH: 4,
    SET_QUERY: 5,
    SET_METHOD: 6,
    STATUS: 7,
    SET_TARGET: 8,
    SET_RETRIES: 9,
    SET_CONNECT_TIMEOUT: 10,
    SET_WRITE_TIMEOUT: 11,
    SET_READ_TIMEOUT: 12,
    SET_UPSTREAM: 13, // number of the view
    HASH_VALUE: 14, // what a balancer hashes where only the shell knows it
    HASH_FALLBACK: 15,
  },
  protocol: { HTTP: 1, HTTPS: 2, GRPC: 4, GRPCS: 8 },
  routeFlag: {
    STRIP_PATH: 1,
    PRESERVE_HOST: 2,
    REQUEST_BUFFERING: 4,
    RESPONSE_BUFFERING: 8,
    PATH_V1: 16, // path_handling v1, which only the flavour `traditional` honours
  },
  acceptFlag: { TLS: 1, UNIX: 2 },
  /** Response and request headers that the node settings `headers`, `headers_upstream` switch. */
  tokenFlag: {
    SERVER: 1,
    VIA: 2,
    PROXY_LATENCY: 4,
    UPSTREAM_LATENCY: 8,
    RESPONSE_LATENCY: 16,
    UPSTREAM_STATUS: 32,
    REQUEST_ID: 64,
    UPSTREAM_REQUEST_ID: 128,
    DEBUG: 256,
    REAL_IP_RECURSIVE: 512,
  },
  logFlag: {
    TLS: 1,
    LOCAL: 2,
    REQUEST_CUT: 4,
    RESPONSE_CUT: 8,
    CLIENT_ABORT: 16,
    TUNNEL: 32,
    HEAD_CUT: 64,
  },
  contentType: { JSON: 0, PLAIN: 1, HTML: 2, XML: 3 },
  ...matcherCodes,
  ...expressionCodes,
  ...policyCodes,
  ...balancerCodes,
} as const;

export const structs = {
  Record: [
    ['u32', 'type', 'event or command code'],
    ['u32', 'connection', 'index in the low 16 bits, generation in the high 16'],
    ['u32', 'a', ''],
    ['u32', 'b', ''],
  ],
  HeaderEntry: [
    ['u32', 'name', 'pointer'],
    ['u32', 'value', 'pointer, white space around it removed'],
    ['u16', 'nameLength', ''],
    ['u16', 'valueLength', ''],
    ['u16', 'id', 'known-header id of the core, 0 for the rest'],
    ['u16', 'flags', '1: removed'],
  ],
  Control: [
    ['f64', 'nowMs', 'monotonic clock, written before each batch'],
    ['f64', 'wallMs', 'epoch milliseconds, written before each batch'],
    ['u32', 'generation', 'of the route table in use; 0 before the first swap'],
    ['u32', 'routeBase', 'pointer to the route table in use, 0 before the first swap'],
    ['u32', 'activeDownstream', 'gauge'],
    ['u32', 'activeUpstream', 'gauge, idle ones included'],
    ['u32', 'idleUpstream', 'gauge'],
    ['u32', 'activeExchanges', 'gauge: requests accepted and not yet ended'],
    ['u32', 'activeTunnels', 'gauge'],
    ['u32', 'timers', 'connections with a deadline; 0 means no tick is needed'],
    ['u32', 'slotBytes', 'gauge: bytes held in slots'],
    ['u32', 'editCount', 'edits waiting in the edits region'],
    ['u32', 'eventsTaken', 'by the last process(); the rest must be handed over again'],
    ['u32', 'more', 'not 0: work is left over that no event will wake, send a TICK'],
    ['f64', 'acceptedConnections', 'counter'],
    ['f64', 'refusedConnections', 'counter: over the connection limit'],
    ['f64', 'requests', 'counter'],
    ['f64', 'badRequests', 'counter: refused before routing'],
    ['f64', 'upstreamConnects', 'counter'],
    ['f64', 'upstreamReuses', 'counter'],
    ['f64', 'retries', 'counter'],
    ['f64', 'staleReuses', 'counter: a pooled connection turned out to be closed'],
    ['f64', 'timeouts', 'counter'],
    ['f64', 'lateEvents', 'counter: events for connections that are gone'],
    ['u32', 'balancerBase', 'pointer to the balancer table in use, 0 before the first'],
    ['u32', 'healthChanges', 'counter: times that some peer became healthy or unhealthy'],
  ],
  Settings: [
    ['u32', 'clientHeaderTimeoutMs', ''],
    ['u32', 'clientBodyTimeoutMs', 'between two reads'],
    ['u32', 'clientBodyMinRate', 'bytes per second after the grace, 0: off'],
    ['u32', 'clientBodyMinRateGraceMs', ''],
    ['u32', 'keepaliveTimeoutMs', ''],
    ['u32', 'keepaliveRequests', 'per client connection, 0: keep-alive off'],
    ['u32', 'sendTimeoutMs', 'a client that takes nothing for this long is cut'],
    ['u32', 'upstreamKeepalivePoolSize', 'idle connections per target'],
    ['u32', 'upstreamKeepaliveMaxRequests', ''],
    ['u32', 'upstreamKeepaliveIdleMs', '0: no limit'],
    ['f64', 'clientMaxBodyBytes', '0: unlimited, else 413'],
    ['u32', 'tokens', 'tokenFlag bits'],
    ['u32', 'errorDefaultType', 'contentType code'],
    ['u32', 'trustedCount', 'TrustedRange entries in the trusted region'],
    ['u32', 'realIpHeaderLength', 'bytes of realIpHeader in use'],
    ['u32', 'productLength', 'bytes of product in use'],
    ['u32', 'accessRing', 'ring of the access log, 0xffffffff: off'],
    ['bytes64', 'realIpHeader', 'lower-case header name'],
    ['bytes64', 'product', 'token for Via and Server, such as headgate/0.1.0'],
  ],
  TrustedRange: [
    ['bytes16', 'address', 'IPv6, or IPv4 mapped into ::ffff:0:0/96; host bits zero'],
    ['u32', 'prefixBits', '0 to 128'],
    ['u32', 'unused', ''],
  ],
  AcceptInfo: [
    ['bytes16', 'peerAddress', 'IPv6, or IPv4 mapped into ::ffff:0:0/96'],
    ['bytes16', 'localAddress', ''],
    ['u16', 'peerPort', ''],
    ['u16', 'localPort', 'after port_maps: the port the outside sees'],
    ['u16', 'listener', 'index of the listener'],
    ['u16', 'flags', 'acceptFlag bits'],
    ['u32', 'sniLength', '0: none'],
    ['u32', 'tls', 'number of protocol and cipher in src/tls/session-names.ts, 0: not known'],
    ['bytes256', 'sni', ''],
  ],
  /** Written by the core before each call of the imported `phase(connection, phase)`. */
  PhaseView: [
    ['u32', 'connection', 'downstream connection id'],
    ['u32', 'generation', 'of the configuration that matched'],
    ['u32', 'route', 'index in that generation; routeCount: nothing matched'],
    ['u32', 'method', 'pointer'],
    ['u32', 'methodLength', ''],
    ['u32', 'target', 'pointer to the raw request target'],
    ['u32', 'targetLength', ''],
    ['u32', 'path', 'pointer to the normalised path'],
    ['u32', 'pathLength', ''],
    ['u32', 'headers', 'pointer to HeaderEntry[]'],
    ['u32', 'headerCount', ''],
    ['u32', 'responseHeaders', 'pointer to HeaderEntry[]; header filter only'],
    ['u32', 'responseHeaderCount', ''],
    ['u32', 'status', 'response status; header filter only'],
    ['u32', 'minorVersion', 'of the request, 0 or 1'],
    ['u32', 'flags', 'acceptFlag bits of the connection'],
    ['u32', 'prefixLength', 'bytes of the path that the route matched'],
    ['u32', 'upstreamTarget', 'pointer to the upstream path and query; access only'],
    ['u32', 'upstreamTargetLength', ''],
    ['u32', 'peerPort', ''],
    ['u32', 'localPort', ''],
    ['f64', 'startWallMs', 'epoch milliseconds of the first request byte'],
    ['f64', 'contentLength', 'of the request; -1: chunked, 0: none'],
    ['f64', 'outLength', 'written by the shell: length of its body, -1: not known'],
    ['u32', 'outBytes', 'written by the shell: bytes for a pull, in the reply region'],
    ['u32', 'sequence', 'number of the exchange on its connection'],
    ['u32', 'source', 'responseSource code; header filter only'],
    ['u32', 'upstreamStatus', '0: none'],
    ['u32', 'body', 'pointer to body bytes; body phases only'],
    ['u32', 'bodyBytes', ''],
    ['u32', 'bodyFlags', 'bodyFlag bits; header filter: END where no body follows'],
    ['u32', 'clientEdits', 'written by the shell with SETTLED: pointer to edits of the answer'],
    ['u32', 'clientEditBytes', ''],
    ['u32', 'clientEditCount', '0: none'],
    ['u32', 'trailers', 'pointer to octets of a trailer section; body phases only'],
    ['u32', 'trailerBytes', ''],
    ['u32', 'outTrailerBytes', 'written by the shell: trailer lines behind the bytes of a pull'],
    ['u32', 'sni', 'pointer to the name that the client asked for in its TLS handshake'],
    ['u32', 'sniLength', '0: none'],
    ['u32', 'tls', 'as in AcceptInfo'],
    ['u32', 'attempt', 'interned target of the last attempt, 0xffffffff: none yet'],
    ['u32', 'upstreamMs', 'from choosing a target to the head of its answer, 0xffffffff: none yet'],
    ['u32', 'ranSteps', 'first access steps of the plan that a policy has run; access only'],
    ['u32', 'ranEdits', 'number of their edits toward the upstream, in the edits region'],
    ['u32', 'ranClientEdits', 'pointer to their edits of the answer'],
    ['u32', 'ranClientEditCount', ''],
    ['u32', 'ranCredential', 'place + 1 of the credential that they found, 0: none'],
    ['bytes16', 'clientAddress', 'after real-ip'],
    ['bytes16', 'peerAddress', ''],
    ['bytes16', 'localAddress', 'of the connection'],
    ['bytes32', 'requestId', 'hexadecimal text'],
    ['f64', 'requestBytes', 'head and body as received; ended only'],
    ['f64', 'responseBytes', 'head and body as sent; ended only'],
    ['f64', 'bodyBytesSent', 'of them the body, framing left out; ended only'],
  ],
  /** In the edits region; name and value follow, each record padded to 4 bytes. */
  Edit: [
    ['u32', 'op', 'editOp code'],
    ['u32', 'nameLength', ''],
    ['u32', 'valueLength', ''],
  ],
  /** In the reply region; header lines ("Name: value\\r\\n"...) follow, then the body. */
  Reply: [
    ['u32', 'status', ''],
    ['u32', 'headerBytes', 'without framing, date, connection and gateway headers'],
    ['u32', 'bodyBytes', ''],
    ['u32', 'proxied', '1: it has the headers of proxied answers'],
  ],
  /** Inputs and results of one route look-up; the core's own lives at routeScratch. */
  RouteQuery: [
    ['u32', 'method', 'pointer'],
    ['u32', 'methodLength', ''],
    ['u32', 'host', 'pointer to the raw Host value'],
    ['u32', 'hostLength', '0: no Host'],
    ['u32', 'target', 'pointer to the raw origin-form target, query included'],
    ['u32', 'targetLength', ''],
    ['u32', 'path', 'pointer to the normalised path'],
    ['u32', 'pathLength', ''],
    ['u32', 'headers', 'pointer to HeaderEntry[]'],
    ['u32', 'headerCount', ''],
    ['u32', 'protocol', 'protocol bit of the accepted connection'],
    ['u32', 'localPort', 'listener port as the outside sees it'],
    ['u32', 'peerPort', ''],
    ['u32', 'sni', 'pointer'],
    ['u32', 'sniLength', '0: none'],
    ['u32', 'prefixLength', 'result: bytes of the path that the route matched'],
    ['u32', 'hostPort', 'result: port of the Host, localPort where it has none'],
    ['u32', 'unused', ''],
    ['bytes16', 'clientAddress', 'after real-ip'],
    ['bytes16', 'localAddress', ''],
  ],
  ...routeTableStructs,
  ...matcherStructs,
  ...expressionStructs,
  ...policyStructs,
  ...balancerStructs,
  MetricSlot: [
    ['u32', 'status1xx', 'responses by class'],
    ['u32', 'status2xx', ''],
    ['u32', 'status3xx', ''],
    ['u32', 'status4xx', ''],
    ['u32', 'status5xx', ''],
    ['u32', 'unused', ''],
    ['f64', 'requestMsSum', ''],
    ['f64', 'upstreamMsSum', ''],
    ['f64', 'gatewayMsSum', ''],
    ['f64', 'bytesIn', 'request heads and bodies as received'],
    ['f64', 'bytesOut', 'response heads and bodies as sent'],
    ['bytes64', 'requestMs', 'u32[16] histogram, see latencyBucketsMs'],
    ['bytes64', 'upstreamMs', 'u32[16]'],
    ['bytes64', 'gatewayMs', 'u32[16]'],
  ],
  ...logStructs,
} as const satisfies Record<string, readonly Field[]>;

/** Upper bounds of the latency histograms; the 16th bucket is +Inf. */
export const latencyBucketsMs = [1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 1000, 5000];
