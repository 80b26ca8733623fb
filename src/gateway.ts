/**
 * The life of a node: start, swap configurations, drain, close. It owns the worker, the admin
 * listeners and the configuration in use; requests never pass through here.
 */
import { readFile } from 'node:fs/promises';
import { type AdminServer, openAdmin } from './admin/server.js';
import { kongError } from './config/index.js';
import type { Snapshot } from './config/model.js';
import { problemsOf } from './config/problems.js';
import { resolveSettings, type Settings } from './config/settings.js';
import {
  type ConfigText,
  emptyConfig,
  givenConfig,
  parseSteps,
  type ReadyConfig,
  readConfigFile,
} from './config-source.js';
import type { BoundListener, MakeDriver } from './driver/contract.js';
import { GatewayError } from './errors.js';
import { type FilterRegistry, loadFilters } from './filter/registry.js';
import type { Gateway, GatewayAddress, GatewayOptions, Loaded } from './gateway-options.js';
import { nodeSource } from './node-source.js';
import { createLogger, type Logger, type NodeLogger } from './observe/logger.js';
import { closePlugins, loadPlugins, type PluginRegistry } from './plugin/registry.js';
import { runInSlices } from './slices.js';
import { type Clock, systemClock } from './time.js';
import { withCertificate } from './tls/node-certificate.js';
import { ServerContexts } from './tls/server-contexts.js';
import { adminTls, readTlsMaterial } from './tls/settings.js';
import { openPool } from './workers/open.js';
import type { WorkerPool } from './workers/pool.js';

/** Makes a gateway; nothing happens before `start()`. */
export function createGateway(options: GatewayOptions = {}): Gateway {
  return new GatewayNode(options);
}

/** The same over a driver of the caller's, in one worker; null: the one that settings choose. */
export function createGatewayOn(makeDriver: MakeDriver | null, options: GatewayOptions): Gateway {
  return new GatewayNode(options, makeDriver);
}

/** What `start` resolves once. */
interface Node {
  readonly settings: Settings;
  readonly plugins: PluginRegistry;
  readonly logger: Logger;
  filters: FilterRegistry;
  readonly pool: WorkerPool;
}

class GatewayNode implements Gateway {
  readonly #options: GatewayOptions;
  readonly #clock: Clock;
  readonly #makeDriver: MakeDriver | null;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #reloads = { succeeded: 0, failed: 0 };
  #state: Gateway['state'] = 'new';
  #node: Node | null = null;
  #config: ReadyConfig = emptyConfig;
  #listeners: BoundListener[] = [];
  #admins: AdminServer[] = [];
  /** The last of the reloads, which run one after the other. */
  #reloading: Promise<unknown> = Promise.resolve();
  #draining: Promise<number> | null = null;
  #cutShort = false;
  /** Somebody asked for readiness to fail, ahead of a drain. */
  #leaving = false;
  #closing: Promise<void> | null = null;
  #reportClosed: (failure: Error | null) => void = () => {};
  readonly closed: Promise<Error | null> = new Promise((resolve) => {
    this.#reportClosed = resolve;
  });

  constructor(options: GatewayOptions, makeDriver: MakeDriver | null = null) {
    this.#options = options;
    this.#makeDriver = makeDriver;
    this.#clock = options.clock ?? systemClock;
    this.#env = options.env ?? process.env;
  }

  get state(): Gateway['state'] {
    return this.#state;
  }

  get snapshot(): Snapshot {
    return this.#config.snapshot;
  }

