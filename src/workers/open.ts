/** Decides how many workers a node has and where they run. */
import { randomUUID } from 'node:crypto';
import type { Settings } from '../config/settings.js';
import { chooseDriver, type DriverChoice, givenDriver } from '../driver/choose.js';
import type { MakeDriver } from '../driver/contract.js';
import type { ForeignFunction } from '../filter/services.js';
import { makeLedgerMemory } from '../filter/shared/hang-ledger.js';
import { makeSharedMemory } from '../filter/shared/shared-memory.js';
import type { Logger } from '../observe/logger.js';
import { MetricSeries } from '../observe/metrics.js';
import type { AnyPlugin } from '../plugin/define.js';
import type { PluginRegistry } from '../plugin/registry.js';
import type { Clock } from '../time.js';
import { makeCounterMemory } from './counters.js';
import type { MakeWorker } from './handle.js';
import { LocalWorker } from './local.js';
import { joinThreads } from './node-channel.js';
import { WorkerPool } from './pool.js';
import { RemoteWorker } from './remote.js';

export interface OpenPoolOptions {
  readonly settings: Settings;
  readonly plugins: PluginRegistry;
  /** Plugins given as objects: they live in this thread only. */
  readonly given: readonly AnyPlugin[];
  /** Functions for filters, which live in this thread, too. */
  readonly filterFunctions: ReadonlyMap<string, ForeignFunction>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Instead of the driver that the settings choose; one worker runs then. */
  readonly makeDriver?: MakeDriver | null;
  readonly onLost: (error: Error) => void;
}

/**
 * One worker runs in this thread, several run in threads of their own.
 * @throws GatewayError GW_E_DRIVER, and what making a worker throws; none is left running
 */
export async function openPool(options: OpenPoolOptions): Promise<WorkerPool> {
  const { settings, plugins, filterFunctions, logger, clock, env, onLost } = options;
  const series = new MetricSeries();
  const { makeDriver = null } = options;
  const choice = makeDriver ? givenDriver(makeDriver, 'sim') : chooseDriver(settings);
  const count = makeDriver ? 1 : workerCount(options, choice);
  const driver = await choice.describe();
  const local: MakeWorker = (_index, onFault) =>
    LocalWorker.create({
      settings,
      plugins,
      filterFunctions,
      logger,
      clock,
      env,
      series,
      onFault,
      makeDriver: choice.create,
    });
  const counters = makeCounterMemory();
  const filterMemory = {
    memory: makeSharedMemory(),
    running: makeLedgerMemory(),
    channel: `headgate filters ${randomUUID()}`,
  };
  const remote: MakeWorker = (index, onFault) => {
    const child = logger.child({ worker: index });
    return RemoteWorker.create({
      index,
      settings,
      logger: child,
      clock,
      series,
      counters,
      filterMemory,
      onFault,
    });
  };
  const make = count === 1 ? local : remote;
  if (count > 1) joinThreads();
  const hangMs = settings.workerHangTimeoutMs;
  const pool = new WorkerPool({ count, make, driver, series, logger, clock, hangMs, onLost });
  try {
    await pool.start();
  } catch (error) {
    await pool.close();
    throw error;
  }
  return pool;
}

/** What was asked for, or one where several cannot share an address or the plugins. */
function workerCount(options: OpenPoolOptions, driver: DriverChoice): number {
  const { settings, given, filterFunctions, logger } = options;
  const { workers } = settings;
  if (workers === 1) return 1;
  let reason = '';
  if (given.length > 0) {
    reason = 'plugins given as objects live in one thread; name their modules in `plugins`';
  } else if (filterFunctions.size > 0) {
    reason = 'functions for filters live in one thread';
  } else if (driver.name !== 'native') {
    reason = `only the native driver shares an address between threads (${driver.reason})`;
  }
  if (reason === '') return workers;
  logger.warn({ asked: workers, reason }, 'one worker runs');
  return 1;
}
