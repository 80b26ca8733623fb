/**
 * Log queues with a journal: records leave the core's ring after every batch of events, become
 * text (what they refer to is unknown after a restart), and wait on disk and in memory.
 */
import type { Ring } from '../core/ring.js';
import type { QueueParameters } from '../plugin/log-types.js';
import type { JournalSettings } from './journal-options.js';
import { type JournaledStore, openStore } from './journaled-store.js';
import type { EnqueueRequest, NamedQueue } from './named-queue.js';
import type { QueueLog } from './queue.js';
import type { QueueClock } from './queue-clock.js';
import type { QueueManager } from './queue-manager.js';
import { queueLabel } from './queue-metrics.js';

export interface JournaledShippingOptions {
  readonly queues: QueueManager;
  readonly clock: QueueClock;
  readonly log: QueueLog;
  readonly worker: number;
  /** Takes records of the core as JSON texts; what is none goes to `onBad`. */
  readonly takeTexts: (ring: Ring, max: number, onBad: (error: unknown) => void) => Uint8Array[];
}

export interface JournaledAttach {
  readonly key: string;
  /** Names the journal: the same before and after a restart. */
  readonly queueKey: string;
  readonly name: string;
  readonly tag: string;
  readonly ring: Ring;
  readonly parameters: QueueParameters;
  readonly settings: JournalSettings;
  readonly sendTexts: (batch: readonly Uint8Array[], signal: AbortSignal) => Promise<true>;
}

interface Attached {
  readonly named: NamedQueue<Uint8Array>;
  readonly ring: Ring;
  request: Omit<EnqueueRequest<Uint8Array>, 'entry'>;
  users: number;
}

/** Records that become text before the journal writes them. */
const recordsAtOnce = 256;

export class JournaledShipping {
  readonly #options: JournaledShippingOptions;
  readonly #attached = new Map<string, Attached>();

  constructor(options: JournaledShippingOptions) {
    this.#options = options;
  }

  /** True while some queue has a journal. */
  get active(): boolean {
    return this.#attached.size > 0;
  }

  has(key: string): boolean {
    return this.#attached.has(key);
  }

  /**
   * Opens the queue, or passes a newer configuration on to it.
   * @throws GatewayError GW_E_QUEUE_JOURNAL
   */
  attach(options: JournaledAttach): void {
    const { key, queueKey, name, tag, ring, parameters, settings, sendTexts } = options;
    const { queues, clock, log, worker } = this.#options;
    const label = queueLabel(name, tag);
    const warn = (message: string) => log('warn', label + message);
    const limits = parameters;
    const named = queues.named<Uint8Array>(
      key,
      () => openStore<Uint8Array>({ settings, limits, name: queueKey, worker, clock, warn }),
      name,
    );
    const request = { name, tag, parameters, handler: sendTexts };
    const known = this.#attached.get(key);
    if (known) {
      known.users++;
      known.request = request;
      return;
    }
    this.#attached.set(key, { named, ring, request, users: 1 });
    const left = named.store?.count ?? 0;
    if (left === 0) return;
    log('info', `${label}entries of an earlier run are in the journal and delivered first`);
    named.resume(request, log);
  }

  /** Gives one use back; after the last one what waits is sent and the journal closed. */
  async detach(key: string): Promise<void> {
    const attached = this.#attached.get(key);
    if (!attached || --attached.users > 0) return;
    this.#move(attached);
    await attached.named.flush();
    if (attached.users > 0) return;
    this.#attached.delete(key);
    attached.named.abandon();
    this.#options.queues.forget(attached.named as NamedQueue<unknown>, key);
  }

  /** Moves new records into the journals; cheap where there are none. */
  poll(): void {
    for (const attached of this.#attached.values()) {
      if (attached.ring.count > 0) this.#move(attached);
    }
  }

  #move({ named, ring, request }: Attached): void {
    const { takeTexts, log } = this.#options;
    const onBad = (error: unknown) =>
      log('error', `[${request.tag}] a log record was dropped: ${(error as Error).message}`);
    const store = named.store as JournaledStore<Uint8Array>;
    while (ring.count > 0) {
      store.cork();
      for (const entry of takeTexts(ring, recordsAtOnce, onBad)) {
        named.enqueue({ ...request, entry }, log);
      }
      store.uncork();
    }
  }
}
