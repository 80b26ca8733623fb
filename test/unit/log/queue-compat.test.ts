/** Kong's queue cases on virtual time. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { OncePerInterval, queueIdentity, queueParameters } from '../../../src/log/params.js';
import { expectLogs, type QueueCase, runQueueCase } from '../../support/queue-case.js';

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
describe('queues behave like those of Kong', () => {
  const cases = scenarios.filter((one): one is QueueCase => one.kind === 'queue');
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const { calls, logs, probes, results } = await runQueueCase(one);
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
