/**
 * What a worker knows of the health of its addresses, shown and set by hand, and told to the other
 * workers of the node where it changes: one that finds an address failing spares the others that.
 */
import { healthChanges, readPeer, setPeerHealth } from '../core/balancer-table.js';
import type { Core } from '../core/instance.js';
import type { Logger } from '../observe/logger.js';
import { type NodeChannel, nodeChannel } from '../workers/node-channel.js';
import type { PeerAddress } from './balancer-input.js';
import type { ActiveUpstream, Balancers } from './balancers.js';
import {
  type AddressHealth,
  checksHealth,
  type HealthChange,
  type TargetHealth,
  targetState,
  type UpstreamHealth,
  upstreamState,
} from './health.js';

/** Told of what other threads found. */
const watches = new Set<HealthWatch>();
let channel: NodeChannel<HealthChange> | null = null;

function openChannel(): NodeChannel<HealthChange> {
  channel ??= nodeChannel('upstream health', (change) => {
    for (const watch of watches) watch.set(change);
  });
  return channel;
}

export class HealthWatch {
  readonly #core: Core;
  readonly #balancers: Balancers;
  readonly #logger: Logger;
  readonly #channel = openChannel();
  /** Peers that are unhealthy, as far as everybody was told. */
  readonly #down = new Set<number>();
  #seenChanges = 0;

  constructor(core: Core, balancers: Balancers, logger: Logger) {
    this.#core = core;
    this.#balancers = balancers;
    this.#logger = logger;
    watches.add(this);
  }

  /** Looks whether some address became healthy or unhealthy, and tells the other workers. */
  poll(): void {
    const changes = healthChanges(this.#core);
    if (changes === this.#seenChanges) return;
    this.#seenChanges = changes;
    for (const { upstream, targets } of this.#balancers.active.values()) {
      for (const { target, peers } of targets) {
        for (const { slot, ip, port } of peers) {
          const { down } = readPeer(this.#core, slot);
          if (down === this.#down.has(slot)) continue;
          this.#note(slot, !down);
          const change = { upstream: upstream.id, target: target.target, ip, port, healthy: !down };
          const fields = { upstream: upstream.name, target: target.target, address: ip, port };
          this.#logger[down ? 'warn' : 'info'](
            fields,
            `a target is ${down ? 'unhealthy' : 'healthy again'}`,
          );
          this.#channel.post(change);
        }
      }
    }
  }

  /** Sets the health of a target's addresses, or of one of them. False: there is none such. */
  set(change: HealthChange): boolean {
    const found = this.#balancers.active.get(change.upstream);
    if (!found) return false;
    let isKnown = false;
    eachPeer(found, (peer, index, target) => {
      if (target !== change.target || (change.ip !== null && change.ip !== peer.ip)) return;
      if (change.port !== null && change.port !== peer.port) return;
      isKnown = true;
      setPeerHealth(this.#core, found.index, index, change.healthy);
      this.#note(peer.slot, change.healthy);
    });
    return isKnown;
  }

  /** All upstreams, in the order of the configuration. */
  show(): UpstreamHealth[] {
    return [...this.#balancers.active.values()].map(({ upstream, targets }) => {
      const isChecked = checksHealth(upstream);
      const shown = targets.map(({ target, peers }): TargetHealth => {
        const addresses = peers.map(({ ip, port, weight, slot }): AddressHealth => {
          const { down } = readPeer(this.#core, slot);
          const health = down ? 'UNHEALTHY' : isChecked ? 'HEALTHY' : 'HEALTHCHECKS_OFF';
          return { ip, port, weight, health };
        });
        const { id, weight } = target;
        return { id, target: target.target, weight, health: targetState(addresses), addresses };
      });
      const health = upstreamState(upstream, shown);
      return { id: upstream.id, name: upstream.name, isChecked, health, targets: shown };
    });
  }

  close(): void {
    watches.delete(this);
  }

  #note(slot: number, healthy: boolean): void {
    if (healthy) this.#down.delete(slot);
    else this.#down.add(slot);
  }
}

/** Every address of an upstream with its index in the core's table, and its target. */
export function eachPeer(
  { targets }: ActiveUpstream,
  visit: (peer: PeerAddress, index: number, target: string) => void,
): void {
  let index = 0;
  for (const { target, peers } of targets) {
    for (const peer of peers) visit(peer, index++, target.target);
  }
}
