/**
 * `headgate check FILE`: every problem of a configuration at once, without starting anything. It
 * goes as far as a start does, up to the route table; only nothing is swapped in or opened.
 */
import { readFileSync } from 'node:fs';
import { type CompileContext, compileTable, type ServicePlace } from '../compile-table.js';
import { resolveSettings } from '../config/index.js';
import { parseSteps, readConfigFile } from '../config-source.js';
import { GatewayError } from '../errors.js';
import { loadFilters } from '../filter/registry.js';
import { limits } from '../limits.js';
import { queueKey, sinksOf } from '../log/step-sinks.js';
import { createLogger } from '../observe/logger.js';
import { MetricSeries } from '../observe/metrics.js';
import type { PlanTable } from '../plugin/plan.js';
import { loadPlugins } from '../plugin/registry.js';
import { runSteps } from '../slices.js';
import { readTlsMaterial } from '../tls/settings.js';
import { type CommonOptions, exitCodes, fail, failWith, givenSettings } from './exit.js';

/** Returns 0 where the file is valid, 1 with its problems where it is not. */
export async function check(file: string | undefined, options: CommonOptions): Promise<number> {
  if (file === undefined) return fail('check needs the name of a file');
  try {
    const settings = resolveSettings({
      confText: options.conf === undefined ? undefined : readFileSync(options.conf, 'utf8'),
      confFile: options.conf,
      env: process.env,
      options: givenSettings(options.set),
    });
    const { plugins: names, untrustedJs } = settings;
    const plugins = await loadPlugins({ names, untrustedJs });
    const filters = await loadFilters({ folder: settings.filtersPath });
    const context = { plugins, filters, settings, env: process.env, nowMs: Date.now() };
    const { snapshot } = runSteps(parseSteps(await readConfigFile(file), context));
    const compile: CompileContext = {
      ...context,
      logger: createLogger({ level: 'silent' }),
      tls: await readTlsMaterial(settings.tls, context.nowMs),
      series: new MetricSeries(),
      hold: holdNothing,
    };
    refuseMore(snapshot.upstreams.length, limits.balancers.value, 'upstreams');
    runSteps(compileTable(snapshot, compile));
    const { services, routes, plugins: configured } = snapshot;
    const counts = [
      `${services.length} services`,
      `${routes.length} routes`,
      `${configured.length} plugins`,
    ].join(', ');
    process.stdout.write(`${file}: valid (${counts})\n`);
    return exitCodes.done;
  } catch (error) {
    return failWith(error);
  }
}

/** Counts targets and queues as a worker would, against the same limits. */
function holdNothing({ steps, services }: PlanTable): () => ServicePlace {
  const rings = new Map<string, number>();
  for (const step of steps) {
    for (const sink of sinksOf(step)) {
      const key = queueKey(step, sink);
      const ring = rings.get(key) ?? rings.size;
      rings.set(key, ring);
      if (!step.rings.includes(ring)) step.rings.push(ring);
    }
  }
  refuseMore(rings.size, limits.rings.value, 'log queues');
  const targets = new Set(
    services.map(({ protocol, host, port }) => `${protocol} ${host} ${port}`),
  );
  refuseMore(targets.size, limits.targets.value, 'upstream targets');
  return () => ({ target: 0, view: null });
}

function refuseMore(count: number, limit: number, what: string): void {
  if (count > limit) throw new GatewayError('GW_E_CONFIG_LIMIT', `more than ${limit} ${what}`);
}
