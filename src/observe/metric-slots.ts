/**
 * Which route counts into which metric slot. A route keeps its slot over reloads, so its counters go
 * on; slot 0 is the series of everything that has none (no route matched, or the budget is used up).
 */
import type { Route } from '../config/model.js';
import { clearSlot } from '../core/counters.js';
import type { Core } from '../core/instance.js';
import { limits } from '../limits.js';

export interface SlotLabels {
  readonly service: string;
  readonly route: string;
}

export class MetricSlots {
  readonly #core: Core;
  /** By route id. */
  readonly #slots = new Map<string, { readonly slot: number; labels: SlotLabels }>();
  readonly #free: number[] = [];
  #next = 1;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The slot of a route; 0 where the budget of limits.metricSlots is used up. */
  slotOf(route: Route): number {
    const labels = {
      service: route.service?.name ?? route.service?.id ?? '',
      route: route.name ?? route.id,
    };
    const known = this.#slots.get(route.id);
    if (known) {
      known.labels = labels;
      return known.slot;
    }
    const slot = this.#free.pop() ?? (this.#next < limits.metricSlots.value ? this.#next++ : 0);
    if (slot === 0) return 0;
    clearSlot(this.#core, slot);
    this.#slots.set(route.id, { slot, labels });
    return slot;
  }

  /** Gives back the slots of routes that are gone; call when no exchange of theirs is left. */
  retain(routes: Iterable<Route>): void {
    const kept = new Set<string>();
    for (const route of routes) kept.add(route.id);
    for (const [id, { slot }] of this.#slots) {
      if (kept.has(id)) continue;
      this.#slots.delete(id);
      this.#free.push(slot);
    }
  }

  *[Symbol.iterator](): IterableIterator<{ readonly slot: number; readonly labels: SlotLabels }> {
    yield { slot: 0, labels: { service: '', route: '' } };
    yield* this.#slots.values();
  }
}
