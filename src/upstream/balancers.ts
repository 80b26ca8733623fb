/**
 * The upstreams of a worker: gives the core its table of them, anew at each load and where a name
 * has got other addresses, and knows the health of every address.
 */
import type { Service, Snapshot } from '../config/model.js';
import {
  encodeBalancers,
  installBalancers,
  readPeer,
  setPeerHealth,
} from '../core/balancer-table.js';
import type { Core } from '../core/instance.js';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { Logger } from '../observe/logger.js';
import type { Clock } from '../time.js';
import type { UpstreamTls } from '../tls/upstream.js';
import { balancerInput } from './balancer-input.js';
import { checksHealth } from './health.js';
import { PeerBook, type PlacedTarget } from './peer-book.js';
import type { TargetTable } from './target-table.js';
import { type Addresses, lookUp, namesOf, type UpstreamSet, upstreamSet } from './upstream-set.js';
import { type PlacedUpstream, UpstreamViews } from './views.js';

export interface BalancersOptions {
  readonly core: Core;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly targets: TargetTable;
  /** Called when another table is in use. */
  readonly changed?: () => void;
}

/** An upstream of the table in use. */
export interface ActiveUpstream extends PlacedUpstream {
  readonly targets: readonly PlacedTarget[];
}

/** The upstreams of a configuration that is being loaded. */
export interface PendingUpstreams {
  /**
   * The view of the upstream that a service's host names, null where it names none.
   * @throws GatewayError GW_E_CONFIG_LIMIT
   */
  viewOf(service: Service, security: UpstreamTls | undefined): number | null;
  /**
   * Makes the table; the function that is returned puts it into use.
   * @throws GatewayError GW_E_CONFIG_LIMIT
   */
  stage(): () => void;
  /** Gives the views back: the configuration is not in use any more, or never was. */
  release(): void;
}

/** Names whose look-up takes longer have no addresses at first. */
const lookUpMs = 2000;

export class Balancers {
  readonly #options: BalancersOptions;
  readonly #views: UpstreamViews;
  readonly #peers: PeerBook;
  readonly #addresses: Addresses = new Map();
  #set: UpstreamSet = new Map();
  #active: ReadonlyMap<string, ActiveUpstream> = new Map();
  #timer: unknown = null;
  #closed = false;

  constructor(options: BalancersOptions) {
    this.#options = options;
    this.#views = new UpstreamViews(options.clock, options.targets);
    this.#peers = new PeerBook(options);
  }

  /** By id, in the order of the core's table. */
  get active(): ReadonlyMap<string, ActiveUpstream> {
    return this.#active;
  }

  /** Reads the upstreams of a configuration and looks up the names that are new. */
  async prepare(snapshot: Snapshot): Promise<PendingUpstreams> {
    const set = upstreamSet(snapshot);
    if (set.size > limits.balancers.value) {
      const message = `${set.size} upstreams, more than the limit of ${limits.balancers.value}`;
      throw new GatewayError('GW_E_CONFIG_LIMIT', message);
    }
    const fresh = [...namesOf(set)].filter((name) => !this.#addresses.get(name));
    if (fresh.length > 0) await this.#within(lookUpMs, lookUp(fresh, this.#addresses));
    const views: number[] = [];
    let undo = () => {};
    return {
      viewOf: (service, security) => {
        const found = set.get(service.host);
        if (!found) return null;
        const view = this.#views.acquire(found.upstream, security);
        views.push(view);
        return view;
      },
      stage: () => {
        const staged = this.#stage(set);
        undo = staged.discard;
        return () => {
          undo = () => {};
          staged.swap();
        };
      },
      release: () => {
        undo();
        for (const view of views.splice(0)) this.#views.release(view);
      },
    };
  }

  /**
   * The view of an upstream for single exchanges; null: there is no upstream of that name.
   * @throws GatewayError GW_E_CONFIG_LIMIT
   */
  viewOf(name: string, security: UpstreamTls | undefined): number | null {
    const found = this.#set.get(name);
    if (!found) return null;
    const { number, isNew } = this.#views.pin(found.upstream, security);
    if (isNew) this.#stage(this.#set).swap();
    return number;
  }

  /** Stops looking names up. */
  close(): void {
    this.#closed = true;
    this.#options.clock.clearTimeout(this.#timer);
  }

  #stage(set: UpstreamSet): { readonly swap: () => void; readonly discard: () => void } {
    const { core } = this.#options;
    const placed = new Map<string, ActiveUpstream>();
    const inputs = [...set.values()].map(({ upstream, targets: given }, index) => {
      const targets = this.#peers.place(upstream, given, this.#addresses);
      const peers = targets.flatMap((target) => target.peers);
      placed.set(upstream.id, { index, upstream, peers, targets });
      const slot = this.#peers.stateOf(upstream);
      return balancerInput(core, upstream, slot, given.length, peers);
    });
    const views = this.#views.place(placed);
    try {
      const bytes = encodeBalancers(inputs, views.inputs);
      const swap = () => {
        installBalancers(core, bytes);
        views.adopt();
        this.#set = set;
        this.#active = placed;
        this.#peers.retain([...placed.values()]);
        this.#forget();
        this.#schedule();
        this.#options.changed?.();
      };
      return { swap, discard: views.discard };
    } catch (error) {
      views.discard();
      throw error;
    }
  }

  /** What was found out does not count any more where health checks are off. */
  #forget(): void {
    const { core } = this.#options;
    for (const { upstream, peers, index } of this.#active.values()) {
      if (checksHealth(upstream)) continue;
      peers.forEach(({ slot }, peer) => {
        if (readPeer(core, slot).down) setPeerHealth(core, index, peer, true);
      });
    }
  }

  /** Names are looked up again and again; their records' times are not known. */
  #schedule(): void {
    const { clock } = this.#options;
    if (this.#closed || this.#timer !== null) return;
    if (namesOf(this.#set).size === 0) return;
    this.#timer = clock.setTimeout(() => {
      void this.#refresh().finally(() => {
        this.#timer = null;
        this.#schedule();
      });
    }, limits.targetNameMs.value);
    (this.#timer as { unref?: () => void } | null)?.unref?.();
  }

  async #refresh(): Promise<void> {
    const names = namesOf(this.#set);
    for (const name of this.#addresses.keys()) if (!names.has(name)) this.#addresses.delete(name);
    const changed = await lookUp(names, this.#addresses);
    if (!changed || this.#closed) return;
    try {
      this.#stage(this.#set).swap();
    } catch (error) {
      this.#options.logger.error({ err: error }, 'addresses of upstreams could not be changed');
    }
  }

  #within(ms: number, work: Promise<unknown>): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, ms);
      void work.finally(() => {
        clock.clearTimeout(timer);
        resolve();
      });
    });
  }
}
