/**
 * The generations of configuration that are alive: the one in use and older ones whose exchanges or
 * log records have not ended. What a generation holds (targets, log queues) is given back with it.
 */
import type { KeyAuthCredential, Route } from './config/model.js';
import type { Core } from './core/instance.js';
import type { LogAttachment, LogShipping } from './log/shipping.js';
import type { Plan, PlanTable } from './plugin/plan.js';
import type { Clock } from './time.js';
import type { TargetTable } from './upstream/target-table.js';

/** What a configuration holds while it is alive. */
export interface Holdings {
  readonly table: PlanTable;
  /** Target indices, one per service. */
  readonly targets: readonly number[];
  readonly attachments: readonly LogAttachment[];
  readonly filters: { release(): void };
  readonly upstreams: { release(): void };
}

interface Generation extends Holdings {
  readonly id: number;
  /** Set when its last exchange has ended: sequence number behind its last record, by ring. */
  marks: Map<number, number> | null;
}

/** Generations kept for records in rings that nobody empties. */
const keptMax = 64;
const checkMs = 50;

export class Generations {
  readonly #core: Core;
  readonly #clock: Clock;
  readonly #targets: TargetTable;
  readonly #shipping: LogShipping;
  readonly #all = new Map<number, Generation>();
  /** Ring of the access log, which is no holding of a generation. */
  accessRing: number | null = null;
  #current: Generation | null = null;
  #timer: unknown = null;

  constructor(options: {
    readonly core: Core;
    readonly clock: Clock;
    readonly targets: TargetTable;
    readonly shipping: LogShipping;
  }) {
    this.#core = options.core;
    this.#clock = options.clock;
    this.#targets = options.targets;
    this.#shipping = options.shipping;
  }

  /** Generations that are alive. */
  get size(): number {
    return this.#all.size;
  }

  get current(): number {
    return this.#current?.id ?? 0;
  }

  /** The plan of a route; of requests that matched nothing for any index behind the last. */
  readonly planOf = (id: number, route: number): Plan | undefined => {
    const generation = this.#current?.id === id ? this.#current : this.#all.get(id);
    if (!generation) return undefined;
    const { plans, unmatched } = generation.table;
    return route < plans.length ? plans[route] : unmatched;
  };

  readonly routeOf = (id: number, route: number): Route | null =>
    this.#all.get(id)?.table.routes[route] ?? null;

  readonly credentialOf = (id: number, place: number): KeyAuthCredential | null =>
    this.#all.get(id)?.table.keys[place] ?? null;

  /** Takes a table into use that the core has just swapped in. */
  add(id: number, holdings: Holdings): void {
    const generation: Generation = { id, ...holdings, marks: null };
    this.#all.set(id, generation);
    this.#current = generation;
    this.#schedule();
  }

  /** Gives back what a configuration took that was never put in use. */
  discard(holdings: Omit<Holdings, 'table'>): void {
    for (const target of holdings.targets) this.#targets.release(target);
    holdings.filters.release();
    holdings.upstreams.release();
    for (const attachment of holdings.attachments) void this.#shipping.detach(attachment);
  }

  /** Stops looking after old generations. */
  close(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #schedule(): void {
    if (this.#timer !== null || this.#all.size < 2) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      this.#sweep();
      this.#schedule();
    }, checkMs);
  }

  #sweep(): void {
    let excess = this.#all.size - keptMax;
    for (const generation of [...this.#all.values()]) {
      if (generation === this.#current) continue;
      if (!generation.marks) {
        if (this.#core.exports.generation_users(generation.id) > 0) continue;
        this.#retire(generation);
      }
      if (excess-- > 0 || this.#recordsRead(generation)) this.#all.delete(generation.id);
    }
  }

  #retire(generation: Generation): void {
    const rings = new Set(generation.attachments.map((attachment) => attachment.ring));
    if (this.accessRing !== null) rings.add(this.accessRing);
    const { exports } = this.#core;
    generation.marks = new Map();
    for (const ring of rings) {
      generation.marks.set(ring, (exports.ring_head(ring) + exports.ring_count(ring)) | 0);
    }
    this.discard(generation);
  }

  #recordsRead(generation: Generation): boolean {
    const { exports } = this.#core;
    for (const [ring, end] of generation.marks ?? []) {
      if (exports.ring_count(ring) > 0 && ((exports.ring_head(ring) - end) | 0) < 0) return false;
    }
    return true;
  }
}
