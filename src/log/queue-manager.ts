/** Every queue of one worker by name: opened over reloads, polled together, drained together. */
import { GatewayError } from '../errors.js';
import type { Clock } from '../time.js';
import type { QueueParameters } from './params.js';
import { type BatchHandler, Queue, type QueueLog, type QueueMetrics, queueLabel } from './queue.js';
import { type EntrySource, MemorySource } from './source.js';

export interface DrainResult {
  /** Entries delivered during the drain. */
  readonly delivered: number;
  /** Entries given up during the drain, and those left when its time was over. */
  readonly lost: number;
}

interface OpenQueue {
  readonly queue: Queue<unknown>;
  users: number;
}

/** One entry from JavaScript, with everything its queue needs should it not exist yet. */
export interface EnqueueRequest<T> {
  readonly name: string;
  readonly tag?: string;
  readonly parameters: QueueParameters;
  readonly handler: BatchHandler<T>;
  readonly entry: T;
}

export class QueueManager {
  readonly #clock: Clock;
  readonly #log: QueueLog;
  readonly #open = new Map<string, OpenQueue>();
  /** Queues made by `enqueue`; they vanish when they have drained. */
  readonly #transient = new Map<string, Queue<unknown>>();
  /** Single entries of queues without a concurrency limit. */
  readonly #loose = new Set<Queue<unknown>>();
  /** The queues of `#open`, for the poll after every batch. */
  #polled: Queue<unknown>[] = [];
  #exiting = false;
  #closed = false;

  constructor(options: { readonly clock: Clock; readonly log: QueueLog }) {
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /**
   * The queue of `key`. Opening it again (a reload, or a second plugin with the same key) counts
   * one more user and passes on the newest handler and parameters; `source` is then ignored.
   * `label` is what log lines and metrics say: by default the key, and no tag.
   * @throws GatewayError GW_E_QUEUE_CLOSED after a drain
   */
  open<T>(
    key: string,
    parameters: QueueParameters,
    handler: BatchHandler<T>,
    source: EntrySource<T>,
    label: { readonly name?: string; readonly tag?: string } = {},
  ): Queue<T> {
    this.#check(key);
    const known = this.#open.get(key);
    if (known) {
      known.users++;
      (known.queue as Queue<T>).configure(parameters, handler);
      return known.queue as Queue<T>;
    }
    const queue = this.#make({ name: key, ...label, parameters, handler, source });
    this.#open.set(key, { queue: queue as Queue<unknown>, users: 1 });
    this.#list();
    return queue;
  }

  /**
   * Gives one use of `key` back. After the last one what waits is sent and the queue is forgotten;
   * the promise resolves then, and the source may be closed.
   */
  async release(key: string): Promise<void> {
    const known = this.#open.get(key);
    if (!known || --known.users > 0) return;
    await known.queue.flush();
    if (known.users > 0 || this.#open.get(key) !== known) return;
    this.#open.delete(key);
    this.#list();
  }

  /** Looks for new entries in every open queue; cheap enough for every batch of events. */
  pollAll(): void {
    const polled = this.#polled;
    for (let i = 0; i < polled.length; i++) polled[i].poll();
  }

  /**
   * Kong's `Queue.enqueue`: puts an entry into the queue of that name, which exists from the first
   * entry until it has drained. Parameters are those of the first entry, the handler the newest.
   * @returns null, or why the entry was refused
   * @throws GatewayError GW_E_QUEUE_CLOSED after a drain
   */
  enqueue<T>(request: EnqueueRequest<T>): string | null {
    const { name, parameters, handler, entry } = request;
    this.#check(name);
    if (entry === undefined || entry === null) return 'entry must be a non-nil Lua value';
    if (parameters.concurrency_limit === -1) {
      this.#sendAlone(request);
      return null;
    }
    let queue = this.#transient.get(name) as Queue<T> | undefined;
    if (queue) {
      queue.configure(parameters, handler);
    } else {
      const label = queueLabel(name, request.tag);
      const source = new MemorySource<T>(parameters, (level, message) =>
        this.#log(level, label + message),
      );
      const onIdle = () => this.#transient.delete(name);
      queue = this.#make({ ...request, source }, onIdle);
      this.#transient.set(name, queue as Queue<unknown>);
    }
    const refusal = (queue.source as MemorySource<T>).push(entry);
    if (queue.idle) this.#transient.delete(name);
    else queue.poll();
    return refusal;
  }

  /** True while the queue of `enqueue` with this name exists. */
  exists(name: string): boolean {
    return this.#transient.has(name);
  }

  /** True where the next entry would drop another; a queue that does not exist is not full. */
  isFull(name: string): boolean {
    return this.#memoryOf(name)?.full ?? false;
  }

  /** True where `entry` fits without dropping another; true for a queue that does not exist. */
  canEnqueue(name: string, entry?: unknown): boolean {
    return this.#memoryOf(name)?.fits(entry) ?? true;
  }

  /** The process begins to end: batches are no longer held open for long, retries go on. */
  shutdown(): void {
    this.#exiting = true;
    for (const queue of this.#all()) queue.shutdown();
  }

  /**
   * Sends everything that waits, for `timeoutMs` at most; then aborts handlers and counts the rest
   * as lost. No queue takes entries afterwards. Never rejects.
   */
  async drain(timeoutMs: number): Promise<DrainResult> {
    const before = this.#totals();
    const queues = this.#all();
    let timer: unknown;
    const deadline = new Promise<void>((resolve) => {
      timer = this.#clock.setTimeout(resolve, timeoutMs);
    });
    await Promise.race([deadline, Promise.all(queues.map((queue) => queue.flush()))]);
    this.#clock.clearTimeout(timer);
    this.#closed = true;
    for (const queue of queues) queue.abandon();
    const after = this.#totals(queues);
    return { delivered: after.delivered - before.delivered, lost: after.lost - before.lost };
  }

  /** One row per queue that exists. */
  metrics(): QueueMetrics[] {
    return [...this.#polled, ...this.#transient.values()].map((queue) => queue.metrics());
  }

  #make<T>(
    options: {
      name: string;
      tag?: string;
      parameters: QueueParameters;
      handler: BatchHandler<T>;
      source: EntrySource<T>;
    },
    onIdle?: () => void,
  ): Queue<T> {
    const queue = new Queue<T>({ ...options, clock: this.#clock, log: this.#log, onIdle });
    if (this.#exiting) queue.shutdown();
    return queue;
  }

  #sendAlone<T>(request: EnqueueRequest<T>): void {
    const source = new MemorySource<T>({ max_entries: 2, max_bytes: null }, () => {});
    source.push(request.entry);
    const queue: Queue<T> = this.#make({ ...request, source }, () => {
      this.#loose.delete(queue as Queue<unknown>);
    });
    this.#loose.add(queue as Queue<unknown>);
    queue.poll();
  }

  #memoryOf(name: string): MemorySource<unknown> | undefined {
    return this.#transient.get(name)?.source as MemorySource<unknown> | undefined;
  }

  #all(): Queue<unknown>[] {
    return [...this.#polled, ...this.#transient.values(), ...this.#loose];
  }

  #totals(queues = this.#all()): DrainResult {
    let delivered = 0;
    let lost = 0;
    for (const queue of queues) {
      const metrics = queue.metrics();
      delivered += metrics.delivered;
      lost += metrics.lost;
    }
    return { delivered, lost };
  }

  #list(): void {
    this.#polled = [...this.#open.values()].map((known) => known.queue);
  }

  #check(name: string): void {
    if (this.#closed) throw new GatewayError('GW_E_QUEUE_CLOSED', `queue ${name} is closed`);
  }
}
