/**
 * Frozen plans: for every route of a generation the plugins that run, by phase, in order. Made once
 * per configuration; a request only walks its plan. Where a client is authenticated the exchange
 * goes on with the plan of that client, made when it is first needed.
 */
import { EntityLookup } from '../config/lookup.js';
import type {
  Consumer,
  ConsumerGroup,
  KeyAuthCredential,
  PluginEntity,
  Route,
  Service,
  Snapshot,
  Upstream,
} from '../config/model.js';
import { Phase } from '../core/layout.js';
import { type Condition, compileCondition } from '../core/request-condition.js';
import { limits } from '../limits.js';
import type { Logger } from '../observe/logger.js';
import { itemsPerStep, runSteps, type Steps } from '../slices.js';
import { type AnyPlugin, handlerPhases } from './define.js';
import { needsPlugins } from './hash-inputs.js';
import { ordered } from './ordering.js';
import { bareHost, type PluginHost } from './pdk/host.js';
import { type Row, StepSelection } from './selection.js';
import type { StageSource } from './stage.js';

/** One configured plugin, in every plan that it is part of. */
export interface PlanStep {
  readonly plugin: AnyPlugin;
  readonly entity: PluginEntity;
  readonly config: unknown;
  readonly logger: Logger;
  /** Numbers of the rings that its log records go to; the worker fills them in. */
  readonly rings: number[];
  /** Where it does not hold for a request, the step is left out; null: it always runs. */
  readonly condition: Condition | null;
}

export interface Plan {
  /** Null: the plan of requests that no route matches. */
  readonly route: Route | null;
  readonly service: Service | null;
  /** Global configurations only, and the same in every plan: routing comes later. */
  readonly rewrite: readonly PlanStep[];
  readonly access: readonly PlanStep[];
  readonly response: readonly PlanStep[];
  readonly headerFilter: readonly PlanStep[];
  readonly bodyFilter: readonly PlanStep[];
  /** Steps with a log handler or a log sink: each gets the log records through a queue. */
  readonly log: readonly PlanStep[];
  /** Log steps that some client may bring in, those of `log` included. */
  readonly possibleLog: readonly PlanStep[];
  /** What runs on a route for WebSockets; null elsewhere. */
  readonly webSocket: SocketPlan | null;
  /** Phase bits for the route record, for every client. */
  readonly phases: number;
  /** Whoever the client is, nothing but these access steps and header filters looks at it. */
  readonly mayCompile: boolean;
  /** Whoever the client is, these access steps run, and nothing before them. */
  readonly mayBegin: boolean;
  readonly entities: EntityLookup;
  readonly host: PluginHost;
  /** Known from the first request on: where stages come from; whether there is nothing else. */
  readonly stages: { source: StageSource | null | undefined; isDirect: boolean };
  /** The upstream of the service, where it hashes what only plugins know; else null. */
  readonly hashing: Upstream | null;
  /**
   * The plan to go on with when `by` has authenticated a client: what ran so far stays, `by`
   * included, and what comes later is looked up anew. The same plan where nothing changes.
   */
  forClient(by: PlanStep, consumer: Consumer | null, groups: readonly ConsumerGroup[]): Plan;
  /** Steps with a condition that some client may bring in; empty for most plans. */
  readonly conditional: readonly PlanStep[];
  /** The plan without some of `conditional`. */
  without(steps: readonly PlanStep[]): Plan;
}

/** The steps of a WebSocket; its handshake is in `Plan.access`. */
export interface SocketPlan {
  readonly clientFrame: readonly PlanStep[];
  readonly upstreamFrame: readonly PlanStep[];
  readonly close: readonly PlanStep[];
  /** Some client may bring one of these in; else the bytes pass by untouched. */
  readonly decodes: boolean;
}

export interface PlanTable {
  /** Routes in the order of the route table, those of disabled services left out. */
  readonly routes: readonly Route[];
  /** Services that the table needs. */
  readonly services: readonly Service[];
  /** By route index. */
  readonly plans: readonly Plan[];
  readonly unmatched: Plan;
  /** Global steps for each TLS connection. */
  readonly certificate: readonly PlanStep[];
  /** Every enabled configured plugin once. */
  readonly steps: readonly PlanStep[];
  /** Credentials that policies know by their place. */
  readonly keys: readonly KeyAuthCredential[];
}

/** What `planSteps` does, at once. */
export function buildPlans(...given: Parameters<typeof planSteps>): PlanTable {
  return runSteps(planSteps(...given));
}

/**
 * Builds the plans of a snapshot. Plugins that the registry does not know are the loader's error.
 * @throws GatewayError GW_E_CONFIG_INVALID where `ordering` goes round in a circle
 */
