/**
 * The addresses behind the targets of upstreams, each with the number of its state in the core.
 * What is known of an address (its health above all) is kept for a while when it is gone, as Kong
 * does, and in any case while exchanges use it.
 */
import type { Target, Upstream } from '../config/model.js';
import { splitTarget } from '../config/schema/target-address.js';
import { clearBalancer, clearPeer, readPeer } from '../core/balancer-table.js';
import type { Core } from '../core/instance.js';
import { limits } from '../limits.js';
import type { Logger } from '../observe/logger.js';
import type { Clock } from '../time.js';
import type { PeerAddress } from './balancer-input.js';
import { KeptNumbers } from './kept-numbers.js';
import type { Addresses } from './upstream-set.js';

/** A target of the table in use. */
export interface PlacedTarget {
  readonly target: Target;
  /** Empty where its name could not be looked up. */
  readonly peers: readonly PeerAddress[];
}

interface Placed {
  readonly upstream: Upstream;
  readonly peers: readonly PeerAddress[];
}

const keepMs = 300_000;

export class PeerBook {
  readonly #logger: Logger;
  readonly #peers: KeptNumbers;
  readonly #balancers: KeptNumbers;

  constructor({ core, clock, logger }: { core: Core; clock: Clock; logger: Logger }) {
    this.#logger = logger;
    this.#peers = new KeptNumbers({
      clock,
      limit: limits.balancerPeers.value,
      keepMs,
      mayPass: (slot) => readPeer(core, slot).inFlight === 0,
      taken: (slot) => clearPeer(core, slot),
    });
    this.#balancers = new KeptNumbers({
      clock,
      limit: limits.balancers.value,
      keepMs: -1,
      taken: (slot) => clearBalancer(core, slot),
    });
  }

  /** Number of the state of an upstream; there is one for each of limits.balancers. */
  stateOf({ id }: Upstream): number {
    const slot = this.#balancers.take(id);
    if (slot === null) throw new Error('more upstreams than the limit');
    return slot;
  }

  /** The targets of an upstream with their addresses. */
  place(upstream: Upstream, targets: readonly Target[], addresses: Addresses): PlacedTarget[] {
    let left = 0;
    const placed = targets.map((target) => {
      const peers: PeerAddress[] = [];
      for (const { ip, port, weight, name } of this.#addressesOf(target, addresses)) {
        const slot = this.#peers.take(keyOf(upstream, target.target, ip, port));
        if (slot === null) {
          left++;
          continue;
        }
        const own = upstream.use_srv_name ? name : (splitTarget(target.target)?.host ?? name);
        const share = target.weight === 0 ? 0 : (weight ?? target.weight);
        peers.push({ slot, ip, port, weight: share, name: own });
      }
      return { target, peers };
    });
    if (left > 0) {
      const fields = { upstream: upstream.name, addresses: left };
      this.#logger.error(fields, 'addresses are left out: there are too many');
    }
    return placed;
  }

  /** Everything else is not in use any more. */
  retain(placed: readonly (Placed & { readonly targets: readonly PlacedTarget[] })[]): void {
    const keys = new Set<string>();
    for (const { upstream, targets } of placed) {
      for (const { target, peers } of targets) {
        for (const { ip, port } of peers) keys.add(keyOf(upstream, target.target, ip, port));
      }
    }
    this.#peers.retain(keys);
    this.#balancers.retain(new Set(placed.map(({ upstream }) => upstream.id)));
  }

  #addressesOf({ target }: Target, addresses: Addresses) {
    const place = splitTarget(target);
    const known = addresses.get(target);
    if (known) return known;
    if (!place || !isAddress(place.host)) return [];
    return [{ ip: place.host, port: place.port, weight: null, name: place.host }];
  }
}

const isAddress = (host: string): boolean => /^[\d.]+$|:/.test(host);

const keyOf = ({ id }: Upstream, target: string, ip: string, port: number): string =>
  `${id} ${target} ${ip} ${port}`;
