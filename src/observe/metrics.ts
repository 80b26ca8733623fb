/**
 * Which metric slot of the core belongs to which series. Slots are given out per route and service
 * for the life of the process, so that counters go on over reloads; routes beyond the budget share
 * the overflow series.
 */
import type { Route } from '../config/model.js';
import { limits } from '../limits.js';

export interface Series {
  readonly slot: number;
  /** Name or id; empty for requests that matched no route. */
  readonly route: string;
  /** Name or host; empty where there is none. */
  readonly service: string;
}

/** Slot of everything beyond the budget, and of requests that match nothing. */
const overflowSlot = 0;
export const unmatchedSlot = 1;

export class MetricSeries {
  readonly #slots = new Map<string, Series>();
  #next = 2;

  /** The slot of a route; the same for a route of the same name and service after a reload. */
  slotOf(route: Route): number {
    const { service } = route;
    const names = {
      route: route.name ?? route.id,
      service: service ? (service.name ?? service.host) : '',
    };
    const key = `${names.route}\n${names.service}`;
    const known = this.#slots.get(key);
    if (known) return known.slot;
    if (this.#next >= limits.metricSlots.value) return overflowSlot;
    const series = { slot: this.#next++, ...names };
    this.#slots.set(key, series);
    return series.slot;
  }

  /** Slots in use: all of them lie below this number. */
  get count(): number {
    return this.#next;
  }

  /** What was given out for routes, for `adopt` in another thread. */
  routes(): Series[] {
    return [...this.#slots.values()];
  }

  /** Takes over what another thread has given out, so that both mean the same slots. */
  adopt(routes: readonly Series[]): void {
    for (const series of routes) {
      this.#slots.set(`${series.route}\n${series.service}`, series);
      this.#next = Math.max(this.#next, series.slot + 1);
    }
  }

  /** Every series given out so far, the overflow series first. */
  *all(): Iterable<Series> {
    yield { slot: overflowSlot, route: 'overflow', service: 'overflow' };
    yield { slot: unmatchedSlot, route: '', service: '' };
    yield* this.#slots.values();
  }
}