export function* planSteps(
  snapshot: Snapshot,
  plugins: ReadonlyMap<string, AnyPlugin>,
  logger: Logger,
  host: PluginHost = bareHost,
): Steps<PlanTable> {
  const routes = snapshot.routes.filter((route) => route.service?.enabled !== false);
  const steps: PlanStep[] = [];
  for (const entity of snapshot.plugins) {
    const plugin = plugins.get(entity.name);
    if (!entity.enabled || !plugin) continue;
    steps.push({
      plugin,
      entity,
      config: entity.config,
      logger: stepLogger(logger, entity),
      rings: [],
      condition: entity.condition ? compileCondition(entity.condition) : null,
    });
  }
  const selection = new StepSelection(steps);
  const entities = new EntityLookup(snapshot);
  const nobody = { consumer: null, groups: [] };
  const everywhere = selection.row({ route: null, service: null, ...nobody });
  const rewrite = ordered(withHandler(everywhere, 'rewrite'), 'rewrite');
  const lists = new Map<string, readonly PlanStep[]>();
  const shared = { selection, entities, host, rewrite, lists };
  const planOf = (route: Route | null) =>
    new RoutePlan(
      shared,
      route,
      selection.row({ route, service: route?.service ?? null, ...nobody }),
    );
  const plans: Plan[] = [];
  for (const route of routes) {
    plans.push(planOf(route));
    if (plans.length % itemsPerStep === 0) yield;
  }
  return {
    routes,
    services: snapshot.services.filter((service) => service.enabled),
    plans,
    unmatched: planOf(null),
    certificate: everywhere.filter((step): step is PlanStep => Boolean(step?.plugin.certificate)),
    steps,
    keys: snapshot.credentials.keyauth_credentials,
  };
}

interface Shared {
  readonly selection: StepSelection;
  readonly entities: EntityLookup;
  readonly host: PluginHost;
  readonly rewrite: readonly PlanStep[];
  /** Lists of steps by their ids: routes with the same plugins share one. */
  readonly lists: Map<string, readonly PlanStep[]>;
}

class RoutePlan implements Plan {
  readonly route: Route | null;
  readonly service: Service | null;
  readonly rewrite: readonly PlanStep[];
  readonly access: readonly PlanStep[];
  readonly response: readonly PlanStep[];
  readonly headerFilter: readonly PlanStep[];
  readonly bodyFilter: readonly PlanStep[];
  readonly log: readonly PlanStep[];
  readonly possibleLog: readonly PlanStep[];
  readonly webSocket: SocketPlan | null;
  readonly phases: number;
  readonly mayCompile: boolean;
  readonly mayBegin: boolean;
  readonly entities: EntityLookup;
  readonly host: PluginHost;
  readonly stages: Plan['stages'] = { source: undefined, isDirect: false };
  readonly hashing: Upstream | null;
  readonly #shared: Shared;
  readonly #row: Row;
  readonly #skipped: readonly PlanStep[];
  readonly conditional: readonly PlanStep[];
  readonly #clients = new Map<string, Plan>();

  /**
   * `ran`: access steps that have run, where the plan is one for a client; `skipped`: steps whose
   * condition does not hold.
   */
  constructor(
    shared: Shared,
    route: Route | null,
    given: Row,
    ran: readonly PlanStep[] = [],
    skipped: readonly PlanStep[] = [],
  ) {
    this.#shared = shared;
    this.#row = given;
    this.#skipped = skipped;
    const row = skipped.length === 0 ? given : without(given, skipped);
    this.route = route;
    this.service = route?.service ?? null;
    this.entities = shared.entities;
    this.host = shared.host;
    const upstream = this.service ? shared.entities.upstream(this.service.host) : null;
    this.hashing = upstream && needsPlugins(upstream) ? upstream : null;
    const all = shared.rewrite;
    this.rewrite = skipped.length === 0 ? all : all.filter((step) => !skipped.includes(step));
    const candidates = shared.selection.candidates(route);
    this.webSocket = isForSockets(route) ? socketPlan(row, candidates) : null;
    const pending = withAccess(row, this.webSocket).filter((step) => !ran.includes(step));
    this.access = this.#list(route ? [...ran, ...ordered(pending, 'access')] : []);
    // The phases of frames take the place of those of an answer.
    const answer = this.webSocket ? [] : row;
    this.response = this.#list(route ? ordered(withHandler(answer, 'response'), 'response') : []);
    this.headerFilter = this.#list(ordered(withHandler(answer, 'headerFilter'), 'header_filter'));
    this.bodyFilter = this.#list(ordered(withHandler(answer, 'bodyFilter'), 'body_filter'));
    this.log = this.#list(ordered(withLog(row), 'log'));
    this.possibleLog = this.#list(withLog(candidates));
    this.conditional = this.#list(candidates.filter(({ condition }) => condition !== null));
    this.phases = phasesOf(route, candidates, this.webSocket) | (this.hashing ? Phase.ACCESS : 0);
    this.mayBegin =
      this.rewrite.length === 0 &&
      this.conditional.length === 0 &&
      this.webSocket === null &&
      this.hashing === null &&
      candidates.every(({ entity }) => !entity.consumer && !entity.consumer_group);
    this.mayCompile = this.mayBegin && this.response.length + this.bodyFilter.length === 0;
    Object.freeze(this);
  }

