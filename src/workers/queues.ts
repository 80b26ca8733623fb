/** Queues of several workers under one name count as one. */
import type { QueueMetrics } from '../log/queue-metrics.js';

/** Sums counters and gauges by name; the oldest entry is the oldest of all. */
export function mergeQueues(queues: readonly QueueMetrics[]): QueueMetrics[] {
  const byName = new Map<string, QueueMetrics>();
  for (const queue of queues) {
    const known = byName.get(queue.name);
    byName.set(queue.name, known ? sum(known, queue) : queue);
  }
  return [...byName.values()];
}

function sum(a: QueueMetrics, b: QueueMetrics): QueueMetrics {
  return {
    name: a.name,
    entries: a.entries + b.entries,
    bytes: a.bytes + b.bytes,
    inFlight: a.inFlight + b.inFlight,
    ageSeconds: Math.max(a.ageSeconds, b.ageSeconds),
    journalBytes: a.journalBytes + b.journalBytes,
    spilled: a.spilled + b.spilled,
    delivered: a.delivered + b.delivered,
    dropped: a.dropped + b.dropped,
    retried: a.retried + b.retried,
    lost: a.lost + b.lost,
    kept: a.kept + b.kept,
  };
}
