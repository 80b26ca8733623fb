/** The filters of one worker: what they share, chains by route, the stage in an exchange. */
import type { PluginEntity, Route, Service, Snapshot } from '../config/model.js';
import type { Settings } from '../config/settings.js';
import type { Core } from '../core/instance.js';
import { Phase } from '../core/layout.js';
import type { Logger } from '../observe/logger.js';
import type { StagesOf } from '../plugin/stage.js';
import type { Clock } from '../time.js';
import type { FilterLogLevel } from './abi.js';
import { CallClient, type CallTarget } from './calls/client.js';
import { directTarget } from './calls/target.js';
import { nodePropertyOf, type PropertyFacts } from './exchange-properties.js';
import { type FilterEntry, type FilterGeneration, FilterManager } from './manager.js';
import type { FilterMetric } from './metrics.js';
import { FilterMetrics } from './metrics.js';
import type { FilterRegistry } from './registry.js';
import type { ForeignFunction } from './services.js';
import { type FilterMemory, openStores } from './shared/stores.js';
import { StagePool } from './stage-pool.js';

export interface WorkerFilterOptions {
  readonly core: Core;
  readonly clock: Clock;
  /** Place of the worker among all, from 0. */
  readonly index: number;
  /** What threads share; null: there is one. */
  readonly memory: FilterMemory | null;
  readonly logger: Logger;
  readonly logLevel: Settings['logLevel'];
  readonly foreign: ReadonlyMap<string, ForeignFunction>;
  readonly facts: Omit<PropertyFacts, 'wallMs'>;
}

const levels: Readonly<Record<Settings['logLevel'], FilterLogLevel>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  fatal: 'critical',
};

/** What a route's record must ask the core for where the route has filters. */
const chainPhases = Phase.ACCESS | Phase.HEADER_FILTER | Phase.ENDED;

export class WorkerFilters {
  readonly #core: Core;
  readonly #facts: PropertyFacts;
  readonly #manager: FilterManager;
  readonly #stages = new WeakMap<Route, StagePool>();
  #services: readonly Service[] = [];

  constructor(options: WorkerFilterOptions) {
    const { core, clock, index, logger, logLevel, foreign } = options;
    this.#core = core;
    this.#facts = { wallMs: () => clock.wall(), ...options.facts };
    const services = {
      clock,
      workerId: index,
      logger,
      logLevel: levels[logLevel],
      ...openStores(options.memory, options.index),
      metrics: new FilterMetrics(),
      calls: new CallClient({ clock, resolve: (name) => this.#resolve(name) }),
      foreign,
      nodeProperty: (path: string, segments: readonly string[]) =>
        nodePropertyOf(this.#facts, path, segments),
    };
    this.#manager = new FilterManager(services, new Map());
  }

  /**
   * Makes the chains of a snapshot ready, whose routes then have stages.
   * @throws GatewayError GW_E_FILTER_CONFIG, GW_E_FILTER_TRAP where a filter refuses
   */
  prepare(snapshot: Snapshot, registry: FilterRegistry): FilterGeneration {
    this.#manager.replace(registry);
    const generation = this.#manager.begin();
    try {
      for (const route of snapshot.routes) {
        const chain = generation.chain(entriesOf(route, snapshot, registry));
        if (chain) this.#stages.set(route, new StagePool(chain, this.#core, this.#facts));
      }
    } catch (error) {
      generation.release();
      throw error;
    }
    this.#services = snapshot.services;
    return generation;
  }

  /** Phase bits of a route beside those of its plugins. */
  readonly phasesOf = (route: Route): number => (this.#stages.has(route) ? chainPhases : 0);

  readonly stagesOf: StagesOf = ({ route }) => (route && this.#stages.get(route)) ?? null;

  metrics(): readonly FilterMetric[] {
    return this.#manager.services.metrics.all();
  }

  close(): Promise<void> {
    return this.#manager.close();
  }

  /** A service by its name, else an address. */
  #resolve(name: string): CallTarget | null {
    const service = this.#services.find((known) => known.name === name);
    if (!service) return directTarget(name);
    const host = service.host.includes(':') ? `[${service.host}]` : service.host;
    const isSecure = service.protocol === 'https' || service.protocol === 'grpcs';
    const authority = `${host}:${service.port}`;
    return { origin: `${isSecure ? 'https' : 'http'}://${authority}`, authority };
  }
}

/** The service's chain and the filters that are its plugins, then the route's. */
function entriesOf(route: Route, snapshot: Snapshot, registry: FilterRegistry): FilterEntry[] {
  const { service } = route;
  const ofService = ownEntries(snapshot, registry, (owned) => {
    return service !== null && owned.service?.id === service.id && !owned.route;
  });
  const ofRoute = ownEntries(snapshot, registry, (owned) => owned.route?.id === route.id);
  return [...ofService, ...ofRoute];
}

interface Owned {
  readonly service: Service | null;
  readonly route: Route | null;
}

function ownEntries(
  { filterChains, plugins }: Snapshot,
  registry: FilterRegistry,
  owns: (owned: Owned) => boolean,
): FilterEntry[] {
  const chain = filterChains.find(owns);
  const named = plugins.filter(({ name, enabled }) => enabled && registry.has(name)).filter(owns);
  return [...(chain?.enabled ? chain.filters : []), ...named.sort(byAge)];
}

/** Kong's order of filters that are plugins. */
function byAge(a: PluginEntity, b: PluginEntity): number {
  const keys = (one: PluginEntity) => [one.name, one.updated_at, one.created_at, one.id] as const;
  const [left, right] = [keys(a), keys(b)];
  const at = left.findIndex((key, i) => key !== right[i]);
  if (at < 0) return 0;
  return (left[at] ?? 0) < (right[at] ?? 0) ? -1 : 1;
}
