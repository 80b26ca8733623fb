/**
 * Kong's queue (3.3 and later): one consumer per queue collects entries into batches, hands them to
 * a handler one batch at a time, repeats what fails, and gives up in the end. Producers never wait
 * and never see a delivery error. Entries wait in an `EntrySource`; a queue has one timer at most.
 * `docs/queue.md` describes the rules.
 */
import { BatchWindow } from './batch-window.js';
import { type BatchHandler, Delivery, type QueueLines } from './delivery.js';
import type { QueueParameters } from './params.js';
import type { QueueClock } from './queue-clock.js';
import {
  emptyCounters,
  type QueueCounters,
  type QueueMetrics,
  queueLabel,
  queueMetrics,
} from './queue-metrics.js';
import type { EntrySource } from './source.js';

export type QueueLog = (level: 'info' | 'warn' | 'error', message: string) => void;

export interface QueueOptions<T> {
  readonly name: string;
  /** Who owns the queue; the first word of its log lines. Default empty. */
  readonly tag?: string;
  readonly parameters: QueueParameters;
  readonly handler: BatchHandler<T>;
  readonly source: EntrySource<T>;
  readonly clock: QueueClock;
  readonly log: QueueLog;
  readonly trace?: ((message: string) => void) | null;
  /** Counters to go on with; default new ones. */
  readonly counters?: QueueCounters;
  /** Called whenever the consumer ends because nothing waits any more. */
  readonly onIdle?: () => void;
}

export class Queue<T> {
  readonly name: string;
  readonly source: EntrySource<T>;
  readonly lines: QueueLines;
  readonly #clock: QueueClock;
  readonly #onIdle: () => void;
  readonly #abort = new AbortController();
  readonly #deliveries = new Set<Delivery<T>>();
  readonly #counters: QueueCounters;
  #parameters: QueueParameters;
  /** Parameters that take over once the queue has drained. */
  #next: QueueParameters | null = null;
  #handler: BatchHandler<T>;
  #state: 'idle' | 'scheduled' | 'collecting' | 'delivering' = 'idle';
  #exiting = false;
  #flushing = false;
  #timer: unknown = null;
  readonly #batch = new BatchWindow();
  #seenDrops: number;
  #hasDropped = false;
  #warned = false;
  #inFlight = 0;
  /** Arrival of the oldest entry of the batch in flight, in milliseconds of the clock. */
  #bornMs = 0;
  #idleWaiters: (() => void)[] = [];

  constructor(options: QueueOptions<T>) {
    this.name = options.name;
    this.source = options.source;
    this.#parameters = options.parameters;
    this.#handler = options.handler;
    this.#clock = options.clock;
    this.#onIdle = options.onIdle ?? (() => {});
    this.#counters = options.counters ?? emptyCounters();
    this.#seenDrops = options.source.dropped;
    const label = queueLabel(options.name, options.tag);
    const { log, trace } = options;
    this.lines = {
      log: (level, message) => log(level, label + message),
      trace: trace ? (message) => trace(label + message) : null,
    };
    this.lines.trace?.('queue created');
  }

  /** True while nothing waits and nothing is being delivered. */
  get idle(): boolean {
    return this.#state === 'idle' && this.source.count === 0 && this.#inFlight === 0;
  }

