/**
 * The handlers that no request runs: `initWorker` once, `configure` after every change. A plugin
 * that fails in them is named in the log and stops nothing else.
 */
import { EntityLookup } from '../config/lookup.js';
import { emptySnapshot } from '../config/snapshot.js';
import { GatewayError } from '../errors.js';
import type { Logger } from '../observe/logger.js';
import type { PrepareHandshake } from '../tls/handshake.js';
import { certificatePhase } from './certificate-phase.js';
import type { NodeContext } from './context-types.js';
import type { AnyPlugin, PhaseName } from './define.js';
import { cacheOf } from './pdk/cache.js';
import { StepEntities } from './pdk/entities.js';
import { isTrusted, node, type PluginHost } from './pdk/host.js';
import { StepLog } from './pdk/log.js';
import { StepVault } from './pdk/vault.js';
import type { PlanTable } from './plan.js';

export class PluginLifecycle {
  readonly #plugins: readonly AnyPlugin[];
  readonly #logger: Logger;
  readonly #host: PluginHost;
  /** Configurations are given one after the other, also where a handler takes its time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(plugins: ReadonlyMap<string, AnyPlugin>, logger: Logger, host: PluginHost) {
    this.#plugins = [...plugins.values()].sort((a, b) => b.priority - a.priority);
    this.#logger = logger;
    this.#host = host;
  }

  /** Resolves when every plugin has begun, or failed to. */
  async start(): Promise<void> {
    const entities = new EntityLookup(emptySnapshot);
    for (const plugin of this.#plugins) {
      if (!plugin.initWorker) continue;
      const ctx = this.#context(plugin, 'init_worker', entities);
      await this.#guard(plugin, 'initWorker', () => plugin.initWorker?.(ctx));
    }
  }

  /** Tells every plugin its configurations; null where it has none. */
  configure({ steps, unmatched }: PlanTable): Promise<void> {
    const told = this.#last.then(async () => {
      for (const plugin of this.#plugins) {
        if (!plugin.configure) continue;
        const own = steps.filter((step) => step.plugin === plugin).map((step) => step.config);
        const ctx = this.#context(plugin, 'configure', unmatched.entities);
        const configs = own.length === 0 ? null : own;
        await this.#guard(plugin, 'configure', () =>
          plugin.configure?.(configs as never[] | null, ctx),
        );
      }
    });
    this.#last = told;
    return told;
  }

  /** What TLS connections wait for under a table; null: nothing. */
  handshakes(table: PlanTable): PrepareHandshake | null {
    const { entities } = table.unmatched;
    return certificatePhase(table, ({ plugin }) => this.#context(plugin, 'certificate', entities));
  }

  async #guard(plugin: AnyPlugin, handler: string, run: () => unknown): Promise<void> {
    try {
      await run();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#logger.error({ err: error }, `plugin ${plugin.name} failed in ${handler}: ${reason}`);
    }
  }

  #context(plugin: AnyPlugin, phase: PhaseName, entities: EntityLookup): NodeContext {
    const log = new StepLog(this.#logger.child({ plugin: plugin.name }), null);
    const context: NodeContext = {
      log,
      node,
      cache: cacheOf(plugin),
      vault: new StepVault(this.#host.env, log),
      entities: new StepEntities(entities),
      ip: { isTrusted: (address) => isTrusted(this.#host.trusted, address) },
    };
    for (const name of outsideNames) {
      const isOwn = name === 'client' && phase === 'certificate';
      if (!isOwn) Object.defineProperty(context, name, { get: () => outside(name, phase) });
    }
    return context;
  }
}

const outsideNames = ['request', 'response', 'service', 'client', 'route', 'router', 'shared'];

function outside(name: string, phase: PhaseName): never {
  throw new GatewayError(
    'GW_E_PLUGIN_PHASE',
    `${name}: cannot be used in ${phase} phase (only in: rewrite, access, response, ` +
      'header_filter, body_filter)',
  );
}
