/**
 * The workers of a node as one data plane: every change reaches all of them, or none; one that dies
 * is replaced, and the others go on.
 */
import type { Snapshot } from '../config/model.js';
import type { ControlValues } from '../core/control.js';
import type { SlotValues } from '../core/metric-slot.js';
import type { DriverFacts } from '../driver/choose.js';
import type { BoundListener, ListenSpec } from '../driver/contract.js';
import { GatewayError } from '../errors.js';
import { type FilterMetric, mergeFilterMetrics } from '../filter/metrics.js';
import type { FilterRegistry } from '../filter/registry.js';
import type { QueueMetrics } from '../log/queue-metrics.js';
import type { Logger } from '../observe/logger.js';
import type { MetricSeries, Series } from '../observe/metrics.js';
import { RequestMetrics, type RequestSample } from '../observe/request-metrics.js';
import type { Clock } from '../time.js';
import type { HealthChange, UpstreamHealth } from '../upstream/health.js';
import type { MakeWorker, WorkerHandle, WorkerReport } from './handle.js';
import { mergeQueues } from './queues.js';
import { RetiredStats, sumControl, sumSlot } from './stats.js';

export interface PoolOptions {
  readonly count: number;
  readonly make: MakeWorker;
  /** What all workers use to move bytes, for people to read. */
  readonly driver: DriverFacts;
  readonly series: MetricSeries;
  readonly logger: Logger;
  readonly clock: Clock;
  /** A worker whose event loop stands still this long is ended and replaced; 0: never. */
  readonly hangMs: number;
  /** No worker is left and none can be made. */
  readonly onLost: (error: Error) => void;
}

export interface PoolReport {
  readonly control: ControlValues;
  readonly series: readonly (Series & { readonly values: SlotValues })[];
  /** By name: a name's queues of all workers count as one. */
  readonly queues: readonly QueueMetrics[];
  readonly filterMetrics: readonly FilterMetric[];
  readonly requestMetrics: readonly RequestSample[];
  /** As the first worker sees them. */
  readonly upstreams: readonly UpstreamHealth[];
  readonly liveGenerations: number;
  readonly driver: DriverFacts;
  readonly workers: readonly { readonly index: number; readonly restarts: number }[];
}

/** A worker that dies is replaced at once, then after twice as long each time, up to the last. */
const firstWaitMs = 100;
const longestWaitMs = 30_000;
/** After this long without a fault the waiting starts over. */
const steadyMs = 60_000;
/** How often workers are looked at, at most. */
const watchMs = 1000;

