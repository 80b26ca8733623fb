/** A worker in a thread of its own, as the main thread sees it. */
import { Worker } from 'node:worker_threads';
import type { Snapshot } from '../config/model.js';
import type { Settings } from '../config/settings.js';
import type { BoundListener, ListenSpec } from '../driver/contract.js';
import { GatewayError } from '../errors.js';
import type { FilterRegistry } from '../filter/registry.js';
import { HangLedger } from '../filter/shared/hang-ledger.js';
import { abandonLock } from '../filter/shared/shared-memory.js';
import type { FilterMemory } from '../filter/shared/stores.js';
import { sentFilters } from '../filter/transfer.js';
import type { Logger } from '../observe/logger.js';
import type { MetricSeries } from '../observe/metrics.js';
import type { Clock } from '../time.js';
import type { HealthChange } from '../upstream/health.js';
import type { WorkerHandle, WorkerReport } from './handle.js';
import {
  type Call,
  type CallName,
  received,
  type ThreadCalls,
  type ThreadMessage,
  type ThreadStart,
} from './messages.js';
import { publishedStats, type StatsView, statsMemory } from './stats.js';

export interface RemoteOptions {
  /** Place of the worker among all, from 0. */
  readonly index: number;
  readonly settings: Settings;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Gives out the metric slots of all workers. */
  readonly series: MetricSeries;
  readonly counters: SharedArrayBuffer;
  readonly filterMemory: FilterMemory;
  readonly onFault: (error: Error) => void;
}

/** Threads run what was built, also where this file runs from its source. */
const threadFile = new URL('../../dist/workers/thread.js', import.meta.url);
/** A worker that says nothing about itself in this time is described by what it said last. */
const reportMs = 1000;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class RemoteWorker implements WorkerHandle {
  readonly stats: StatsView;
  readonly #options: RemoteOptions;
  readonly #thread: Worker;
  readonly #heartbeat: Int32Array;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #ended = false;
  #lastReport: WorkerReport = {
    liveGenerations: 0,
    queues: [],
    filterMetrics: [],
    requestMetrics: [],
    upstreams: [],
  };
  #seenBeat = 0;
  #seenAtMs: number;

  private constructor(options: RemoteOptions, ready: Waiting) {
    this.#options = options;
    this.#seenAtMs = options.clock.now();
    const stats = statsMemory(true) as SharedArrayBuffer;
    this.stats = publishedStats(stats);
    const heartbeat = new SharedArrayBuffer(4);
    this.#heartbeat = new Int32Array(heartbeat);
    const { index, settings, counters, filterMemory } = options;
    const from = process.cwd();
    const shared = { stats, heartbeat, counters, filterMemory };
    const workerData: ThreadStart = { index, settings, from, ...shared };
    this.#thread = new Worker(threadFile, { workerData });
    // A thread that was ended in the middle of a write would hold the others up.
    this.#thread.on('exit', () => {
      abandonLock(filterMemory.memory, index);
      new HangLedger(filterMemory.running, index).condemn(options.clock.wall());
    });
    this.#thread.on('message', (message: ThreadMessage) => this.#receive(message, ready));
    this.#thread.on('error', (error: Error) => this.#end(error, ready));
    this.#thread.on('exit', (code) => this.#end(new Error(`the thread ended (${code})`), ready));
  }

  /** Starts a thread; rejects with the reason where its worker cannot be made. */
  static async create(options: RemoteOptions): Promise<RemoteWorker> {
    let worker!: RemoteWorker;
    await new Promise<unknown>((resolve, reject) => {
      worker = new RemoteWorker(options, { resolve, reject });
    });
    return worker;
  }

  listen(spec: ListenSpec): Promise<BoundListener> {
    return this.#call('listen', spec);
  }

  async install(snapshot: Snapshot, filters: FilterRegistry): Promise<void> {
    const { series } = this.#options;
    for (const route of snapshot.routes) series.slotOf(route);
    const known = { series: series.routes(), filters: sentFilters(filters) };
    await this.#call('install', { snapshot, ...known });
  }

  async stopListening(): Promise<void> {
    await this.#call('stopListening', undefined);
  }

  drain(timeoutMs: number): Promise<number> {
    return this.#call('drain', timeoutMs);
  }

  async close(): Promise<void> {
    if (!this.#ended) {
      const closed = this.#call('close', undefined).catch(() => {});
      await this.#within(reportMs, closed, undefined);
    }
    this.#ended = true;
    await this.#thread.terminate();
  }

  async reopenLogs(): Promise<void> {
    await this.#call('reopenLogs', undefined);
  }

  setHealth(change: HealthChange): Promise<boolean> {
    return this.#call('setHealth', change);
  }

  async report(): Promise<WorkerReport> {
    const answer = this.#call('report', undefined).catch(() => this.#lastReport);
    this.#lastReport = await this.#within(reportMs, answer, this.#lastReport);
    return this.#lastReport;
  }

  silentMs(): number {
    const beat = Atomics.load(this.#heartbeat, 0);
    const now = this.#options.clock.now();
    if (beat !== this.#seenBeat) {
      this.#seenBeat = beat;
      this.#seenAtMs = now;
    }
    return now - this.#seenAtMs;
  }

  #call<Name extends CallName>(
    name: Name,
    argument: ThreadCalls[Name][0],
  ): Promise<ThreadCalls[Name][1]> {
    if (this.#ended) return Promise.reject(new GatewayError('GW_E_STATE', 'the worker has ended'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      this.#thread.postMessage({ id, name, argument } satisfies Call<Name>);
    });
  }

  #receive(message: ThreadMessage, ready: Waiting): void {
    switch (message.type) {
      case 'ready':
        ready.resolve(undefined);
        return;
      case 'log':
        this.#options.logger[message.level](message.fields, message.message);
        return;
      case 'fault':
        this.#end(received(message.error), ready);
        return;
      case 'result':
        this.#take(message.id)?.resolve(message.value);
        return;
      case 'failure':
        this.#take(message.id)?.reject(received(message.error));
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /** Nothing comes any more: who waits is told, and once whoever replaces workers. */
  #end(error: Error, ready: Waiting): void {
    ready.reject(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    if (this.#ended) return;
    this.#ended = true;
    this.#options.onFault(error);
  }

  #within<T>(ms: number, value: Promise<T>, otherwise: T): Promise<T> {
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => resolve(otherwise), ms);
      value.then(resolve, reject).finally(() => clock.clearTimeout(timer));
    });
  }
}
