/**
 * Counters, gauges and histograms that filters define by name. Values are 64-bit integers. A name
 * defined again with the same type is the same metric; with another type it is another metric.
 */
import { limits } from '../limits.js';
import { type MetricKind, MetricType, Status } from './abi.js';

export interface FilterMetric {
  readonly filter: string;
  readonly name: string;
  readonly kind: MetricKind;
  /** Of counters and gauges. Counters are unsigned, gauges signed. */
  value: bigint;
  /** Of histograms: how many values were at most 2^index, the last bucket has the rest. */
  readonly buckets: bigint[];
  sum: bigint;
}

const bucketCount = 18;
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const signed = (value: bigint): bigint => BigInt.asIntN(64, value);

export class FilterMetrics {
  readonly #ids = new Map<string, number>();
  readonly #metrics: FilterMetric[] = [];
  readonly #perFilter = new Map<string, number>();

  /** Id of a metric, from 1; 0 where the filter has too many already. */
  define(filter: string, kind: MetricKind, name: string): number {
    const key = `${kind} ${filter}\n${name}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const count = this.#perFilter.get(filter) ?? 0;
    if (count >= limits.filterMetrics.value) return 0;
    this.#perFilter.set(filter, count + 1);
    const buckets =
      kind === MetricType.HISTOGRAM ? Array.from({ length: bucketCount }, () => 0n) : [];
    const id = this.#metrics.push({ filter, name, kind, value: 0n, buckets, sum: 0n });
    this.#ids.set(key, id);
    return id;
  }

  /** Sets a gauge, adds to a counter, counts a value of a histogram. `value` is unsigned. */
  record(id: number, value: bigint): number {
    const metric = this.#metrics[id - 1];
    if (!metric) return Status.NOT_FOUND;
    const amount = unsigned(value);
    if (metric.kind === MetricType.GAUGE) metric.value = signed(value);
    else if (metric.kind === MetricType.COUNTER) metric.value = unsigned(metric.value + amount);
    else {
      metric.buckets[bucketOf(amount)]++;
      metric.sum += amount;
    }
    return Status.OK;
  }

  /** `delta` is signed; counters only go up, histograms cannot be incremented. */
  increment(id: number, delta: bigint): number {
    const metric = this.#metrics[id - 1];
    if (!metric) return Status.NOT_FOUND;
    const amount = signed(delta);
    if (metric.kind === MetricType.GAUGE) metric.value = signed(metric.value + amount);
    else if (metric.kind === MetricType.COUNTER && amount > 0n) {
      metric.value = unsigned(metric.value + amount);
    } else return Status.BAD_ARGUMENT;
    return Status.OK;
  }

  /** Null: a histogram, which has no one value; undefined: no such metric. */
  get(id: number): bigint | null | undefined {
    const metric = this.#metrics[id - 1];
    if (!metric) return undefined;
    return metric.kind === MetricType.HISTOGRAM ? null : unsigned(metric.value);
  }

  all(): readonly FilterMetric[] {
    return this.#metrics;
  }
}

/** Powers of two: 1, 2, 4 ... 2^16, and everything above. */
function bucketOf(value: bigint): number {
  let index = 0;
  while (index < bucketCount - 1 && value > 1n << BigInt(index)) index++;
  return index;
}

/** Metrics of several workers as one: counters and histograms add up, gauges too. */
export function mergeFilterMetrics(all: readonly FilterMetric[]): FilterMetric[] {
  const merged = new Map<string, FilterMetric>();
  for (const metric of all) {
    const key = `${metric.kind} ${metric.filter}\n${metric.name}`;
    const known = merged.get(key);
    if (!known) {
      merged.set(key, { ...metric, buckets: [...metric.buckets] });
      continue;
    }
    known.value += metric.value;
    known.sum += metric.sum;
    metric.buckets.forEach((count, index) => {
      known.buckets[index] += count;
    });
  }
  return [...merged.values()];
}
