/** Runs queue cases, as data, over the public API on virtual time. */
import { expect } from 'vitest';
import { inSeconds } from '../../src/log/queue-clock.js';
import { createQueue, type QueueParameters } from '../../src/queue.js';
import { VirtualClock } from './virtual-clock.js';

export interface Call {
  at: number;
  entries: string[];
  outcome: string;
  conf?: string;
}

export interface LogLine {
  at: number;
  level: string;
  contains: string;
}

export interface Step {
  at: number;
  enqueue?: (string | null)[];
  config?: Partial<QueueParameters>;
  conf?: string;
  queue?: string;
  shutdown?: boolean;
  probe?: string;
}

export interface QueueCase {
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

const round = (seconds: number) => Math.round(seconds * 1e6) / 1e6;

/** Runs one case over the public API and returns what its expectation describes. */
export async function runQueueCase(one: QueueCase) {
  const virtual = new VirtualClock();
  const clock = inSeconds(virtual);
  const now = () => round(clock.now());
  const calls: Call[] = [];
  const logs: LogLine[] = [];
  const probes: object[] = [];
  const results: (true | string)[] = [];
  const line = (level: string) => (_fields: object, contains: string) =>
    void logs.push({ at: now(), level, contains });
  const logger = { info: line('info'), warn: line('warn'), error: line('err') };
  const { outcomes = [], by_entry = {}, default: otherwise = 'ok', latency = 0 } = one.handler;
  const handler = async (batch: readonly unknown[], { conf }: { conf?: unknown }) => {
    const entries = batch.map(String);
    const outcome = outcomes[calls.length] ?? by_entry[entries[0]] ?? otherwise;
    calls.push({ at: now(), entries, outcome, ...(conf ? { conf: String(conf) } : {}) });
    if (latency > 0) await new Promise<void>((done) => virtual.setTimeout(done, latency * 1000));
    if (outcome === 'ok') return true;
    if (outcome.startsWith('throw:')) throw new Error(outcome.slice(6));
    if (outcome.startsWith('fail:')) return [false, outcome.slice(5)];
    return outcome === 'truthy' ? 1 : false;
  };
  for (const step of one.steps) {
    await virtual.moveTo(step.at * 1000);
    const { queue: name = 'q', conf, config } = step;
    const queue = createQueue({ name, handler, conf, clock, logger, ...one.config, ...config });
    for (const entry of step.enqueue ?? []) results.push(queue.enqueue(entry));
    if (step.shutdown) queue.shutdown();
    if (step.probe !== undefined) {
      probes.push({
        at: step.at,
        exists: queue.exists(),
        is_full: queue.isFull(),
        can_enqueue: queue.canEnqueue(step.probe),
      });
    }
  }
  await virtual.runOut(10_000_000);
  return { calls, logs, probes, results };
}

export function expectLogs(logs: LogLine[], expected: LogLine[]): void {
  expect(logs.map(({ at, level }) => ({ at, level }))).toEqual(
    expected.map(({ at, level }) => ({ at, level })),
  );
  logs.forEach((line, i) => {
    expect(line.contains).toContain(expected[i].contains);
  });
}
