/**
 * Frozen plans: for every route of a generation the plugins that run, by phase, in order. Made once
 * per configuration; a request only walks its plan.
 */
import type { PluginEntity, Route, Service, Snapshot } from '../config/model.js';
import { Phase } from '../core/layout.js';
import type { Logger } from '../observe/logger.js';
import type { AnyPlugin } from './define.js';

/** One configured plugin, in every plan that it is part of. */
export interface PlanStep {
  readonly plugin: AnyPlugin;
  readonly entity: PluginEntity;
  readonly config: unknown;
  readonly logger: Logger;
}

export interface Plan {
  /** Null: the plan of requests that no route matches. */
  readonly route: Route | null;
  readonly service: Service | null;
  readonly access: readonly PlanStep[];
  readonly headerFilter: readonly PlanStep[];
  /** Steps with a log handler or a log sink: each gets the log records through a queue. */
  readonly log: readonly PlanStep[];
  /** Phase bits for the route record. */
  readonly phases: number;
}

export interface PlanTable {
  /** Routes in the order of the route table, those of disabled services left out. */
  readonly routes: readonly Route[];
  /** Services that the table needs. */
  readonly services: readonly Service[];
  /** By route index. */
  readonly plans: readonly Plan[];
  readonly unmatched: Plan;
  /** Every enabled configured plugin once. */
  readonly steps: readonly PlanStep[];
}

/**
 * Builds the plans of a snapshot. Plugins that the registry does not know are the loader's error.
 */
export function buildPlans(
  snapshot: Snapshot,
  plugins: ReadonlyMap<string, AnyPlugin>,
  logger: Logger,
): PlanTable {
  const routes = snapshot.routes.filter((route) => route.service?.enabled !== false);
  const steps: PlanStep[] = [];
  for (const entity of snapshot.plugins) {
    const plugin = plugins.get(entity.name);
    if (!entity.enabled || !plugin) continue;
    steps.push({ plugin, entity, config: entity.config, logger: stepLogger(logger, entity) });
  }
  const chooser = new StepChooser(steps);
  return {
    routes,
    services: snapshot.services.filter((service) => service.enabled),
    plans: routes.map((route) => planOf(route, chooser.choose(route))),
    unmatched: planOf(null, chooser.choose(null)),
    steps,
  };
}

function planOf(route: Route | null, steps: readonly PlanStep[]): Plan {
  const access = route ? steps.filter((step) => step.plugin.access) : [];
  const headerFilter = steps.filter((step) => step.plugin.headerFilter);
  let phases = 0;
  // Access runs for header filters, too: they may look at the request, which is gone by then.
  if (access.length > 0 || (route && headerFilter.length > 0)) phases |= Phase.ACCESS;
  // Header edits made in access are applied when the answer's head is there.
  if (access.length > 0 || headerFilter.length > 0) phases |= Phase.HEADER_FILTER;
  return Object.freeze({
    route,
    service: route?.service ?? null,
    access,
    headerFilter,
    log: steps.filter((step) => step.plugin.log || step.plugin.logSink),
    phases,
  });
}

/** Picks, for each plugin name, the one configuration with the most specific scope. */
class StepChooser {
  readonly #names: readonly string[];
  readonly #byScope = new Map<string, PlanStep>();
  readonly #cache = new Map<string, readonly PlanStep[]>();

  constructor(steps: readonly PlanStep[]) {
    const order = new Map<string, AnyPlugin>();
    for (const step of steps) {
      // Who the consumer is is only known to authentication plugins, of which there are none yet.
      if (step.entity.consumer) continue;
      order.set(step.plugin.name, step.plugin);
      this.#byScope.set(scopeKey(step.plugin.name, step.entity.route, step.entity.service), step);
    }
    this.#names = [...order.values()].sort(byPriority).map((plugin) => plugin.name);
  }

  choose(route: Route | null): readonly PlanStep[] {
    const chosen: PlanStep[] = [];
    for (const name of this.#names) {
      const step = this.#lookUp(name, route);
      if (step) chosen.push(step);
    }
    const key = chosen.map((step) => step.entity.id).join();
    const known = this.#cache.get(key);
    if (known) return known;
    this.#cache.set(key, chosen);
    return chosen;
  }

  #lookUp(name: string, route: Route | null): PlanStep | undefined {
    const service = route?.service ?? null;
    return (
      (route && service && this.#byScope.get(scopeKey(name, route, service))) ||
      (route && this.#byScope.get(scopeKey(name, route, null))) ||
      (service && this.#byScope.get(scopeKey(name, null, service))) ||
      this.#byScope.get(scopeKey(name, null, null))
    );
  }
}

const scopeKey = (name: string, route: Route | null, service: Service | null): string =>
  `${name} ${route?.id ?? ''} ${service?.id ?? ''}`;

/** Priority from high to low; the name that sorts later first where two are equal. */
function byPriority(a: AnyPlugin, b: AnyPlugin): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  return a.name < b.name ? 1 : -1;
}

function stepLogger(logger: Logger, entity: PluginEntity): Logger {
  return logger.child({ plugin: entity.name, plugin_id: entity.id });
}
