/** A worker in this thread: what a node with one worker has. */
import type { Snapshot } from '../config/model.js';
import type { BoundListener, ListenSpec } from '../driver/contract.js';
import type { FilterRegistry } from '../filter/registry.js';
import type { HealthChange } from '../upstream/health.js';
import { GatewayWorker, type WorkerOptions } from '../worker.js';
import type { WorkerHandle, WorkerReport } from './handle.js';
import type { StatsView } from './stats.js';

export class LocalWorker implements WorkerHandle {
  readonly #worker: GatewayWorker;

  private constructor(worker: GatewayWorker) {
    this.#worker = worker;
  }

  /** @throws GatewayError GW_E_SETTING_VALUE, GW_E_LAYOUT_MISMATCH */
  static async create(options: WorkerOptions): Promise<LocalWorker> {
    return new LocalWorker(await GatewayWorker.create(options));
  }

  get stats(): StatsView {
    return this.#worker.stats;
  }

  listen(spec: ListenSpec): Promise<BoundListener> {
    return this.#worker.listen(spec);
  }

  async install(snapshot: Snapshot, filters: FilterRegistry): Promise<void> {
    await this.#worker.install(snapshot, filters);
  }

  stopListening(): Promise<void> {
    return this.#worker.stopListening();
  }

  drain(timeoutMs: number): Promise<number> {
    return this.#worker.drain(timeoutMs);
  }

  close(): Promise<void> {
    return this.#worker.close();
  }

  reopenLogs(): Promise<void> {
    return this.#worker.reopenLogs();
  }

  async setHealth(change: HealthChange): Promise<boolean> {
    return this.#worker.setHealth(change);
  }

  async report(): Promise<WorkerReport> {
    return this.#worker.report();
  }

  silentMs(): number {
    return 0;
  }
}