  get addresses(): readonly GatewayAddress[] {
    const proxies = this.#listeners.map(({ address, port, spec }): GatewayAddress => {
      return { address, port, kind: 'proxy', ssl: spec.ssl };
    });
    const admins = this.#admins.map(({ address, port, ssl }): GatewayAddress => {
      return { address, port, kind: 'admin', ssl };
    });
    return [...proxies, ...admins];
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') {
      throw new GatewayError('GW_E_STATE', `start: the gateway is ${this.#state}`);
    }
    this.#state = 'starting';
    try {
      await this.#startAll();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  reload(config?: string | object): Promise<Loaded> {
    return this.#load(() => (config === undefined ? this.#source() : givenConfig(config)));
  }

  drain(): Promise<number> {
    this.#draining ??= this.#drainAll();
    return this.#draining;
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll(null);
    return this.#closing;
  }

  async reopenLogs(): Promise<void> {
    const { logger, pool } = this.#running();
    (logger as Partial<NodeLogger>).reopen?.();
    await pool.reopenLogs();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #startAll(): Promise<void> {
    const options = this.#options;
    const { confFile } = options;
    const given = resolveSettings({
      confText: confFile === undefined ? undefined : await readConf(confFile),
      confFile,
      env: this.#env,
      options: options.settings,
    });
    const settings = withCertificate(given, this.#clock.wall());
    const logger = options.logger ?? createLogger({ level: settings.logLevel });
    if (settings.ignored.length > 0) {
      logger.warn({ settings: settings.ignored }, 'settings without effect here');
    }
    const plugins = await loadPlugins({
      names: settings.plugins,
      given: options.plugins,
      untrustedJs: settings.untrustedJs,
    });
    const filters = await this.#loadFilters(settings, plugins);
    const context = { plugins, filters, settings, env: this.#env, nowMs: this.#clock.wall() };
    const source = await this.#source(settings);
    const config = source ? await runInSlices(parseSteps(source, context)) : emptyConfig;
    const pool = await openPool({
      settings,
      plugins,
      given: options.plugins ?? [],
      filterFunctions: new Map(Object.entries(options.filterFunctions ?? {})),
      logger,
      clock: this.#clock,
      env: this.#env,
      makeDriver: this.#makeDriver,
      onLost: (failure) => {
        this.#closing ??= this.#closeAll(failure);
      },
    });
    this.#node = { settings, plugins, logger, pool, filters };
    await pool.install(config.snapshot, filters);
    warnOf(config, logger);
    this.#config = config;
    for (const spec of settings.proxyListen) this.#listeners.push(await pool.listen(spec));
    const admin = {
      source: this.#adminSource(this.#node),
      contexts: new ServerContexts(
        await readTlsMaterial(adminTls(settings.tls), this.#clock.wall()),
      ),
      bodyBytesMax: settings.adminMaxBodyBytes,
      onError: (err: unknown) => logger.error({ err }, 'an Admin API request failed'),
    };
    for (const spec of settings.adminListen) this.#admins.push(await openAdmin(spec, admin));
    this.#state = 'running';
    const { hash } = config.snapshot;
    const { name: driver, ...how } = pool.driver;
    const { addresses } = this;
    logger.info({ addresses, hash, driver, ...how, workers: pool.size }, 'gateway started');
  }

  /** The configuration as the options and settings name it; null: none is named. */
  async #source(settings = this.#running().settings): Promise<ConfigText | null> {
    const { config, configFile } = this.#options;
    if (config !== undefined) return givenConfig(config);
    const file = configFile ?? settings.declarativeConfig;
    if (file !== null && file !== undefined) return readConfigFile(file);
    const text = settings.declarativeConfigString;
    return text === null ? null : givenConfig(text);
  }

  /** Loads and installs what `read` gives, after every load that was asked for before. */
  #load(read: () => Promise<ConfigText | null>): Promise<Loaded> {
    const load = this.#reloading.then(async () => {
      const node = this.#running();
      try {
        const source = await read();
        const filters = await this.#loadFilters(node.settings, node.plugins);
        const context = { ...node, filters, env: this.#env, nowMs: this.#clock.wall() };
        const config = source ? await runInSlices(parseSteps(source, context)) : emptyConfig;
        const generation = await node.pool.install(config.snapshot, filters);
        node.filters = filters;
        warnOf(config, node.logger);
        this.#config = config;
        this.#reloads.succeeded++;
        node.logger.info({ hash: config.snapshot.hash, generation }, 'configuration loaded');
        return { snapshot: config.snapshot, generation };
      } catch (error) {
        this.#reloads.failed++;
        // Not the error itself: its details hold the document, and with it secrets.
        const { code, message } = error as GatewayError;
        node.logger.error({ code, reason: message }, 'configuration refused; the one in use stays');
        throw error;
      }
    });
    this.#reloading = load.catch(() => {});
    return load;
  }

  #loadFilters({ filtersPath }: Settings, plugins: PluginRegistry): Promise<FilterRegistry> {
    const known = this.#node?.filters;
    return loadFilters({ folder: filtersPath, given: this.#options.filters, plugins, known });
  }

  async #drainAll(): Promise<number> {
    const { pool, settings, logger } = this.#running();
    this.#state = 'draining';
    logger.info({ timeout_ms: settings.drainTimeoutMs }, 'draining');
    // What is in the accept queue already is still taken.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    await pool.stopListening();
    const left = await pool.drain(settings.drainTimeoutMs);
    if (left > 0 && !this.#cutShort) logger.warn({ exchanges: left }, 'drain_timeout is over');
    await this.close();
    logger.info({}, 'gateway stopped');
    return left;
  }

  async #closeAll(failure: Error | null): Promise<void> {
    this.#cutShort = true;
    this.#state = 'closed';
    const admins = this.#admins;
    this.#admins = [];
    await Promise.all(admins.map((admin) => admin.close()));
    await this.#node?.pool.close();
    this.#listeners = [];
    if (this.#node) await closePlugins(this.#node.plugins);
    this.#reportClosed(failure);
  }

  #adminSource(node: Node) {
    return nodeSource({
      node,
      config: () => this.#config,
      reloads: this.#reloads,
      notReady: () => this.#notReady(),
      failReadiness: () => {
        this.#leaving = true;
      },
      apply: async (text, format) => {
        try {
          const { snapshot } = await this.#load(async () => ({ text, format, interpolate: false }));
          return { ok: true, snapshot };
        } catch (error) {
          const problems = problemsOf(error);
          if (problems) return { ok: false, error: (flatten) => kongError(problems, { flatten }) };
          throw error;
        }
      },
    });
  }

  #notReady(): string | null {
    if (this.#state !== 'running') return this.#state;
    if (this.#leaving) return 'draining';
    const isEmpty = this.#config === emptyConfig;
    return isEmpty ? 'no configuration available (empty configuration present)' : null;
  }

  #running(): Node {
    const node = this.#node;
    if (node && this.#state !== 'closed') return node;
    throw new GatewayError('GW_E_STATE', `the gateway is ${this.#state}`);
  }
}

async function readConf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new GatewayError('GW_E_CONFIG_READ', `${file}: cannot be read (${reason})`, { cause });
  }
}

function warnOf({ warnings }: ReadyConfig, logger: Logger): void {
  for (const warning of warnings) logger.warn({}, warning);
}
