/** Queues of several workers under one name count as one. */
import type { QueueMetrics } from '../log/queue.js';

/** Sums counters and gauges by name. */
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
    delivered: a.delivered + b.delivered,
    dropped: a.dropped + b.dropped,
    retried: a.retried + b.retried,
    lost: a.lost + b.lost,
  };
}