interface Place {
  readonly index: number;
  handle: WorkerHandle | null;
  restarts: number;
  waitMs: number;
  faultAtMs: number;
  /** The last look found it hung: the second one in a row ends it. */
  suspect: boolean;
}

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #places: Place[];
  readonly #retired = new RetiredStats();
  readonly #faulted = new WeakSet<WorkerHandle>();
  #listeners: BoundListener[] = [];
  #snapshot: Snapshot | null = null;
  #filters: FilterRegistry = new Map();
  #generation = 0;
  #state: 'running' | 'draining' | 'closed' = 'running';
  #watch: unknown = null;
  /** The last of the changes, which run one after the other. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.count }, (_, index) => {
      const faultAtMs = Number.NEGATIVE_INFINITY;
      return { index, handle: null, restarts: 0, waitMs: 0, faultAtMs, suspect: false };
    });
  }

  /** Makes the workers; rejects where one cannot be made. */
  async start(): Promise<void> {
    await Promise.all(
      this.#places.map(async (place) => {
        place.handle = await this.#make(place);
      }),
    );
    this.#scheduleWatch();
  }

  get driver(): DriverFacts {
    return this.#options.driver;
  }

  get size(): number {
    return this.#places.length;
  }

  /** Configurations that were installed. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Binds an address in every worker (SO_REUSEPORT), a Unix socket in the first one only.
   * @throws GatewayError GW_E_LISTEN
   */
  listen(spec: ListenSpec): Promise<BoundListener> {
    return this.#change(async () => {
      const [first, ...others] = this.#handles();
      const shared = this.size > 1 && !spec.unix;
      const bound = await first.listen(shared ? { ...spec, reuseport: true } : spec);
      const again = { ...spec, port: bound.port, reuseport: true };
      if (shared) await Promise.all(others.map((handle) => handle.listen(again)));
      this.#listeners.push(bound);
      return bound;
    });
  }

  /**
   * Swaps a configuration in. The first worker proves that it can be; one that then cannot is
   * replaced.
   * @throws GatewayError GW_E_CONFIG_INVALID, GW_E_CONFIG_LIMIT; the one in use stays
   */
  install(snapshot: Snapshot, filters: FilterRegistry = new Map()): Promise<number> {
    return this.#change(async () => {
      const [first, ...others] = this.#alive();
      await first?.handle.install(snapshot, filters);
      this.#snapshot = snapshot;
      this.#filters = filters;
      await Promise.all(
        others.map(({ place, handle }) =>
          handle
            .install(snapshot, filters)
            .catch((error: Error) => this.#fault(place, handle, error)),
        ),
      );
      return ++this.#generation;
    });
  }

  async stopListening(): Promise<void> {
    this.#state = 'draining';
    await this.#all((handle) => handle.stopListening());
  }

  /** @returns exchanges and tunnels that were still there when the time was over */
  async drain(timeoutMs: number): Promise<number> {
    const left = await this.#all((handle) => handle.drain(timeoutMs));
    return left.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  }

  /** Ends every worker. Idempotent. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#options.clock.clearTimeout(this.#watch);
    await this.#all((handle) => handle.close());
  }

  async reopenLogs(): Promise<void> {
    const failures = await Promise.allSettled(this.#handles().map((one) => one.reopenLogs()));
    for (const one of failures) if (one.status === 'rejected') throw one.reason;
  }

  /** Sets the health of addresses in every worker; false: there are none such. */
  async setHealth(change: HealthChange): Promise<boolean> {
    return (await this.#all((handle) => handle.setHealth(change))).includes(true);
  }

  /** Counters of all workers, those that are gone included. */
  async report(): Promise<PoolReport> {
    const alive = this.#alive();
    const reports = await Promise.all(alive.map(({ handle }) => handle.report()));
    const views = [this.#retired.view, ...alive.map(({ handle }) => handle.stats)];
    const series = [...this.#options.series.all()];
    return {
      control: sumControl(views),
      series: series.map((one) => ({ ...one, values: sumSlot(views, one.slot) })),
      queues: mergeQueues(reports.flatMap((report) => report.queues)),
      requestMetrics: mergedRequests(reports),
      upstreams: reports[0]?.upstreams ?? [],
      filterMetrics: mergeFilterMetrics(reports.flatMap((report) => report.filterMetrics)),
      liveGenerations: Math.max(0, ...reports.map((report) => report.liveGenerations)),
      driver: this.driver,
      workers: this.#places.map(({ index, restarts }) => ({ index, restarts })),
    };
  }

  async #make(place: Place): Promise<WorkerHandle> {
    let handle: WorkerHandle | null = null;
    let early: Error | null = null;
    handle = await this.#options.make(place.index, (error) => {
      if (handle) this.#fault(place, handle, error);
      else early = error;
    });
    if (early) throw early;
    return handle;
  }

  /** Takes a worker out, keeps what it counted, and has it replaced. */
  #fault(place: Place, handle: WorkerHandle, error: Error): void {
    if (this.#faulted.has(handle) || this.#state === 'closed') return;
    this.#faulted.add(handle);
    // Else it is being made, and whoever makes it sees that it is gone.
    if (place.handle !== handle) return;
    const { logger, clock, series } = this.#options;
    logger.error({ err: error, worker: place.index }, 'the core failed and is replaced');
    place.handle = null;
    const steady = clock.now() - place.faultAtMs > steadyMs;
    place.waitMs = steady ? 0 : Math.min(longestWaitMs, place.waitMs * 2 || firstWaitMs);
    place.faultAtMs = clock.now();
    this.#retired.add(handle.stats, series.count);
    void this.#change(() => handle.close());
    this.#scheduleReplacement(place);
  }

  #scheduleReplacement(place: Place): void {
    this.#options.clock.setTimeout(() => void this.#replace(place), place.waitMs);
  }

  async #replace(place: Place): Promise<void> {
    const { logger, onLost } = this.#options;
    await this.#change(async () => {
      if (this.#state !== 'running') return;
      let handle: WorkerHandle | null = null;
      try {
        handle = await this.#make(place);
        if (this.#snapshot) await handle.install(this.#snapshot, this.#filters);
        for (const { spec, port } of this.#listeners) {
          if (spec.unix && place.index > 0) continue;
          const reuseport = spec.reuseport || (this.size > 1 && !spec.unix);
          await handle.listen({ ...spec, port, reuseport });
        }
        if (this.#faulted.has(handle)) throw new GatewayError('GW_E_STATE', 'it ended at once');
        place.handle = handle;
        place.restarts++;
      } catch (error) {
        await handle?.close();
        if (this.#alive().length === 0) {
          logger.fatal({ err: error }, 'the core could not be replaced');
          onLost(error as Error);
          return;
        }
        logger.error({ err: error, worker: place.index }, 'a worker could not be replaced');
        place.waitMs = Math.min(longestWaitMs, place.waitMs * 2 || firstWaitMs);
        this.#scheduleReplacement(place);
      }
    });
  }

  /** Ends workers whose loop stands still; twice, because a machine that slept looks the same. */
  #scheduleWatch(): void {
    const { clock, hangMs } = this.#options;
    if (this.#state === 'closed' || hangMs === 0) return;
    const look = () => {
      for (const { place, handle } of this.#alive()) {
        const hung = handle.silentMs() > hangMs;
        if (hung && place.suspect) {
          this.#fault(place, handle, new Error(`the event loop stood still for ${hangMs} ms`));
        }
        place.suspect = hung;
      }
      this.#scheduleWatch();
    };
    this.#watch = clock.setTimeout(look, Math.min(watchMs, hangMs / 2));
  }

  #alive(): { place: Place; handle: WorkerHandle }[] {
    return this.#places.flatMap((place) => (place.handle ? [{ place, handle: place.handle }] : []));
  }

  #handles(): WorkerHandle[] {
    return this.#alive().map(({ handle }) => handle);
  }

  /** Asks every worker; one that dies meanwhile is left out. */
  #all<T>(ask: (handle: WorkerHandle) => Promise<T>): Promise<(T | undefined)[]> {
    return Promise.all(this.#handles().map((handle) => ask(handle).catch(() => undefined)));
  }

  #change<T>(act: () => Promise<T>): Promise<T> {
    const change = this.#changing.then(act);
    this.#changing = change.catch(() => {});
    return change;
  }
}

function mergedRequests(reports: readonly WorkerReport[]): RequestSample[] {
  const sum = new RequestMetrics();
  for (const { requestMetrics } of reports) sum.add(requestMetrics);
  return sum.all();
}
