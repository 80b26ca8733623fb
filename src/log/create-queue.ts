/** Kong's queue as a library: `createQueue`, the export `headgate/queue`. */
import { GatewayError } from '../errors.js';
import {
  type JournalSettings,
  journalDefaults,
  journalProblem,
  readJournalSettings,
} from './journal-options.js';
import { type JournaledStore, openStore } from './journaled-store.js';
import type { EnqueueRequest, NamedQueue } from './named-queue.js';
import { parameterProblem, type QueueParameters, queueDefaults, readParameters } from './params.js';
import type { QueueLog } from './queue.js';
import { type QueueClock, systemQueueClock } from './queue-clock.js';
import { type DrainResult, difference, QueueManager, within } from './queue-manager.js';
import { type QueueMetrics, queueLabel } from './queue-metrics.js';

/** What a handler knows besides its batch. */
export interface HandlerContext<Conf = unknown> {
  /** Handler configuration of the newest `enqueue`, also for repetitions. */
  readonly conf: Conf;
  /** Fires when the queue is closed or its drain has run out of time. */
  readonly signal: AbortSignal;
  /**
   * One id for each entry, where the queue has a journal: an entry that is delivered again, after a
   * restart as well, has the same one. Else empty.
   */
  readonly ids: readonly string[];
}

/** Methods of pino and the like; a missing one drops its lines. */
export interface QueueLogger {
  trace?(fields: object, message: string): void;
  info?(fields: object, message: string): void;
  warn?(fields: object, message: string): void;
  error?(fields: object, message: string): void;
}

export interface CreateQueueOptions<T = unknown, Conf = unknown>
  extends Partial<QueueParameters>,
    Partial<JournalSettings> {
  /** Queues of one name (and one clock) are one queue. */
  readonly name: string;
  /**
   * Delivers one batch, oldest entry first. Success is exactly `true`, returned or resolved;
   * anything else and every throw is a failure, and the whole batch is repeated. `[false, reason]`
   * tells the reason.
   */
  readonly handler: (entries: readonly T[], context: HandlerContext<Conf>) => unknown;
  /** Handler configuration. With it the queue keeps its first handler until it has drained. */
  readonly conf?: Conf;
  /** First words of log lines, in brackets. Default empty. */
  readonly log_tag?: string;
  /** Default: the system's. `now()` is seconds, `setTimeout` takes milliseconds. */
  readonly clock?: QueueClock;
  /** Default: nothing is logged. */
  readonly logger?: QueueLogger;
}

export interface PublicQueue<T = unknown, Conf = unknown> {
  readonly name: string;
  /**
   * Puts a string, bytes or any other value at the end; it never waits. `conf` replaces the handler
   * configuration. Strings and bytes are copied.
   * @returns true, or why the entry was refused (Kong's text)
   * @throws GatewayError GW_E_QUEUE_CLOSED after `close` or `drain`
   */
  enqueue(entry: T, conf?: Conf): true | string;
  /** Entries and bytes waiting; a batch that is being delivered does not count. */
  readonly size: number;
  readonly bytes: number;
  /** True from the first entry until the queue has drained. */
  exists(): boolean;
  /** True where the next entry would drop another. */
  isFull(): boolean;
  /** True where `entry` fits without dropping another; true for a queue that does not exist. */
  canEnqueue(entry?: T): boolean;
  /** True where batches can hold more than one entry. */
  willBatch(): boolean;
  metrics(): QueueMetrics;
  /** Sends what waits without collecting further; resolves when nothing is left. */
  flush(): Promise<void>;
  /** The process begins to end: batches wait no longer than 50 ms, repetitions go on. */
  shutdown(): void;
  /**
   * `shutdown`, then waits until nothing is left, for `deadline` seconds at most (default: without
   * limit), then closes. What is left then is lost, or kept in the journal. Never rejects.
   */
  drain(deadline?: number): Promise<DrainResult>;
  /** Ends the queue at once. Idempotent. */
  close(): Promise<DrainResult>;
}

/** Queues of one name are one where they share a clock: that is what "one process" means here. */
const managers = new WeakMap<QueueClock, QueueManager>();

/**
 * Makes a handle of the queue `options.name`; the queue itself exists from the first entry on.
 * With a journal, what an earlier run left is delivered first.
 * @throws GatewayError GW_E_QUEUE_ARGUMENT where an option is missing, unknown or out of range;
 * GW_E_QUEUE_JOURNAL where the journal's folder cannot be used
 */
export function createQueue<T = unknown, Conf = unknown>(
  options: CreateQueueOptions<T, Conf>,
): PublicQueue<T, Conf> {
  checkOptions(options as unknown as OtherOptions);
  return new QueueHandle<T, Conf>(options);
}

