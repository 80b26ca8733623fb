/**
 * From a snapshot to a route table: the last step before a configuration is in use, the same for
 * workers, which then swap the table in, and for `headgate check`, which does not.
 */
import type { Route, Service, Snapshot } from './config/model.js';
import type { Settings } from './config/settings.js';
import { type EncodedTable, tableSteps } from './core/router.js';
import { GatewayError } from './errors.js';
import type { Logger } from './observe/logger.js';
import { type MetricSeries, unmatchedSlot } from './observe/metrics.js';
import type { AnyPlugin } from './plugin/define.js';
import { checkRings, ringsOf } from './plugin/log-rings.js';
import type { PluginHost } from './plugin/pdk/host.js';
import { type Plan, type PlanTable, planSteps } from './plugin/plan.js';
import { PolicyCompiler } from './plugin/policy/compile.js';
import { itemsPerStep, type Steps } from './slices.js';
import type { TlsMaterial } from './tls/settings.js';
import { upstreamTls } from './tls/snapshot-tls.js';
import type { UpstreamTls } from './tls/upstream.js';
import { unspokenProblems } from './upstream/security.js';

export interface CompileContext {
  readonly settings: Settings;
  readonly plugins: ReadonlyMap<string, AnyPlugin>;
  readonly logger: Logger;
  readonly host?: PluginHost;
  readonly tls: TlsMaterial;
  readonly series: MetricSeries;
  /** Phase bits of a route beside those of its plugins; default none. */
  readonly phasesOf?: (route: Route) => number;
  /**
   * Takes what the table refers to: upstream targets, and log queues, whose numbers are added to
   * the rings of the steps. Returns where a service is.
   * @throws GatewayError where that cannot be had
   */
  readonly hold: (table: PlanTable, security: Securities) => (service: Service) => ServicePlace;
}

/** One address, or an upstream. */
export interface ServicePlace {
  /** Index of the interned target. */
  readonly target: number;
  /** Number of the view of an upstream, null: there is none. */
  readonly view: number | null;
}

/** TLS by service; those that are spoken to in the clear are left out. */
export type Securities = ReadonlyMap<Service, UpstreamTls>;

export interface CompiledTable {
  readonly table: PlanTable;
  readonly encoded: EncodedTable;
}

/**
 * Compiles a snapshot in steps.
 * @throws GatewayError GW_E_CONFIG_INVALID or GW_E_CONFIG_LIMIT, one line for each problem
 */
export function* compileTable(snapshot: Snapshot, context: CompileContext): Steps<CompiledTable> {
  const { settings, plugins, logger, host, series, phasesOf = () => 0 } = context;
  const table = yield* planSteps(snapshot, plugins, logger, host);
  const problems = new Problems();
  const security = yield* securities(table, snapshot, context.tls, problems);
  for (const line of unspokenProblems(table.services, table.routes)) problems.add(line);
  const placeOf = problems.guard(() => context.hold(table, security)) ?? (() => nowhere);
  problems.guard(() => checkRings([...table.plans, table.unmatched]));
  const planOf = (plan: Plan, index: number) => ({ ringIds: ringsOf(plan), plan: index });
  const policies = new PolicyCompiler(settings.compiledPlugins ? table.keys : null);
  const numbers: number[] = [];
  for (const [index, route] of table.routes.entries()) {
    if (index % itemsPerStep === 0) yield;
    // Filters beside the plugins are the shell's.
    numbers.push(phasesOf(route) === 0 ? policies.numberOf(table.plans[index]) : 0);
  }
  try {
    const encoded = yield* tableSteps({
      flavor: settings.routerFlavor,
      routes: table.routes,
      services: table.services,
      perRoute: (route, index) => ({
        ...planOf(table.plans[index], index),
        phases: table.plans[index].phases | phasesOf(route),
        metricSlot: series.slotOf(route),
        policy: numbers[index],
      }),
      unmatched: {
        ...planOf(table.unmatched, table.routes.length),
        phases: table.unmatched.phases,
        metricSlot: unmatchedSlot,
      },
      targetIndex: (service) => placeOf(service).target,
      viewIndex: (service) => placeOf(service).view,
      policies: policies.finish(),
    });
    if ('problems' in encoded) {
      for (const { route, field, message } of encoded.problems) {
        const { name, id } = table.routes[route];
        problems.add(`route ${name ?? id}: ${field}: ${message}`);
      }
    } else if (problems.none) return { table, encoded };
  } catch (error) {
    problems.take(error);
  }
  throw problems.error();
}

const nowhere: ServicePlace = { target: 0, view: null };

function* securities(
  { services }: PlanTable,
  snapshot: Snapshot,
  material: TlsMaterial,
  problems: Problems,
): Steps<Securities> {
  const found = new Map<Service, UpstreamTls>();
  /** Services with the same certificates: one of them is tried. */
  const tried = new Map<string, string | null>();
  for (const service of services) {
    const security = upstreamTls(service, snapshot, material);
    if (!security) continue;
    yield;
    found.set(service, security);
    const known = tried.get(security.materialKey);
    const fault = known === undefined ? security.fault() : known;
    tried.set(security.materialKey, fault);
    if (fault !== null) problems.add(`service ${service.name ?? service.id}: ${fault}`);
  }
  return found;
}

/** What keeps a snapshot from being used, a line each. */
class Problems {
  readonly #lines: string[] = [];
  #isInvalid = false;

  get none(): boolean {
    return this.#lines.length === 0;
  }

  add(line: string): void {
    this.#lines.push(line);
    this.#isInvalid = true;
  }

  /** Notes an error that the user can mend; throws any other. */
  take(error: unknown): void {
    if (!(error instanceof GatewayError) || error.side !== 'config') throw error;
    // The limit of rings is checked for clients first, and again for each record.
    if (!this.#lines.includes(error.message)) this.#lines.push(error.message);
    if (error.code !== 'GW_E_CONFIG_LIMIT') this.#isInvalid = true;
  }

  guard<T>(make: () => T): T | undefined {
    try {
      return make();
    } catch (error) {
      this.take(error);
      return undefined;
    }
  }

  error(): GatewayError {
    const code = this.#isInvalid ? 'GW_E_CONFIG_INVALID' : 'GW_E_CONFIG_LIMIT';
    return new GatewayError(code, this.#lines.join('\n'));
  }
}
