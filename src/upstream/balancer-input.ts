/** From the entity of an upstream and its addresses to what the core gets of it. */
import type { Upstream } from '../config/model.js';
import type {
  BalancerInput,
  HashSource,
  PassiveChecks,
  PeerInput,
} from '../core/balancer-table.js';
import { hashRing } from '../core/hash-ring.js';
import type { Core } from '../core/instance.js';
import { BalancerAlgorithm, HashInput } from '../core/layout.js';
import { turnsOf } from './turns.js';

/** An address that requests may go to. */
export interface PeerAddress {
  readonly slot: number;
  readonly ip: string;
  readonly port: number;
  readonly weight: number;
  /** Name toward it: of its target, or of its SRV record. */
  readonly name: string;
}

const algorithms = {
  'round-robin': BalancerAlgorithm.ROUND_ROBIN,
  'least-connections': BalancerAlgorithm.LEAST_CONNECTIONS,
  latency: BalancerAlgorithm.LATENCY,
  'consistent-hashing': BalancerAlgorithm.HASHING,
} as const;

/** `slot`: number of the upstream's state; `targetCount`: of all its targets. */
export function balancerInput(
  core: Core,
  upstream: Upstream,
  slot: number,
  targetCount: number,
  peers: readonly PeerAddress[],
): BalancerInput {
  const { algorithm } = upstream;
  const weights = peers.map(({ weight }) => weight);
  const hashes = algorithm === 'consistent-hashing';
  const turns = algorithm === 'round-robin';
  return {
    slot,
    algorithm: algorithms[algorithm],
    threshold: upstream.healthchecks.threshold,
    peers: peers.map((peer) => peerInput(upstream, peer)),
    sequence: hashes
      ? hashRing(core, upstream.slots, targetCount, peers)
      : turnsOf(turns ? weights : []),
    ...hashSources(upstream),
    cookie: `; Path=${upstream.hash_on_cookie_path}; Same-Site=Lax; HttpOnly\r\n`,
    checks: passiveChecks(upstream),
  };
}

/** Whether the outcome of requests says something about health. */
export function passiveChecks({ healthchecks }: Upstream): PassiveChecks | null {
  const { healthy, unhealthy } = healthchecks.passive;
  const { http_failures: httpFailures, tcp_failures: tcpFailures, timeouts } = unhealthy;
  if (httpFailures + tcpFailures + timeouts === 0) return null;
  return {
    goodStatuses: healthy.http_statuses,
    badStatuses: unhealthy.http_statuses,
    successes: healthy.successes,
    httpFailures,
    tcpFailures,
    timeouts,
  };
}

/** Server name of a connection with TLS to an address. */
export function serverNameOf({ host_header: given }: Upstream, { name }: PeerAddress): string {
  if (given === null) return name;
  return /^\[([^\]]*)\]/.exec(given)?.[1] ?? given.replace(/:\d+$/, '');
}

/** Host has the port of the address, unless it is the protocol's, or `host_header` has its own. */
function peerInput({ host_header: given }: Upstream, peer: PeerAddress): PeerInput {
  const { slot, weight, port } = peer;
  const bare = given ?? (peer.name.includes(':') ? `[${peer.name}]` : peer.name);
  const host = given !== null && /[^:]:\d+$|\]:\d+$/.test(given) ? given : `${bare}:${port}`;
  return { slot, weight, port, host, nameLength: bare.length };
}

function hashSources(upstream: Upstream): { hashOn: HashSource; fallback: HashSource } {
  const cookie = upstream.hash_on_cookie ?? '';
  return {
    hashOn: source(upstream.hash_on, {
      header: upstream.hash_on_header ?? '',
      cookie,
      query_arg: upstream.hash_on_query_arg ?? '',
    }),
    fallback: source(upstream.hash_fallback, {
      header: upstream.hash_fallback_header ?? '',
      cookie,
      query_arg: upstream.hash_fallback_query_arg ?? '',
    }),
  };
}

const inputs: Readonly<Record<Upstream['hash_on'], number>> = {
  none: HashInput.NONE,
  consumer: HashInput.CONSUMER,
  ip: HashInput.IP,
  header: HashInput.HEADER,
  cookie: HashInput.COOKIE,
  path: HashInput.PATH,
  query_arg: HashInput.QUERY_ARG,
  uri_capture: HashInput.URI_CAPTURE,
};

function source(
  input: Upstream['hash_on'],
  names: { readonly header: string; readonly cookie: string; readonly query_arg: string },
): HashSource {
  const name = input in names ? names[input as keyof typeof names] : '';
  const folded = input === 'header' ? name.toLowerCase().replaceAll('-', '_') : name;
  return { input: inputs[input], name: folded };
}