class QueueHandle<T, Conf = unknown> implements PublicQueue<T, Conf> {
  readonly name: string;
  readonly #clock: QueueClock;
  readonly #manager: QueueManager;
  readonly #named: NamedQueue<T>;
  readonly #conf: Conf | undefined;
  readonly #log: QueueLog;
  readonly #request: Omit<EnqueueRequest<T>, 'entry' | 'conf'>;
  #closed = false;

  constructor(options: CreateQueueOptions<T, Conf>) {
    const { name, handler, logger = {}, clock = systemQueueClock } = options;
    this.name = name;
    this.#clock = clock;
    this.#conf = options.conf;
    let manager = managers.get(clock);
    if (!manager) {
      manager = new QueueManager({ clock, log: () => {} });
      managers.set(clock, manager);
    }
    this.#manager = manager;
    const fields = { queue: name };
    this.#log = (level, message) => logger[level]?.(fields, message);
    this.#named = manager.named<T>(name, () => this.#openJournal(options));
    const store = this.#named.store as JournaledStore<T> | undefined;
    this.#request = {
      name,
      tag: options.log_tag,
      parameters: readParameters(options),
      handler: (batch, signal, conf) =>
        handler(batch, { conf: conf as Conf, signal, ids: store?.flightIds ?? [] }),
      trace: logger.trace ? (message) => logger.trace?.(fields, message) : null,
    };
    if (store && store.count > 0 && !this.exists()) {
      this.#named.resume({ ...this.#request, conf: this.#conf }, this.#log);
    }
  }

  get size(): number {
    return this.#named.intake?.count ?? 0;
  }

  get bytes(): number {
    return this.#named.intake?.bytes ?? 0;
  }

  enqueue(entry: T, conf: Conf | undefined = this.#conf): true | string {
    if (this.#closed) {
      throw new GatewayError('GW_E_QUEUE_CLOSED', `queue ${this.name} is closed`);
    }
    return this.#named.enqueue({ ...this.#request, conf, entry }, this.#log) ?? true;
  }

  exists(): boolean {
    return this.#named.intake !== null;
  }

  isFull(): boolean {
    return this.#named.intake?.full ?? false;
  }

  canEnqueue(entry?: T): boolean {
    return this.#named.intake?.fits(entry) ?? true;
  }

  willBatch(): boolean {
    const { max_batch_size, max_coalescing_delay, concurrency_limit } = this.#request.parameters;
    return concurrency_limit !== -1 && max_batch_size > 1 && max_coalescing_delay >= 0.05;
  }

  metrics(): QueueMetrics {
    return this.#named.metrics();
  }

  flush(): Promise<void> {
    return this.#named.flush();
  }

  shutdown(): void {
    this.#named.shutdown();
  }

  async drain(deadline = Number.POSITIVE_INFINITY): Promise<DrainResult> {
    const before = this.metrics();
    this.#named.shutdown();
    await within(this.#clock, deadline * 1000, this.#named.whenIdle());
    return this.#end(before);
  }

  async close(): Promise<DrainResult> {
    return this.#end(this.metrics());
  }

  #openJournal(options: CreateQueueOptions<T, Conf>): JournaledStore<T> | undefined {
    const label = queueLabel(options.name, options.log_tag);
    return openStore<T>({
      settings: readJournalSettings(options),
      limits: readParameters(options),
      name: options.name,
      clock: this.#clock,
      warn: (message) => this.#log('warn', label + message),
    });
  }

  #end(before: QueueMetrics): DrainResult {
    this.#closed = true;
    this.#named.abandon();
    this.#manager.forget(this.#named as NamedQueue<unknown>);
    return difference(this.metrics(), before);
  }
}

const ownOptions = new Set(['name', 'handler', 'conf', 'log_tag', 'clock', 'logger']);

/** What callers without types may pass. */
type OtherOptions = Readonly<Record<string, unknown>>;

/** Kong's assertions, and a refusal of what would be ignored. */
function checkOptions(options: OtherOptions): void {
  const fail = (message: string): never => {
    throw new GatewayError('GW_E_QUEUE_ARGUMENT', message);
  };
  if (typeof options !== 'object' || options === null) fail('arg #1 (queue_conf) must be a table');
  if (typeof options.name !== 'string') fail('arg #1 (queue_conf) must include a name');
  for (const name of Object.keys(options)) {
    const isKnown = ownOptions.has(name) || name in queueDefaults || name in journalDefaults;
    if (!isKnown) fail(`unknown option ${name}`);
  }
  const problem = parameterProblem(options) ?? journalProblem(options);
  if (problem) fail(`arg #1 (queue_conf) ${problem}`);
  if (typeof options.handler !== 'function') fail('arg #2 (handler) must be a function');
}
