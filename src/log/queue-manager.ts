/** Every queue of one worker by name: opened over reloads, polled together, drained together. */
import { GatewayError } from '../errors.js';
import type { BatchHandler } from './delivery.js';
import type { EntryStore } from './intake.js';
import { type EnqueueRequest, NamedQueue } from './named-queue.js';
import type { QueueParameters } from './params.js';
import { Queue, type QueueLog } from './queue.js';
import type { QueueClock } from './queue-clock.js';
import type { QueueCounters, QueueMetrics } from './queue-metrics.js';
import type { EntrySource } from './source.js';

export interface DrainResult {
  /** Entries delivered during the drain. */
  readonly delivered: number;
  /** Entries left in journals when the time was over; the next start delivers them. */
  readonly kept: number;
  /** Entries given up during the drain, and those left without a journal when it was over. */
  readonly lost: number;
}

interface OpenQueue {
  readonly queue: Queue<unknown>;
  users: number;
}

export class QueueManager {
  readonly #clock: QueueClock;
  readonly #log: QueueLog;
  readonly #open = new Map<string, OpenQueue>();
  readonly #named = new Map<string, NamedQueue<unknown>>();
  /** The queues of `#open`, for the poll after every batch. */
  #polled: Queue<unknown>[] = [];
  #exiting = false;
  #closed = false;

  constructor(options: { readonly clock: QueueClock; readonly log: QueueLog }) {
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
    const { name = key, tag } = label;
    const clock = this.#clock;
    const queue = new Queue<T>({ name, tag, parameters, handler, source, clock, log: this.#log });
    if (this.#exiting) queue.shutdown();
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
    this.#check(request.name);
    return this.named<T>(request.name).enqueue(request, this.#log);
  }

  /**
   * What lasts of the queue of that key; `makeStore` is called when it is used first. `name` is
   * what log lines and metrics say, by default the key.
   * @throws what `makeStore` throws
   */
  named<T>(key: string, makeStore?: () => EntryStore<T> | undefined, name = key): NamedQueue<T> {
    let named = this.#named.get(key) as NamedQueue<T> | undefined;
    if (!named) {
      named = new NamedQueue<T>(name, this.#clock, makeStore?.());
      if (this.#exiting) named.shutdown();
      this.#named.set(key, named as NamedQueue<unknown>);
    }
    return named;
  }

  /** Forgets a queue, with its counters; its name then begins anew. */
  forget(queue: NamedQueue<unknown>, key = queue.name): void {
    if (this.#named.get(key) === queue) this.#named.delete(key);
  }

  /** True while the queue of `enqueue` with this name exists. */
  exists(name: string): boolean {
    return this.#intakeOf(name) !== null;
  }

  /** True where the next entry would drop another; a queue that does not exist is not full. */
  isFull(name: string): boolean {
    return this.#intakeOf(name)?.full ?? false;
  }

  /** True where `entry` fits without dropping another; true for a queue that does not exist. */
  canEnqueue(name: string, entry?: unknown): boolean {
    return this.#intakeOf(name)?.fits(entry) ?? true;
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
    await within(this.#clock, timeoutMs, Promise.all(queues.map((queue) => queue.flush())));
    this.#closed = true;
    for (const queue of queues) queue.abandon();
    return difference(this.#totals(), before);
  }

  /** One row per queue that exists, or once existed under its name. */
  metrics(): QueueMetrics[] {
    return this.#all().map((queue) => queue.metrics());
  }

  #intakeOf(name: string) {
    return this.#named.get(name)?.intake ?? null;
  }

  #all(): (Queue<unknown> | NamedQueue<unknown>)[] {
    return [...this.#polled, ...this.#named.values()];
  }

  #totals(): DrainResult {
    const totals = { delivered: 0, kept: 0, lost: 0 };
    for (const queue of this.#all()) add(totals, queue.metrics());
    return totals;
  }

  #list(): void {
    this.#polled = [...this.#open.values()].map((known) => known.queue);
  }

  #check(name: string): void {
    if (this.#closed) throw new GatewayError('GW_E_QUEUE_CLOSED', `queue ${name} is closed`);
  }
}

/** Resolves when `work` has, or when `timeoutMs` are over. */
export async function within(
  clock: QueueClock,
  timeoutMs: number,
  work: Promise<unknown>,
): Promise<void> {
  if (timeoutMs === Number.POSITIVE_INFINITY) {
    await work;
    return;
  }
  let timer: unknown;
  const deadline = new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, timeoutMs);
  });
  await Promise.race([deadline, work]);
  clock.clearTimeout(timer);
}

/** What happened between two readings of the counters. */
export function difference(
  after: Pick<QueueCounters, keyof DrainResult>,
  before: Pick<QueueCounters, keyof DrainResult>,
): DrainResult {
  return {
    delivered: after.delivered - before.delivered,
    kept: after.kept - before.kept,
    lost: after.lost - before.lost,
  };
}

function add(totals: { -readonly [K in keyof DrainResult]: number }, row: DrainResult): void {
  totals.delivered += row.delivered;
  totals.kept += row.kept;
  totals.lost += row.lost;
}
