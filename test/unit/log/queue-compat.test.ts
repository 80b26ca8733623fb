/** Kong's queue cases on virtual time. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  OncePerInterval,
  type QueueParameters,
  queueDefaults,
  queueIdentity,
  queueParameters,
} from '../../../src/log/params.js';
import { QueueManager } from '../../../src/log/queue-manager.js';
import { VirtualClock } from '../../support/virtual-clock.js';

interface Call {
  at: number;
  entries: string[];
  outcome: string;
  conf?: string;
}

interface LogLine {
  at: number;
  level: string;
  contains: string;
}

interface Step {
  at: number;
  enqueue?: (string | null)[];
  config?: Partial<QueueParameters>;
  conf?: string;
  queue?: string;
  shutdown?: boolean;
  probe?: string;
}

interface QueueCase {
  name: string;
  kind: 'queue';
  config: Partial<QueueParameters>;
  handler: {
    latency?: number;
    outcomes?: string[];
    by_entry?: Record<string, string>;
    default?: string;
  };
  steps: Step[];
  expect: {
    calls: Call[];
    logs: LogLine[];
    probes?: object[];
    enqueue_results?: (true | string)[];
    dropped_oldest?: string[];
    lost_after_retries?: string[];
  };
}

interface ParamsCase {
  name: string;
  kind: 'params';
  plugin: string;
  plugin_config: Record<string, unknown>;
  queue_name?: string;
  calls_at?: number[];
  expect: { params: Record<string, unknown>; warnings_contain: string[] };
}

const { scenarios } = JSON.parse(
  readFileSync(new URL('../../compat/queue.json', import.meta.url), 'utf8'),
) as { scenarios: (QueueCase | ParamsCase | { kind: 'http-log'; name: string })[] };
const levels = { info: 'info', warn: 'warn', error: 'err' };
const seconds = (ms: number) => Math.round(ms * 1000) / 1e6;

/** Runs one case and returns what its expectation describes. */
async function run(one: QueueCase) {
  const clock = new VirtualClock();
  const calls: Call[] = [];
  const logs: LogLine[] = [];
  const probes: object[] = [];
  const results: (true | string)[] = [];
  const manager = new QueueManager({
    clock,
    log: (level, contains) =>
      logs.push({ at: seconds(clock.now()), level: levels[level], contains }),
  });
  const handlerFor = (conf: string | undefined) => async (batch: readonly string[]) => {
    const { outcomes = [], by_entry = {}, default: otherwise = 'ok', latency = 0 } = one.handler;
    const outcome = outcomes[calls.length] ?? by_entry[batch[0]] ?? otherwise;
    calls.push({ at: seconds(clock.now()), entries: [...batch], outcome, ...(conf && { conf }) });
    if (latency > 0) await new Promise<void>((done) => clock.setTimeout(done, latency * 1000));
    if (outcome === 'ok') return true;
    if (outcome.startsWith('throw:')) throw new Error(outcome.slice(6));
    if (outcome.startsWith('fail:')) return outcome.slice(5);
    return outcome === 'truthy' ? 1 : false;
  };
  for (const step of one.steps) {
    await clock.moveTo(step.at * 1000);
    const name = step.queue ?? 'q';
    const parameters = { ...queueDefaults, ...one.config, ...step.config };
    for (const entry of step.enqueue ?? []) {
      const handler = handlerFor(step.conf);
      results.push(manager.enqueue({ name, parameters, handler, entry: entry as string }) ?? true);
    }
    if (step.shutdown) manager.shutdown();
    if (step.probe !== undefined) {
      probes.push({
        at: step.at,
        exists: manager.exists(name),
        is_full: manager.isFull(name),
        can_enqueue: manager.canEnqueue(name, step.probe),
      });
    }
  }
  await clock.runOut(10_000_000);
  return { calls, logs, probes, results };
}

function expectLogs(logs: LogLine[], expected: LogLine[]): void {
  expect(logs.map(({ at, level }) => ({ at, level }))).toEqual(
    expected.map(({ at, level }) => ({ at, level })),
  );
  logs.forEach((line, i) => {
    expect(line.contains).toContain(expected[i].contains);
  });
}

describe('queues behave like those of Kong', () => {
  const cases = scenarios.filter((one): one is QueueCase => one.kind === 'queue');
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const { calls, logs, probes, results } = await run(one);
    expect(calls).toEqual(one.expect.calls);
    expectLogs(logs, one.expect.logs);
    if (one.expect.probes) expect(probes).toEqual(one.expect.probes);
    if (one.expect.enqueue_results) expect(results).toEqual(one.expect.enqueue_results);
  });
});

describe('queue parameters are read as Kong reads them', () => {
  const cases = scenarios.filter((one): one is ParamsCase => one.kind === 'params');
  test.each(cases.map((one) => [one.name, one] as const))('%s', (_name, one) => {
    const { plugin_instance_name: instance = null, ...config } = one.plugin_config;
    const plugin = {
      name: one.plugin,
      id: 'plugin-id',
      instance_name: instance as string | null,
      config,
    };
    const once = new OncePerInterval();
    const warnings: string[] = [];
    let params: Record<string, unknown> = {};
    for (const at of one.calls_at ?? [0]) {
      const { name, tag } = queueIdentity(plugin, one.queue_name);
      const parameters = queueParameters(config, (message) => {
        if (once.pass(`${name} ${message}`, at * 1000)) warnings.push(message);
      });
      params = { ...parameters, name, log_tag: tag };
    }
    expect(params).toMatchObject(one.expect.params);
    expect(warnings).toHaveLength(one.expect.warnings_contain.length);
    warnings.forEach((warning, i) => {
      expect(warning).toContain(one.expect.warnings_contain[i]);
    });
  });
});
