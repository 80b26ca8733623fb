/**
 * Upstreams as services use them: over TLS of some kind, or in the clear. Each such view has a
 * number, by which the core finds the targets of the upstream's addresses.
 */
import type { Upstream } from '../config/model.js';
import type { ViewInput } from '../core/balancer-table.js';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { Clock } from '../time.js';
import { keyPairOf } from '../tls/snapshot-tls.js';
import type { UpstreamTls } from '../tls/upstream.js';
import { type PeerAddress, serverNameOf } from './balancer-input.js';
import type { TargetTable } from './target-table.js';

/** An upstream of the table that is being made. */
export interface PlacedUpstream {
  /** Index in the table. */
  readonly index: number;
  readonly upstream: Upstream;
  readonly peers: readonly PeerAddress[];
}

interface View {
  readonly key: string;
  readonly upstreamId: string;
  readonly security: UpstreamTls | undefined;
  users: number;
  /** A plugin asked for it: it stays while there is the upstream. */
  pinned: boolean;
  /** When the last use ended. */
  idleSinceMs: number;
  /** Numbers of the targets in the table in use. */
  held: readonly number[];
}

/** An exchange of an older configuration may still try again under a number for so long. */
const quarantineMs = 600_000;

export class UpstreamViews {
  readonly #clock: Clock;
  readonly #targets: TargetTable;
  readonly #views: View[] = [];
  readonly #byKey = new Map<string, number>();

  constructor(clock: Clock, targets: TargetTable) {
    this.#clock = clock;
    this.#targets = targets;
  }

  /**
   * The number of a view, counting one more user of it.
   * @throws GatewayError GW_E_CONFIG_LIMIT where limits.balancerViews are taken
   */
  acquire(upstream: Upstream, security: UpstreamTls | undefined): number {
    const number = this.#numberOf(upstream, security);
    this.#views[number].users++;
    return number;
  }

  /** Gives one use back. */
  release(number: number): void {
    const view = this.#views[number];
    if (--view.users === 0) view.idleSinceMs = this.#clock.now();
  }

  /**
   * The number of a view for single exchanges; it stays good while there is the upstream.
   * @returns whether the core has to be told of it first
   * @throws GatewayError as `acquire`
   */
  pin(upstream: Upstream, security: UpstreamTls | undefined): { number: number; isNew: boolean } {
    const number = this.#numberOf(upstream, security);
    const view = this.#views[number];
    const isNew = !view.pinned && view.users === 0;
    view.pinned = true;
    return { number, isNew };
  }

  /**
   * The views of a table: null for those without an upstream in it. `adopt` gives back what the
   * table before held, `discard` what this one would.
   * @throws GatewayError GW_E_CONFIG_LIMIT where limits.targets are taken
   */
  place(placed: ReadonlyMap<string, PlacedUpstream>): {
    readonly inputs: readonly (ViewInput | null)[];
    readonly adopt: () => void;
    readonly discard: () => void;
  } {
    const taken: number[][] = [];
    const discard = () => {
      for (const target of taken.flat()) this.#targets.release(target);
    };
    try {
      const inputs = this.#views.map((view, number): ViewInput | null => {
        taken[number] = [];
        const found = placed.get(view.upstreamId);
        if (!found || (view.users === 0 && !view.pinned)) return null;
        for (const peer of found.peers) taken[number].push(this.#target(view, found, peer));
        return { balancer: found.index, targets: taken[number], secure: !!view.security };
      });
      return { inputs, discard, adopt: () => this.#adopt(taken, placed) };
    } catch (error) {
      discard();
      throw error;
    }
  }

  #adopt(taken: readonly number[][], placed: ReadonlyMap<string, PlacedUpstream>): void {
    this.#views.forEach((view, number) => {
      for (const target of view.held) this.#targets.release(target);
      view.held = taken[number] ?? [];
      if (placed.has(view.upstreamId) || !view.pinned) return;
      view.pinned = false;
      view.idleSinceMs = this.#clock.now();
    });
  }

  #target({ security }: View, { upstream }: PlacedUpstream, peer: PeerAddress): number {
    const certificate = upstream.client_certificate;
    const tls = security?.toward(
      serverNameOf(upstream, peer),
      certificate ? keyPairOf(certificate) : null,
    );
    return this.#targets.acquire(peer.ip, peer.port, tls);
  }

  #numberOf(upstream: Upstream, security: UpstreamTls | undefined): number {
    const key = `${upstream.id} ${security?.toward('', null).key ?? ''}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const number = this.#freeNumber();
    const old = this.#views[number];
    if (old) this.#byKey.delete(old.key);
    const held: number[] = [];
    const rest = { users: 0, pinned: false, idleSinceMs: this.#clock.now(), held };
    this.#views[number] = { key, upstreamId: upstream.id, security, ...rest };
    this.#byKey.set(key, number);
    return number;
  }

  #freeNumber(): number {
    const limit = limits.balancerViews.value;
    const before = this.#clock.now() - quarantineMs;
    const number = this.#views.findIndex((view) => {
      return view.users === 0 && !view.pinned && view.idleSinceMs < before;
    });
    if (number >= 0) return number;
    if (this.#views.length < limit) return this.#views.length;
    throw new GatewayError('GW_E_CONFIG_LIMIT', `more than ${limit} uses of upstreams`);
  }
}
