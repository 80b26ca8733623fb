/**
 * Kong's queue (3.3 and later): one consumer per queue collects entries into batches, hands them to
 * a handler one batch at a time, repeats what fails, and gives up in the end. Producers never wait
 * and never see a delivery error. Entries wait in an `EntrySource`; a queue has one timer at most.
 */
import type { Clock } from '../time.js';
import type { QueueParameters } from './params.js';
import type { EntrySource } from './source.js';

/**
 * Delivers one batch, oldest entry first. Success is a return of nothing or `true`, or a promise of
 * it; a throw or anything else is a failure, a string its reason. The signal fires when a drain has
 * run out of time.
 */
export type BatchHandler<T> = (batch: readonly T[], signal: AbortSignal) => unknown;

export type QueueLog = (level: 'info' | 'warn' | 'error', message: string) => void;

export interface QueueOptions<T> {
  readonly name: string;
  /** Who owns the queue; the first word of its log lines. Default empty. */
  readonly tag?: string;
  readonly parameters: QueueParameters;
  readonly handler: BatchHandler<T>;
  readonly source: EntrySource<T>;
  readonly clock: Clock;
  readonly log: QueueLog;
  /** Called whenever the consumer ends because nothing waits any more. */
  readonly onIdle?: () => void;
}

export interface QueueMetrics {
  readonly name: string;
  /** Entries and bytes waiting. */
  readonly entries: number;
  readonly bytes: number;
  /** Entries handed to the handler and not yet delivered or given up. */
  readonly inFlight: number;
  /** Counters of entries: delivered, dropped for room, given up; `retried` counts attempts. */
  readonly delivered: number;
  readonly dropped: number;
  readonly retried: number;
  readonly lost: number;
}

/** Below this a batch is closed: waiting for less is not worth a timer. */
const leastWaitMs = 50;
/** A waiting consumer looks at least this often whether the process ends. */
const longestWaitMs = 1000;
const noReason = 'no error details returned by handler';

export class Queue<T> {
  readonly name: string;
  readonly source: EntrySource<T>;
  readonly #clock: Clock;
  readonly #log: QueueLog;
  readonly #onIdle: () => void;
  readonly #abort = new AbortController();
  #parameters: QueueParameters;
  /** Parameters that take over once the queue has drained. */
  #next: QueueParameters | null = null;
  #handler: BatchHandler<T>;
  #running = false;
  #stopping: 'no' | 'shutdown' | 'drain' = 'no';
  /** Entries of the batch being collected. */
  #collected = 0;
  /** From here on an arrival closes the batch being collected. */
  #closeAtMs = 0;
  #wake: (() => void) | null = null;
  #seenDrops: number;
  #hasDropped = false;
  #warned = false;
  #inFlight = 0;
  #delivered = 0;
  #dropped = 0;
  #retried = 0;
  #lost = 0;
  #idleWaiters: (() => void)[] = [];

  constructor(options: QueueOptions<T>) {
    this.name = options.name;
    this.source = options.source;
    this.#parameters = options.parameters;
    this.#handler = options.handler;
    this.#clock = options.clock;
    this.#onIdle = options.onIdle ?? (() => {});
    this.#seenDrops = options.source.dropped;
    const label = queueLabel(options.name, options.tag);
    this.#log = (level, message) => options.log(level, label + message);
  }

  /** True while nothing waits and nothing is being delivered. */
  get idle(): boolean {
    return !this.#running && this.source.count === 0;
  }