  /** Looks for new entries. Cheap: call it after every batch of events and after every push. */
  poll(): void {
    this.#watch();
    const { count } = this.source;
    if (count === 0 || this.#abort.signal.aborted) return;
    if (this.#state === 'idle') this.start();
    else if (this.#state === 'collecting') {
      if (this.#batch.arrival(this.#clock, count, this.#exiting)) this.#wake();
    }
  }

  /** Lets the consumer begin as soon as the caller yields, even where nothing waits. */
  start(): void {
    if (this.#state !== 'idle' || this.#abort.signal.aborted) return;
    this.#state = 'scheduled';
    this.#setTimer(0, () => {
      this.lines.trace?.('processing queue');
      this.#consume();
    });
  }

  /** The handler applies from the next attempt on, the parameters once the queue has drained. */
  configure(parameters: QueueParameters, handler: BatchHandler<T>): void {
    this.#handler = handler;
    this.#flushing = false;
    if (this.#state === 'idle') this.#parameters = parameters;
    else this.#next = parameters;
  }

  /** Kong's end of a process: a waiting batch is sent within about a second, retries go on. */
  shutdown(): void {
    this.#exiting = true;
  }

  /** Sends what waits without collecting further; resolves when nothing is left. */
  flush(): Promise<void> {
    this.#flushing = true;
    this.poll();
    if (this.#state === 'collecting') this.#wake();
    return this.whenIdle();
  }

  /** Resolves when nothing waits and nothing is being delivered, or when the queue is abandoned. */
  whenIdle(): Promise<void> {
    if (this.idle || this.#abort.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Ends the queue now: aborts the handler and counts everything that is left as lost. */
  abandon(): void {
    if (this.#abort.signal.aborted) return;
    this.#clock.clearTimeout(this.#timer);
    this.#abort.abort();
    for (const delivery of this.#deliveries) delivery.stop();
    this.#deliveries.clear();
    const left = this.#inFlight + this.source.count + (this.source.spilled ?? 0);
    const kept = this.source.keep?.() ?? 0;
    this.#counters.kept += kept;
    this.#counters.lost += Math.max(0, left - kept);
    this.#inFlight = 0;
    while (this.source.count > 0) this.source.take(1024);
    this.#state = 'idle';
    this.#finishIdle();
  }

  metrics(): QueueMetrics {
    this.#watch();
    const flightMs = this.#inFlight > 0 ? this.#clock.now() * 1000 - this.#bornMs : 0;
    const ageMs = Math.max(flightMs, this.source.oldestAgeMs?.() ?? 0);
    return queueMetrics(this.name, this.source, this.#inFlight, ageMs, this.#counters);
  }

  /** Works until the queue has nothing left, or something has to be waited for. */
  #consume(): void {
    while (!this.#abort.signal.aborted) {
      if (this.source.count === 0) {
        if (this.#inFlight === 0) this.#end();
        return;
      }
      if (this.#parameters.concurrency_limit === -1) {
        for (const entry of this.source.take(Number.MAX_SAFE_INTEGER)) this.#deliver([entry]);
        this.#state = 'idle';
        continue;
      }
      const nowS = this.#clock.now();
      this.#batch.open(nowS, this.#parameters);
      if (!this.#collect(nowS) || !this.#pickUp()) return;
    }
  }

  /** True: the batch is closed; false: entries are awaited. */
  #collect(nowS: number): boolean {
    const { source } = this;
    const waitS = this.#batch.collect(nowS, source.count, this.#exiting, this.#flushing);
    if (waitS === null) return true;
    this.#state = 'collecting';
    this.#setTimer(waitS, () => this.#waited());
    return false;
  }

  #wake(): void {
    if (!this.#batch.wake()) return;
    this.#clock.clearTimeout(this.#timer);
    this.#setTimer(0, () => this.#waited());
  }

  /** The wait is over: by time, or because an entry came. */
  #waited(): void {
    const nowS = this.#clock.now();
    const leftS = this.#batch.waited(nowS, this.source.count);
    if (leftS > 0) this.#setTimer(leftS, () => this.#waited());
    else if (this.#collect(nowS) && this.#pickUp()) this.#consume();
  }

  /** Takes the batch out and delivers it. True where that has ended in this turn. */
  #pickUp(): boolean {
    this.#state = 'delivering';
    this.#bornMs = this.#clock.now() * 1000 - (this.source.oldestAgeMs?.() ?? 0);
    // Entries collected before may have been dropped for room meanwhile.
    const batch = this.source.take(Math.min(this.#batch.size, this.source.count));
    this.#watch();
    if (this.#hasDropped) this.lines.log('info', 'queue resumed processing');
    this.#hasDropped = false;
    return batch.length === 0 || this.#deliver(batch);
  }

  /** True where the delivery has ended in this turn; else the consumer goes on when it ends. */
  #deliver(batch: readonly T[]): boolean {
    let isSynchronous = true;
    let hasEnded = false;
    const delivery: Delivery<T> = new Delivery({
      batch,
      handler: () => this.#handler,
      parameters: this.#parameters,
      clock: this.#clock,
      lines: this.lines,
      signal: this.#abort.signal,
      onRetry: () => {
        this.#counters.retried++;
      },
      onEnd: (outcome) => {
        hasEnded = true;
        this.#deliveries.delete(delivery);
        this.#inFlight -= batch.length;
        this.#counters[outcome] += batch.length;
        this.source.settle?.(batch.length);
        if (!isSynchronous) this.#consume();
      },
    });
    this.#inFlight += batch.length;
    this.#deliveries.add(delivery);
    delivery.attempt();
    isSynchronous = false;
    return hasEnded;
  }

  #end(): void {
    this.lines.trace?.('done processing queue');
    this.#state = 'idle';
    this.#warned = false;
    if (this.#next) this.#parameters = this.#next;
    this.#next = null;
    this.#finishIdle();
  }

  #setTimer(waitS: number, fn: () => void): void {
    this.#timer = this.#clock.setTimeout(fn, waitS * 1000);
  }

  /** Counts drops, and speaks for sources that cannot: the core writes its rings without a word. */
  #watch(): void {
    const drops = (this.source.dropped - this.#seenDrops) >>> 0;
    this.#seenDrops = this.source.dropped;
    if (!this.source.speaks) this.#speak(drops);
    if (drops === 0) return;
    this.#counters.dropped += drops;
    this.#hasDropped = true;
    if (this.#state === 'collecting') this.#batch.dropped(drops, this.source.count);
  }

  #speak(drops: number): void {
    const high = this.source.count >= 0.8 * this.#parameters.max_entries;
    if (high && !this.#warned) this.lines.log('warn', 'queue at 80% capacity');
    this.#warned = high;
    if (drops === 0 || this.#hasDropped) return;
    const text = 'queue full, dropping old entries until processing is successful again';
    this.lines.log('error', text);
  }

  #finishIdle(): void {
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
    this.#onIdle();
  }
}
