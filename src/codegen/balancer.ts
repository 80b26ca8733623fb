/**
 * Upstreams as the core sees them. A balancer table lists them; it is swapped like a route table,
 * also when a name resolves to other addresses. What must outlive a table (health, exchanges in
 * flight, the place in the sequence) is state at numbers that an address and an upstream keep.
 *
 *   ServiceRecord.view --> BalancerView --> Balancer --> Peer[]       Peer.slot --> PeerState
 *                             targets[]       sequence or ring: u16[], indices of peers
 */
import type { Field } from './layout.js';

export const balancerCodes = {
  balancerAlgorithm: { ROUND_ROBIN: 0, LEAST_CONNECTIONS: 1, LATENCY: 2, HASHING: 3 },
  hashInput: {
    NONE: 0,
    CONSUMER: 1, // the shell gives it
    IP: 2,
    HEADER: 3,
    COOKIE: 4,
    PATH: 5,
    QUERY_ARG: 6,
    URI_CAPTURE: 7, // the shell gives it
  },
  /** What happened to an exchange or a probe. */
  healthEvent: { SUCCESS: 0, HTTP_FAILURE: 1, TCP_FAILURE: 2, TIMEOUT: 3 },
  balancerError: { NONE: 0, HEADER: 1, VIEWS: 2, BALANCERS: 3, PEERS: 4, SEQUENCE: 5 },
} as const;

export const balancerStructs = {
  /** First bytes of a balancer table. Offsets count from the table's base. */
  BalancerTable: [
    ['u32', 'magic', '0x48474254'],
    ['u32', 'bytes', 'whole table'],
    ['u32', 'viewCount', ''],
    ['u32', 'views', 'offset of BalancerView[]'],
    ['u32', 'balancerCount', ''],
    ['u32', 'balancers', 'offset of Balancer[]'],
  ],
  /** An upstream as one kind of service uses it; kinds differ in TLS. */
  BalancerView: [
    ['u32', 'balancer', 'index + 1; 0: the view is not in use'],
    ['u32', 'targets', 'offset of u32[]: interned target of each peer'],
    ['u32', 'secure', '1: with TLS'],
  ],
  Balancer: [
    ['u32', 'slot', 'of its BalancerState'],
    ['u32', 'algorithm', 'balancerAlgorithm code'],
    ['u32', 'threshold', 'per cent of the weight, in millionths'],
    ['u32', 'peers', 'offset of Peer[]'],
    ['u32', 'peerCount', ''],
    ['u32', 'sequence', 'offset of u16[]: turns of round-robin, or the ring of hashing'],
    ['u32', 'sequenceLength', ''],
    ['u32', 'hashOn', 'hashInput code'],
    ['u32', 'hashName', 'offset of the name of header, cookie or argument'],
    ['u32', 'hashNameLength', ''],
    ['u32', 'fallback', 'hashInput code'],
    ['u32', 'fallbackName', 'offset'],
    ['u32', 'fallbackNameLength', ''],
    ['u32', 'cookie', 'offset of what follows the value in Set-Cookie'],
    ['u32', 'cookieLength', ''],
    ['u32', 'checks', '1: answers and failures of exchanges count'],
    ['u32', 'goodStatuses', 'offset of u32[32]: a bit for each status that is a success'],
    ['u32', 'badStatuses', 'offset of u32[32]: a bit for each status that is a failure'],
    ['u32', 'successes', 'in a row that make healthy, as the next three; 0: none do'],
    ['u32', 'httpFailures', 'in a row that make unhealthy'],
    ['u32', 'tcpFailures', ''],
    ['u32', 'timeouts', ''],
  ],
  Peer: [
    ['u32', 'slot', 'of its PeerState'],
    ['u32', 'weight', ''],
    ['u32', 'port', ''],
    ['u32', 'host', 'offset of the Host value, port included'],
    ['u32', 'hostLength', ''],
    ['u32', 'nameLength', 'bytes of the Host value before the port'],
  ],
  BalancerState: [
    ['u32', 'cursor', 'next turn'],
    ['u32', 'usable', '1: more of the weight is healthy than the threshold asks for'],
    ['u32', 'weight', 'of all peers'],
    ['u32', 'healthyWeight', ''],
  ],
  PeerState: [
    ['u32', 'down', '1: unhealthy'],
    ['u32', 'inFlight', 'exchanges'],
    ['u32', 'successes', 'in a row, as the next three'],
    ['u32', 'httpFailures', ''],
    ['u32', 'tcpFailures', ''],
    ['u32', 'timeouts', ''],
    ['f64', 'latencyMs', 'moving average'],
    ['f64', 'latencyAtMs', 'clock of its last change, 0: never measured'],
  ],
} as const satisfies Record<string, readonly Field[]>;
