/** All that a worker has to do with upstreams: their table, the health of their addresses. */
import type { Service, Snapshot } from '../config/model.js';
import type { UpstreamTls } from '../tls/upstream.js';
import { Balancers, type BalancersOptions, type PendingUpstreams } from './balancers.js';
import type { HealthChange, UpstreamHealth } from './health.js';
import { HealthProber } from './health-prober.js';
import { HealthWatch } from './health-watch.js';

export interface WorkerUpstreamsOptions extends Omit<BalancersOptions, 'changed'> {
  /** Place of the worker among all: the first one probes, the others are told. */
  readonly index: number;
  /** Authorities that https probes trust, in PEM; empty: node's. */
  readonly trusted: readonly string[];
}

export class WorkerUpstreams {
  readonly #balancers: Balancers;
  readonly #health: HealthWatch;
  readonly #prober: HealthProber | null;
  /** TLS by service, for plugins that choose an upstream. */
  readonly #security = new WeakMap<Service, UpstreamTls>();

  constructor(options: WorkerUpstreamsOptions) {
    const { core, clock, logger, trusted } = options;
    const changed = () => this.#prober?.settle();
    const balancers = new Balancers({ ...options, changed });
    this.#balancers = balancers;
    this.#health = new HealthWatch(core, balancers, logger);
    const probes = options.index === 0;
    this.#prober = probes ? new HealthProber({ core, clock, balancers, trusted }) : null;
  }

  /** See Balancers. */
  prepare(snapshot: Snapshot): Promise<PendingUpstreams> {
    return this.#balancers.prepare(snapshot);
  }

  /** A service of the configuration that is being loaded is spoken to with TLS. */
  secure(service: Service, security: UpstreamTls): void {
    this.#security.set(service, security);
  }

  /**
   * The view of an upstream as a service uses it, for single exchanges; null: there is none.
   * @throws GatewayError GW_E_CONFIG_LIMIT
   */
  readonly viewOf = (name: string, service: Service | null): number | null =>
    this.#balancers.viewOf(name, service ? this.#security.get(service) : undefined);

  /** Tells the other workers what this one has found out. */
  poll(): void {
    this.#health.poll();
  }

  /** Sets the health of addresses by hand. False: there are none such. */
  setHealth(change: HealthChange): boolean {
    return this.#health.set(change);
  }

  show(): UpstreamHealth[] {
    return this.#health.show();
  }

  /** Stops probing and looking names up. */
  close(): void {
    this.#balancers.close();
    this.#prober?.close();
    this.#health.close();
  }
}
