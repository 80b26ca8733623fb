/**
 * The data plane of one event loop: a core, the driver that feeds it, plans, targets, log queues
 * and metric slots. It knows nothing of files, admin or signals.
 */
import { compileTable, type Securities, type ServicePlace } from './compile-table.js';
import type { Service, Snapshot } from './config/model.js';
import type { Settings } from './config/settings.js';
import { readGauge, writeAccessRing, writeSettings } from './core/control.js';
import { type Core, createCore } from './core/instance.js';
import { Event } from './core/layout.js';
import { installTable } from './core/router.js';
import { chooseDriver } from './driver/choose.js';
import type { BoundListener, Driver, ListenSpec, MakeDriver } from './driver/contract.js';
import { GatewayError } from './errors.js';
import type { FilterRegistry } from './filter/registry.js';
import type { ForeignFunction } from './filter/services.js';
import type { FilterMemory } from './filter/shared/stores.js';
import { WorkerFilters } from './filter/worker-filters.js';
import { Generations } from './generation.js';
import { AccessLog } from './log/access-log.js';
import { type LogAttachment, LogShipping } from './log/shipping.js';
import { sinksOf } from './log/step-sinks.js';
import type { Logger } from './observe/logger.js';
import type { MetricSeries } from './observe/metrics.js';
import { requestMetrics } from './observe/request-metrics.js';
import type { AnyPlugin } from './plugin/define.js';
import { PluginLifecycle } from './plugin/lifecycle.js';
import { warnOfShared } from './plugin/log-rings.js';
import type { PluginHost } from './plugin/pdk/host.js';
import { PhaseRunner } from './plugin/phases.js';
import type { PlanStep, PlanTable } from './plugin/plan.js';
import { product } from './product.js';
import { runInSlices } from './slices.js';
import type { Clock } from './time.js';
import { ServerContexts } from './tls/server-contexts.js';
import { readTlsMaterial, type TlsMaterial } from './tls/settings.js';
import { namedCertificates } from './tls/snapshot-tls.js';
import { setTracing } from './trace/settings.js';
import type { HealthChange } from './upstream/health.js';
import { TargetTable } from './upstream/target-table.js';
import { WorkerUpstreams } from './upstream/worker-upstreams.js';
import type { WorkerReport } from './workers/handle.js';
import { coreStats, type StatsView } from './workers/stats.js';

export interface WorkerOptions {
  /** Place among the workers of a node, from 0; default 0. */
  readonly index?: number;
  /** What the filters of all workers share; default: there is one worker. */
  readonly filterMemory?: FilterMemory;
  readonly settings: Settings;
  readonly plugins: ReadonlyMap<string, AnyPlugin>;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Which metric slot is whose; workers of a node agree on it. */
  readonly series: MetricSeries;
  /** For `{vault://env/...}` in plugins; default empty. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Functions that the embedder offers to filters; default none. */
  readonly filterFunctions?: ReadonlyMap<string, ForeignFunction>;
  /** Default: what the settings choose. */
  readonly makeDriver?: MakeDriver;
  /** The core trapped or broke a rule: this worker carries nothing any more. */
  readonly onFault: (error: Error) => void;
}

/** How often log queues are looked at, and the drain looks for the last exchange. */
const pollMs = 20;
const drainCheckMs = 5;
/**
 * A connection may have been accepted just before the drain: so long its first request may take.
 */
const firstRequestMs = 250;
const accessLimits = { maxEntries: 100_000, maxBytes: null };
const workspace = { id: '00000000-0000-0000-0000-000000000000', name: 'default' };

export class GatewayWorker {
  readonly #options: WorkerOptions;
  readonly #core: Core;
  readonly #stats: StatsView;
  readonly #driver: Driver;
  readonly #targets: TargetTable;
  readonly #upstreams: WorkerUpstreams;
  readonly #shipping: LogShipping;
  readonly #generations: Generations;
  readonly #filters: WorkerFilters;
  readonly #tls: TlsMaterial;
  readonly #contexts: ServerContexts;
  readonly #host: PluginHost;
  readonly #lifecycle: PluginLifecycle;
  #accessLog: AccessLog | null = null;
  #poll: unknown = null;
  #closed = false;

