/**
 * A queue that producers reach by its name. Kong's queue object lives from the first entry until it
 * has drained; what outlives it here are its counters and, where one is kept, its journal.
 */
import { type BatchHandler, Delivery, type QueueLines } from './delivery.js';
import { type EntryStore, Intake } from './intake.js';
import type { QueueParameters } from './params.js';
import { Queue, type QueueLog } from './queue.js';
import type { QueueClock } from './queue-clock.js';
import { emptyCounters, type QueueMetrics, queueLabel, queueMetrics } from './queue-metrics.js';

/** As BatchHandler, with the newest handler configuration. */
export type QueueHandler<T> = (batch: readonly T[], signal: AbortSignal, conf: unknown) => unknown;

/** One entry, with everything its queue needs should it not exist yet. */
export interface EnqueueRequest<T> {
  readonly name: string;
  readonly tag?: string;
  readonly parameters: QueueParameters;
  readonly handler: QueueHandler<T>;
  /** Handler configuration. With it a queue keeps its first handler; without, takes the newest. */
  readonly conf?: unknown;
  readonly entry: T;
  readonly trace?: ((message: string) => void) | null;
}

interface Live<T> {
  readonly queue: Queue<T>;
  readonly intake: Intake<T>;
  handler: QueueHandler<T>;
  conf: unknown;
}

/** One entry of a queue without a concurrency limit: alone, at once, repeated on its own. */
interface Lone {
  readonly abort: AbortController;
  /** Null until its turn has come. */
  delivery: Delivery<unknown> | null;
  readonly timer: unknown;
}

export class NamedQueue<T> {
  readonly name: string;
  readonly counters = emptyCounters();
  readonly #clock: QueueClock;
  readonly #lone = new Set<Lone>();
  /** Where entries wait; undefined: each queue object has its own ring in linear memory. */
  readonly store: EntryStore<T> | undefined;
  #live: Live<T> | null = null;
  #exiting = false;
  #idleWaiters: (() => void)[] = [];

  constructor(name: string, clock: QueueClock, store?: EntryStore<T>) {
    this.name = name;
    this.#clock = clock;
    this.store = store;
  }

  /** Null while nothing was queued, or all of it has been delivered or given up. */
  get intake(): Intake<T> | null {
    return this.#live?.intake ?? null;
  }

  get idle(): boolean {
    return this.#live === null && this.#lone.size === 0;
  }

  /** @returns null, or why the entry was refused; the texts are Kong's */
  enqueue(request: EnqueueRequest<T>, log: QueueLog): string | null {
    const { entry, parameters } = request;
    const isMissing = entry === undefined || entry === null;
    if (parameters.concurrency_limit === -1) {
      if (isMissing) return noEntry;
      this.#sendAlone(request, log);
      return null;
    }
    const live = this.#use(request, log);
    if (isMissing) return noEntry;
    const refusal = live.intake.push(entry);
    live.queue.poll();
    return refusal;
  }

  /** Begins to deliver what the store holds from an earlier run. */
  resume(request: Omit<EnqueueRequest<T>, 'entry'>, log: QueueLog): void {
    this.#use(request as EnqueueRequest<T>, log).queue.poll();
  }

  shutdown(): void {
    this.#exiting = true;
    this.#live?.queue.shutdown();
    // What has not begun when a process starts to exit is dropped without a word, as in Kong.
    for (const lone of [...this.#lone]) if (!lone.delivery) this.#endLone(lone, 'lost');
  }

  /** Sends what waits without collecting further; resolves when nothing is left. */
  async flush(): Promise<void> {
    await this.#live?.queue.flush();
    await this.whenIdle();
  }

  /** Resolves when nothing waits and nothing is being delivered, or when all was abandoned. */
  whenIdle(): Promise<void> {
    if (this.idle) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Ends everything now; what is left is lost, or kept by the store's journal. */
  abandon(): void {
    this.#live?.queue.abandon();
    this.store?.keep?.();
    for (const lone of [...this.#lone]) {
      lone.abort.abort();
      lone.delivery?.stop();
      this.#endLone(lone, 'lost');
    }
  }

  metrics(): QueueMetrics {
    if (this.#live) return this.#live.queue.metrics();
    return queueMetrics(this.name, this.store ?? null, this.#lone.size, 0, this.counters);
  }

  /** The queue object: the one that is alive, with the newest handler, or a new one. */
  #use(request: EnqueueRequest<T>, log: QueueLog): Live<T> {
    const { conf, handler } = request;
    const known = this.#live;
    if (known) {
      known.queue.lines.trace?.('queue exists');
      if (conf === undefined) known.handler = handler;
      known.conf = conf;
      return known;
    }
    const { name, tag, parameters } = request;
    const label = queueLabel(name, tag);
    const intake = new Intake<T>({
      limits: parameters,
      clock: this.#clock,
      log: (level, message) => log(level, label + message),
      store: this.store,
    });
    const call: BatchHandler<T> = (batch, signal) => live.handler(batch, signal, live.conf);
    const queue = new Queue<T>({
      ...{ name, tag, parameters, log, clock: this.#clock, source: intake, handler: call },
      trace: request.trace,
      counters: this.counters,
      onIdle: () => this.#ended(),
    });
    const live: Live<T> = { queue, intake, handler, conf };
    this.#live = live;
    if (this.#exiting) queue.shutdown();
    queue.start();
    return live;
  }

  #ended(): void {
    this.counters.dropped += this.#live?.intake.refused ?? 0;
    this.#live = null;
    this.#checkIdle();
  }

  #sendAlone(
    { name, tag, parameters, handler, conf, entry, trace }: EnqueueRequest<T>,
    log: QueueLog,
  ) {
    const label = queueLabel(name, tag);
    const lines: QueueLines = {
      log: (level, message) => log(level, label + message),
      trace: trace ? (message) => trace(label + message) : null,
    };
    const abort = new AbortController();
    const begin = () => {
      const delivery = new Delivery<T>({
        batch: [entry],
        handler: () => (batch, signal) => handler(batch, signal, conf),
        parameters,
        lines,
        clock: this.#clock,
        signal: abort.signal,
        onRetry: () => {
          this.counters.retried++;
        },
        onEnd: (outcome) => this.#endLone(lone, outcome),
      });
      lone.delivery = delivery as Delivery<unknown>;
      delivery.attempt();
    };
    const lone: Lone = { abort, delivery: null, timer: this.#clock.setTimeout(begin, 0) };
    this.#lone.add(lone);
  }

  #endLone(lone: Lone, outcome: 'delivered' | 'lost'): void {
    this.#lone.delete(lone);
    this.#clock.clearTimeout(lone.timer);
    this.counters[outcome]++;
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (!this.idle) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }
}

const noEntry = 'entry must be a non-nil Lua value';
