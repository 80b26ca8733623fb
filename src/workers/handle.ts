/** One worker as the pool sees it, whether it runs in this thread or in another. */
import type { Snapshot } from '../config/model.js';
import type { BoundListener, ListenSpec } from '../driver/contract.js';
import type { FilterMetric } from '../filter/metrics.js';
import type { FilterRegistry } from '../filter/registry.js';
import type { QueueMetrics } from '../log/queue-metrics.js';
import type { RequestSample } from '../observe/request-metrics.js';
import type { HealthChange, UpstreamHealth } from '../upstream/health.js';
import type { StatsView } from './stats.js';

export interface WorkerReport {
  /** Generations whose exchanges or log records have not ended, the one in use included. */
  readonly liveGenerations: number;
  readonly queues: readonly QueueMetrics[];
  readonly filterMetrics: readonly FilterMetric[];
  /** What the prometheus plugin has counted. */
  readonly requestMetrics: readonly RequestSample[];
  readonly upstreams: readonly UpstreamHealth[];
}

export interface WorkerHandle {
  /** @throws GatewayError GW_E_LISTEN */
  listen(spec: ListenSpec): Promise<BoundListener>;
  /** @throws GatewayError GW_E_CONFIG_INVALID, GW_E_CONFIG_LIMIT; the table in use stays */
  install(snapshot: Snapshot, filters: FilterRegistry): Promise<void>;
  /** Stops accepting; what is established lives on. */
  stopListening(): Promise<void>;
  /** Lets exchanges end for `timeoutMs` at most; resolves with those that were still there. */
  drain(timeoutMs: number): Promise<number>;
  /** Resets what is left and ends. Idempotent, never rejects. */
  close(): Promise<void>;
  /** Opens log files again. */
  reopenLogs(): Promise<void>;
  /** Sets the health of addresses; false: there are none such. */
  setHealth(change: HealthChange): Promise<boolean>;
  /** Brings `stats` up to date, and reads what is not a counter. */
  report(): Promise<WorkerReport>;
  /** The worker's counters; they stay readable when it has ended. */
  readonly stats: StatsView;
  /** Milliseconds since the worker's event loop was last seen to turn; 0 in this thread. */
  silentMs(): number;
}

/** Makes worker `index`; `onFault` is called once, when it can carry nothing any more. */
export type MakeWorker = (index: number, onFault: (error: Error) => void) => Promise<WorkerHandle>;