  private constructor(options: WorkerOptions, tls: TlsMaterial) {
    const { settings, clock, logger, onFault } = options;
    this.#options = options;
    this.#tls = tls;
    this.#contexts = new ServerContexts(tls);
    const { env = {}, index = 0 } = options;
    const interned = { internTarget: this.#internTarget, internUpstream: this.#internUpstream };
    this.#host = { trusted: settings.trustedIps, env, ...interned };
    this.#lifecycle = new PluginLifecycle(options.plugins, logger, this.#host);
    // What was answered is on its way to the disk before the answer leaves.
    const core = createCore({ afterBatch: () => this.#shipping.pollJournals() });
    this.#core = core;
    this.#stats = coreStats(core);
    writeSettings(core, settings, product);
    const targets = new TargetTable({ clock, idleMs: settings.upstreamKeepaliveIdleMs });
    this.#targets = targets;
    const { trusted } = tls;
    this.#upstreams = new WorkerUpstreams({ core, clock, logger, targets, index, trusted });
    const resolver = {
      route: (generation: number, index: number) => this.#generations.routeOf(generation, index),
      credential: (generation: number, place: number) =>
        this.#generations.credentialOf(generation, place),
      target: (index: number) => targets.address(index),
      workspace,
    };
    this.#shipping = new LogShipping({
      core,
      clock,
      resolver,
      worker: index,
      log: (level, message) => logger[level]({}, message),
    });
    this.#generations = new Generations({ core, clock, targets, shipping: this.#shipping });
    this.#driver = (options.makeDriver ?? chooseDriver(settings).create)({
      core,
      clock,
      target: (index) => targets.address(index),
      portMaps: settings.portMaps,
      serverContexts: this.#contexts,
      onFault,
    });
    this.#filters = new WorkerFilters({
      core,
      clock,
      memory: options.filterMemory ?? null,
      index,
      logger,
      logLevel: settings.logLevel,
      foreign: options.filterFunctions ?? new Map(),
      facts: {
        internTarget: this.#internTarget,
        targetAddress: (index) => targets.address(index),
        certificateFor: (serverName) => this.#contexts.certificate(serverName),
        configuration: settings.texts,
      },
    });
    core.onPhase = this.#phaseRunner(options).call;
  }

  /**
   * Makes a worker that listens nowhere and routes nothing yet.
   * @throws GatewayError GW_E_SETTING_VALUE, GW_E_LAYOUT_MISMATCH, GW_E_DRIVER
   */
  static async create(options: WorkerOptions): Promise<GatewayWorker> {
    const { settings, clock } = options;
    const tls = await readTlsMaterial(settings.tls, clock.wall());
    const worker = new GatewayWorker(options, tls);
    await worker.#openAccessLog();
    await worker.#lifecycle.start();
    worker.#schedulePoll();
    return worker;
  }

  get generation(): number {
    return this.#generations.current;
  }

  /** Generations whose exchanges or log records have not ended, the one in use included. */
  get liveGenerations(): number {
    return this.#generations.size;
  }

  /** @throws GatewayError GW_E_LISTEN */
  listen(spec: ListenSpec): Promise<BoundListener> {
    return this.#driver.listen(spec);
  }

  /**
   * Compiles a snapshot beside the traffic and swaps it in; requests that have begun end under the
   * old one. One call at a time.
   * @throws GatewayError GW_E_CONFIG_INVALID, GW_E_CONFIG_LIMIT, GW_E_FILTER_CONFIG,
   * GW_E_FILTER_TRAP; the table in use stays. GW_E_STATE where the worker was closed meanwhile
   */
  async install(snapshot: Snapshot, registry: FilterRegistry = new Map()): Promise<number> {
    const targets: number[] = [];
    const attachments: LogAttachment[] = [];
    const upstreams = await this.#upstreams.prepare(snapshot);
    const filters = this.#filters.prepare(snapshot, registry);
    const holdings = { targets, attachments, filters, upstreams };
    const hold = (table: PlanTable, security: Securities) => {
      const byService = new Map<Service, ServicePlace>();
      for (const service of table.services) {
        const { host, port } = service;
        const secure = security.get(service);
        if (secure) this.#upstreams.secure(service, secure);
        const view = upstreams.viewOf(service, secure);
        const target = view === null ? this.#targets.acquire(host, port, secure) : 0;
        if (view === null) targets.push(target);
        byService.set(service, { target, view });
      }
      for (const step of table.steps) this.#attach(step, attachments);
      warnOfShared(table.steps);
      return (service: Service) => byService.get(service) ?? { target: 0, view: null };
    };
    try {
      const { phasesOf } = this.#filters;
      const context = { ...this.#options, host: this.#host, tls: this.#tls, hold, phasesOf };
      const { table, encoded } = await runInSlices(compileTable(snapshot, context));
      if (this.#closed) throw new GatewayError('GW_E_STATE', 'the worker is closed');
      const swapUpstreams = upstreams.stage();
      const generation = installTable(this.#core, encoded);
      swapUpstreams();
      this.#contexts.use(namedCertificates(snapshot));
      this.#contexts.prepare = this.#lifecycle.handshakes(table);
      this.#generations.add(generation, { table, ...holdings });
      void this.#lifecycle.configure(table);
      return generation;
    } catch (error) {
      this.#generations.discard(holdings);
      throw error;
    }
  }

  /** A target for one exchange: its number is not given away again for longer than that. */
  readonly #internTarget = (host: string, port: number): number => {
    const index = this.#targets.acquire(host, port);
    this.#targets.release(index);
    return index;
  };

  readonly #internUpstream = (name: string, service: Service | null): number | null =>
    this.#upstreams.viewOf(name, service);

  /** Stops accepting; what is established lives on. */
  stopListening(): Promise<void> {
    return this.#driver.stopListening();
  }

  /**
   * Lets every exchange end, answers included that slow clients still read, and sends every log
   * entry, for `timeoutMs` at most.
   * @returns exchanges and tunnels that were still there when the time was over
   */
  async drain(timeoutMs: number): Promise<number> {
    const { clock } = this.#options;
    const end = clock.now() + timeoutMs;
    this.#driver.post(Event.DRAIN, 0, 0, 0);
    let quietSinceMs = clock.now();
    while (clock.now() < end && !this.#closed) {
      if (this.#exchanges() > 0 || this.#driver.closingCount > 0) quietSinceMs = clock.now();
      else if (readGauge(this.#core, 'activeDownstream') === 0) break;
      else if (clock.now() - quietSinceMs >= firstRequestMs) break;
      await this.#sleep(drainCheckMs);
    }
    const left = this.#exchanges();
    await this.#accessLog?.flush();
    const drained = await this.#shipping.drain(Math.max(1000, end - clock.now()));
    const { delivered, kept, lost } = drained;
    this.#options.logger[lost > 0 ? 'warn' : 'info'](
      { ...drained },
      `log queues drained: ${delivered} delivered, ${kept} kept on disk, ${lost} lost`,
    );
    return left;
  }

  /** Resets what is left and gives everything back. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.clock.clearTimeout(this.#poll);
    this.#generations.close();
    this.#upstreams.close();
    await this.#driver.close();
    await this.#shipping.drain(0);
    await this.#filters.close();
    await this.#accessLog?.close();
  }

  /** Opens the files of the access log and of log plugins again. */
  async reopenLogs(): Promise<void> {
    const sinks = [...this.#options.plugins.values()].map(({ logSink }) => logSink?.reopen?.());
    await Promise.all([this.#accessLog?.reopen(), ...sinks]);
  }

  /** Sets the health of addresses by hand. False: there are none such. */
  setHealth(change: HealthChange): boolean {
    return this.#upstreams.setHealth(change);
  }

  /** Counters and gauges, always up to date. */
  get stats(): StatsView {
    return this.#stats;
  }

  /** What is not a counter. */
  report(): WorkerReport {
    return {
      liveGenerations: this.liveGenerations,
      queues: this.#shipping.metrics(),
      filterMetrics: this.#filters.metrics(),
      requestMetrics: requestMetrics.all(),
      upstreams: this.#upstreams.show(),
    };
  }

  #phaseRunner({ settings, clock }: WorkerOptions): PhaseRunner {
    return new PhaseRunner({
      core: this.#core,
      clock,
      planOf: this.#generations.planOf,
      credentialOf: this.#generations.credentialOf,
      post: (event, connection, a, b) => this.#driver.post(event, connection, a, b),
      routerFlavor: settings.routerFlavor,
      requestBodyBytes: settings.clientBodyBufferBytes,
      responseBodyBytes: settings.responseBufferBytes,
      stagesOf: this.#filters.stagesOf,
    });
  }

  #attach(step: PlanStep, attachments: LogAttachment[]): void {
    const { entity, config } = step;
    setTracing(config, this.#options.settings.tracing);
    setTracing(entity.config, this.#options.settings.tracing);
    for (const sink of sinksOf(step)) {
      const attachment = this.#shipping.attach(entity, sink);
      attachments.push(attachment);
      if (!step.rings.includes(attachment.ring)) step.rings.push(attachment.ring);
    }
  }

  async #openAccessLog(): Promise<void> {
    const { settings, clock, logger } = this.#options;
    if (settings.accessLog === 'off') return;
    const ring = this.#shipping.rings.open('access log', accessLimits);
    this.#accessLog = await AccessLog.open({
      destination: settings.accessLog,
      source: ring,
      clock,
      resolver: {
        route: this.#generations.routeOf,
        target: (index) => this.#targets.address(index),
        workspace,
      },
      onError: (error) => logger.error({ err: error }, 'the access log cannot be written'),
    });
    this.#generations.accessRing = ring.id;
    writeAccessRing(this.#core, ring.id);
  }

  #schedulePoll(): void {
    this.#poll = this.#options.clock.setTimeout(() => {
      if (this.#closed) return;
      this.#shipping.pollAll();
      this.#accessLog?.poll();
      this.#upstreams.poll();
      this.#schedulePoll();
    }, pollMs);
  }

  /** A tunnel is an exchange that has not ended. */
  #exchanges(): number {
    return readGauge(this.#core, 'activeExchanges');
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.setTimeout(resolve, ms);
    });
  }
}
