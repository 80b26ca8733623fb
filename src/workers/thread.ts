/**
 * The thread of one worker: plugins of its own, a core, a driver. It does what the main thread
 * asks and publishes its counters.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { receivedFilters } from '../filter/transfer.js';
import type { Logger } from '../observe/logger.js';
import { MetricSeries } from '../observe/metrics.js';
import { closePlugins, loadPlugins } from '../plugin/registry.js';
import { systemClock } from '../time.js';
import { GatewayWorker } from '../worker.js';
import { adoptCounters } from './counters.js';
import {
  type Call,
  type CallName,
  type LogLevelName,
  sendable,
  sendableFields,
  type ThreadCalls,
  type ThreadMessage,
  type ThreadStart,
} from './messages.js';
import { joinThreads } from './node-channel.js';
import { publish, publishedStats } from './stats.js';

/** How often counters are published while nobody asks, so that those of a crash are not lost. */
const publishMs = 250;
/** How often the loop shows that it turns. */
const beatMs = 50;

const { index, settings, from, stats, heartbeat, counters, filterMemory } =
  workerData as ThreadStart;
const published = publishedStats(stats);
const beat = new Int32Array(heartbeat);
const series = new MetricSeries();

const send = (message: ThreadMessage): void => parentPort?.postMessage(message);

/** Lines go to the main thread's logger: one writer, one order. */
class PortLogger implements Logger {
  readonly #bindings: Record<string, unknown>;

  constructor(bindings: Record<string, unknown>) {
    this.#bindings = bindings;
  }

  debug = (fields: object, message?: string) => this.#write('debug', fields, message);
  info = (fields: object, message?: string) => this.#write('info', fields, message);
  warn = (fields: object, message?: string) => this.#write('warn', fields, message);
  error = (fields: object, message?: string) => this.#write('error', fields, message);
  fatal = (fields: object, message?: string) => this.#write('fatal', fields, message);

  child(bindings: Record<string, unknown>): Logger {
    return new PortLogger({ ...this.#bindings, ...bindings });
  }

  #write(level: LogLevelName, fields: object, message: string | undefined): void {
    if (levels.indexOf(level) < levels.indexOf(settings.logLevel as LogLevelName)) return;
    send({ type: 'log', level, fields: sendableFields({ ...this.#bindings, ...fields }), message });
  }
}

const levels: readonly LogLevelName[] = ['debug', 'info', 'warn', 'error', 'fatal'];

type Calls = {
  readonly [Name in CallName]: (
    argument: ThreadCalls[Name][0],
  ) => ThreadCalls[Name][1] | Promise<ThreadCalls[Name][1]>;
};

async function open(): Promise<Calls> {
  adoptCounters(counters);
  joinThreads();
  const plugins = await loadPlugins({
    names: settings.plugins,
    from,
    untrustedJs: settings.untrustedJs,
  });
  const worker = await GatewayWorker.create({
    index,
    filterMemory,
    settings,
    plugins,
    logger: new PortLogger({}),
    clock: systemClock,
    env: process.env,
    series,
    onFault: (error) => send({ type: 'fault', error: sendable(error) }),
  });
  setInterval(() => Atomics.add(beat, 0, 1), beatMs);
  setInterval(() => publish(worker.stats, published, series.count), publishMs);
  return {
    listen: (spec) => worker.listen(spec),
    install: async ({ snapshot, series: known, filters }) => {
      series.adopt(known);
      await worker.install(snapshot, receivedFilters(filters));
    },
    stopListening: () => worker.stopListening(),
    drain: (timeoutMs) => worker.drain(timeoutMs),
    close: async () => {
      await worker.close();
      await closePlugins(plugins);
      publish(worker.stats, published, series.count);
    },
    reopenLogs: () => worker.reopenLogs(),
    setHealth: (change) => worker.setHealth(change),
    report: () => {
      publish(worker.stats, published, series.count);
      return worker.report();
    },
  };
}

const calls = await open();

parentPort?.on('message', async ({ id, name, argument }: Call) => {
  try {
    const value = await (calls[name] as (argument: unknown) => unknown)(argument);
    send({ type: 'result', id, value });
  } catch (error) {
    send({ type: 'failure', id, error: sendable(error) });
  }
});
send({ type: 'ready' });