  /** Looks for new entries. Cheap: call it after every batch of events and after every push. */
  poll(): void {
    this.#watch();
    const { count } = this.source;
    if (count === 0 || this.#abort.signal.aborted) return;
    if (!this.#running) {
      this.#running = true;
      this.#clock.setTimeout(() => void this.#run(), 0);
    } else if (this.#wake && count > this.#collected) {
      this.#arrival(count);
    }
  }

  /** The handler applies from the next attempt on, the parameters once the queue has drained. */
  configure(parameters: QueueParameters, handler: BatchHandler<T>): void {
    this.#handler = handler;
    if (this.#stopping === 'drain') this.#stopping = 'no';
    if (this.#running) this.#next = parameters;
    else this.#parameters = parameters;
  }

  /** Kong's end of a process: a waiting batch is sent within about a second, retries go on. */
  shutdown(): void {
    if (this.#stopping === 'no') this.#stopping = 'shutdown';
  }

  /** Sends what waits without collecting further; resolves when nothing is left. */
  flush(): Promise<void> {
    this.#stopping = 'drain';
    this.poll();
    this.#wake?.();
    if (this.idle || this.#abort.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Ends the queue now: aborts the handler and counts everything that is left as lost. */
  abandon(): void {
    if (this.#abort.signal.aborted) return;
    this.#lost += this.#inFlight + this.source.count;
    this.#inFlight = 0;
    this.#abort.abort();
    while (this.source.count > 0) this.source.take(1024);
    this.#wake?.();
    this.#finishIdle();
  }

  metrics(): QueueMetrics {
    this.#watch();
    return {
      name: withoutUserInfo(this.name),
      entries: this.source.count,
      bytes: this.source.bytes,
      inFlight: this.#inFlight,
      delivered: this.#delivered,
      dropped: this.#dropped + (this.source.refused ?? 0),
      retried: this.#retried,
      lost: this.#lost,
    };
  }

  async #run(): Promise<void> {
    while (this.source.count > 0 && !this.#abort.signal.aborted) {
      if (this.#parameters.concurrency_limit === -1) {
        const all = this.source.take(Number.MAX_SAFE_INTEGER);
        await Promise.all(all.map((entry) => this.#deliver([entry])));
        continue;
      }
      await this.#collect();
      const batch = this.source.take(this.#collected);
      this.#collected = 0;
      this.#watch();
      if (this.#hasDropped) this.#log('info', 'queue resumed processing');
      this.#hasDropped = false;
      if (batch.length > 0) await this.#deliver(batch);
    }
    this.#running = false;
    if (this.#next) this.#parameters = this.#next;
    this.#next = null;
    this.#finishIdle();
  }

  /** Waits until the batch is full or its time is over; `#collected` is then its size. */
  async #collect(): Promise<void> {
    const { max_batch_size } = this.#parameters;
    let delayMs = this.#parameters.max_coalescing_delay * 1000;
    const startMs = this.#clock.now();
    this.#collected = 1;
    while (this.#collected < max_batch_size && !this.#abort.signal.aborted) {
      const leftMs = delayMs - (this.#clock.now() - startMs);
      if (leftMs < leastWaitMs) break;
      if (this.source.count > this.#collected) {
        this.#collected = Math.min(this.source.count, max_batch_size);
        continue;
      }
      if (this.#stopping === 'drain') break;
      let waitMs = Math.min(leftMs, longestWaitMs);
      if (this.#stopping === 'shutdown') waitMs = delayMs = leastWaitMs;
      this.#closeAtMs = startMs + delayMs - leastWaitMs;
      await this.#sleep(waitMs, true);
    }
    // Entries collected before may have been dropped for room meanwhile.
    this.#collected = Math.min(this.#collected, this.source.count);
  }

  /** Entries came while a batch is being collected: joins them to it, and closes it where due. */
  #arrival(count: number): void {
    const { max_batch_size } = this.#parameters;
    const late = this.#clock.now() > this.#closeAtMs;
    this.#collected = late ? this.#collected + 1 : Math.min(count, max_batch_size);
    if (late || this.#collected === max_batch_size) this.#wake?.();
  }

  async #deliver(batch: readonly T[]): Promise<void> {
    const parameters = this.#parameters;
    const startMs = this.#clock.now();
    this.#inFlight += batch.length;
    for (let attempt = 0; ; attempt++) {
      const reason = await this.#attempt(batch);
      if (this.#abort.signal.aborted) return;
      if (reason === null) break;
      this.#log('warn', `handler could not process entries: ${reason}`);
      if (reason === noReason) {
        this.#log('error', 'handler returned falsy value but no error information');
      }
      if (this.#clock.now() - startMs > parameters.max_retry_time * 1000) {
        this.#giveUp(batch.length);
        return;
      }
      const pause = parameters.initial_retry_delay * 2 ** attempt;
      await this.#sleep(Math.min(parameters.max_retry_delay, pause) * 1000, false);
      if (this.#abort.signal.aborted) return;
      this.#retried++;
    }
    this.#inFlight -= batch.length;
    this.#delivered += batch.length;
  }

  /** One call of the handler: null, or why it failed. */
  async #attempt(batch: readonly T[]): Promise<string | null> {
    try {
      const result = await this.#handler(batch, this.#abort.signal);
      if (result === undefined || result === true) return null;
      return typeof result === 'string' && result !== '' ? result : noReason;
    } catch (error) {
      return (error instanceof Error ? error.message : String(error)) || noReason;
    }
  }

  #giveUp(count: number): void {
    this.#inFlight -= count;
    this.#lost += count;
    this.#log(
      'error',
      `could not send entries due to max_retry_time exceeded. ${count} queue entries were lost`,
    );
  }

  /** Resolves after `ms`, when the queue is abandoned, or, if `interruptible`, on `#wake`. */
  #sleep(ms: number, interruptible: boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        this.#clock.clearTimeout(timer);
        this.#abort.signal.removeEventListener('abort', end);
        if (interruptible) this.#wake = null;
        resolve();
      };
      const timer = this.#clock.setTimeout(end, ms);
      this.#abort.signal.addEventListener('abort', end);
      if (interruptible) this.#wake = end;
    });
  }

  /** Counts drops, and speaks for sources that cannot: the core writes its rings without a word. */
  #watch(): void {
    const drops = (this.source.dropped - this.#seenDrops) >>> 0;
    this.#seenDrops = this.source.dropped;
    this.#dropped += drops;
    if (!this.source.speaks) {
      const high = this.source.count >= 0.8 * this.#parameters.max_entries;
      if (high && !this.#warned) this.#log('warn', 'queue at 80% capacity');
      this.#warned = high;
      if (drops > 0 && !this.#hasDropped) {
        this.#log('error', 'queue full, dropping old entries until processing is successful again');
      }
    }
    if (drops > 0) this.#hasDropped = true;
  }

  #finishIdle(): void {
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
    this.#onIdle();
  }
}

/** What a log line about a queue begins with. */
export function queueLabel(name: string, tag = ''): string {
  return `[${tag}] queue ${withoutUserInfo(name)}: `;
}

/** Queue names may be URLs; what stands before the `@` of one is a secret. */
function withoutUserInfo(name: string): string {
  return name.replace(/\/\/[^@/]*@/, '//***@');
}
