/**
 * Picks, for each plugin name, the one configuration that applies: the most specific of those that
 * are enabled. Configurations are never merged (kong-plugins reference, A4).
 */
import type { Consumer, ConsumerGroup, Route, Service } from '../config/model.js';
import type { AnyPlugin } from './define.js';
import type { PlanStep } from './plan.js';

/** Who and what a configuration is looked up for. */
export interface Scope {
  readonly route: Route | null;
  readonly service: Service | null;
  readonly consumer: Consumer | null;
  /** By name; the first that has a configuration wins. */
  readonly groups: readonly ConsumerGroup[];
}

/** By place in the order of all plugin names: the step that applies, null where none does. */
export type Row = readonly (PlanStep | null)[];

/** Which parts of a scope a level of precedence names; the most specific level first. */
const levels: readonly {
  readonly who: 'consumer' | 'group' | null;
  readonly route: boolean;
  readonly service: boolean;
}[] = [
  { who: 'consumer', route: true, service: true },
  { who: 'group', route: true, service: true },
  { who: 'consumer', route: true, service: false },
  { who: 'consumer', route: false, service: true },
  { who: 'group', route: true, service: false },
  { who: 'group', route: false, service: true },
  { who: null, route: true, service: true },
  { who: 'consumer', route: false, service: false },
  { who: 'group', route: false, service: false },
  { who: null, route: true, service: false },
  { who: null, route: false, service: true },
  { who: null, route: false, service: false },
];

export class StepSelection {
  /** Every plugin that is configured somewhere, in the order in which plugins run. */
  readonly order: readonly AnyPlugin[];
  readonly #steps: readonly PlanStep[];
  readonly #byScope = new Map<string, PlanStep>();
  /** Ids of consumers and groups that some configuration names. */
  readonly #who = new Set<string>();

  constructor(steps: readonly PlanStep[]) {
    this.#steps = steps;
    this.order = [...new Set(steps.map((step) => step.plugin))].sort(byPriority);
    for (const step of steps) {
      const { route, service, consumer, consumer_group: group } = step.entity;
      if (consumer) this.#who.add(consumer.id);
      if (group) this.#who.add(group.id);
      const key = scopeKey(step.plugin.name, route?.id, service?.id, consumer?.id ?? group?.id);
      this.#byScope.set(key, step);
    }
  }

  /** Leaves of a client only what makes a difference to any look-up. */
  narrowed(
    consumer: Consumer | null,
    groups: readonly ConsumerGroup[],
  ): Pick<Scope, 'consumer' | 'groups'> {
    return {
      consumer: consumer && this.#who.has(consumer.id) ? consumer : null,
      groups: groups.filter((group) => this.#who.has(group.id)),
    };
  }

  /** What applies to a scope. The first `kept` places are taken over from `known`. */
  row(scope: Scope, known: Row = [], kept = 0): Row {
    return this.order.map((plugin, place) =>
      place < kept ? known[place] : this.#lookUp(plugin, scope),
    );
  }

  /** Everything that some client could bring into a scope. */
  candidates(route: Route | null): PlanStep[] {
    const service = route?.service ?? null;
    return this.#steps.filter(({ entity }) => {
      const onRoute = !entity.route || entity.route === route;
      return onRoute && (!entity.service || entity.service === service);
    });
  }

  #lookUp(plugin: AnyPlugin, scope: Scope): PlanStep | null {
    const ignored = plugin.ignoredScopes ?? [];
    const route = ignored.includes('route') ? undefined : scope.route?.id;
    const service = ignored.includes('service') ? undefined : scope.service?.id;
    const consumer = ignored.includes('consumer') ? undefined : scope.consumer?.id;
    const groups = ignored.includes('consumer') ? [] : scope.groups;
    for (const level of levels) {
      if ((level.route && !route) || (level.service && !service)) continue;
      const onRoute = level.route ? route : undefined;
      const onService = level.service ? service : undefined;
      const found = (who: string | undefined) =>
        this.#byScope.get(scopeKey(plugin.name, onRoute, onService, who));
      let step: PlanStep | undefined;
      if (level.who === null) step = found(undefined);
      else if (level.who === 'consumer') step = consumer ? found(consumer) : undefined;
      else for (const group of groups) step ??= found(group.id);
      if (step) return step;
    }
    return null;
  }
}

const scopeKey = (name: string, route = '', service = '', who = ''): string =>
  `${name} ${route} ${service} ${who}`;

/** Priority from high to low; the name that sorts later first where two are equal. */
function byPriority(a: AnyPlugin, b: AnyPlugin): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  return a.name < b.name ? 1 : -1;
}