  forClient(by: PlanStep, consumer: Consumer | null, groups: readonly ConsumerGroup[]): Plan {
    const { selection } = this.#shared;
    const client = selection.narrowed(consumer, groups);
    const ids = [client.consumer?.id, ...client.groups.map((group) => group.id)];
    const key = `${by.entity.id} ${ids.join(' ')}`;
    const known = this.#clients.get(key);
    if (known) return known;
    const made = this.#planFor(by, client);
    // Rather made again than kept for every consumer there is.
    if (this.#clients.size >= limits.clientPlans.value) this.#clients.clear();
    this.#clients.set(key, made);
    return made;
  }

  #planFor(by: PlanStep, client: ReturnType<StepSelection['narrowed']>): Plan {
    const { route, service } = this;
    const { order } = this.#shared.selection;
    const kept = order.indexOf(by.plugin) + 1;
    const ran = this.access.slice(0, this.access.indexOf(by) + 1);
    const row = [...this.#shared.selection.row({ route, service, ...client }, this.#row, kept)];
    // With an ordering of its own a plugin of a lower priority may have run already.
    for (const step of ran) row[order.indexOf(step.plugin)] = step;
    if (row.every((step, place) => step === this.#row[place])) return this;
    return new RoutePlan(this.#shared, route, row, ran, this.#skipped);
  }

  without(steps: readonly PlanStep[]): Plan {
    if (steps.length === 0) return this;
    const key = `without ${steps.map(({ entity }) => entity.id).join()}`;
    const known = this.#clients.get(key);
    if (known) return known;
    const made = new RoutePlan(this.#shared, this.route, this.#row, [], steps);
    if (this.#clients.size >= limits.clientPlans.value) this.#clients.clear();
    this.#clients.set(key, made);
    return made;
  }

  #list(steps: readonly PlanStep[]): readonly PlanStep[] {
    const key = steps.map((step) => step.entity.id).join();
    const known = this.#shared.lists.get(key);
    if (known) return known;
    this.#shared.lists.set(key, steps);
    return steps;
  }
}

function phasesOf(
  route: Route | null,
  steps: readonly PlanStep[],
  socket: SocketPlan | null,
): number {
  const has = (name: StepHandler) => steps.some(({ plugin }) => plugin[name]);
  const answers = has('headerFilter') || has('bodyFilter') || has('response');
  const access = route !== null && has('access');
  let phases = has('rewrite') ? Phase.REWRITE : 0;
  // Access runs for the phases of the answer, too: they may look at the request, gone by then.
  if (access || (route && answers)) phases |= Phase.ACCESS;
  // What does not hold is left out before any phase, that of the log included.
  if (steps.some(({ condition }) => condition)) phases |= route ? Phase.ACCESS : Phase.REWRITE;
  // Header edits made before are applied when the answer's head is there.
  if (access || answers || has('rewrite')) phases |= Phase.HEADER_FILTER;
  // What is no handshake is refused, also where there is no plugin.
  if (socket) phases |= Phase.ACCESS;
  if (socket?.decodes) phases |= Phase.HEADER_FILTER;
  return phases;
}

function isForSockets(route: Route | null): boolean {
  const protocols = [route?.service?.protocol, ...(route?.protocols ?? [])];
  return protocols.some((name) => name === 'ws' || name === 'wss');
}

function socketPlan(row: Row, candidates: readonly PlanStep[]): SocketPlan {
  const list = (steps: Row, name: SocketHandler) =>
    ordered(withHandler(steps, name), handlerPhases[name]);
  return Object.freeze({
    clientFrame: list(row, 'wsClientFrame'),
    upstreamFrame: list(row, 'wsUpstreamFrame'),
    close: list(row, 'wsClose'),
    decodes: candidates.some(
      ({ plugin }) => plugin.wsClientFrame || plugin.wsUpstreamFrame || plugin.wsClose,
    ),
  });
}

const without = (row: Row, skipped: readonly PlanStep[]): Row =>
  row.map((step) => (step && skipped.includes(step) ? null : step));

type SocketHandler = 'wsClientFrame' | 'wsUpstreamFrame' | 'wsClose';
type StepHandler =
  | 'rewrite'
  | 'access'
  | 'response'
  | 'headerFilter'
  | 'bodyFilter'
  | SocketHandler;

/** A plugin that knows nothing of WebSockets guards their handshakes as it does requests. */
const withAccess = (row: Row, socket: SocketPlan | null): PlanStep[] =>
  socket
    ? row.filter((step): step is PlanStep =>
        Boolean(step?.plugin.wsHandshake ?? step?.plugin.access),
      )
    : withHandler(row, 'access');

const withHandler = (row: Row, name: StepHandler): PlanStep[] =>
  row.filter((step): step is PlanStep => step?.plugin[name] !== undefined);

const withLog = (row: Row): PlanStep[] =>
  row.filter((step): step is PlanStep => Boolean(step?.plugin.log ?? step?.plugin.logSink));

function stepLogger(logger: Logger, entity: PluginEntity): Logger {
  return logger.child({ plugin: entity.name, plugin_id: entity.id });
}
