/** Reads the counters and histograms of one metric slot. */
import { MetricSlot } from './layout.js';

export interface SlotValues {
  /** Responses by class: 1xx to 5xx. */
  readonly classes: readonly number[];
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly requestMs: HistogramValues;
  readonly upstreamMs: HistogramValues;
  readonly gatewayMs: HistogramValues;
}

export interface HistogramValues {
  /** Per bucket, not cumulative; one more than there are bounds. */
  readonly buckets: readonly number[];
  readonly sum: number;
}

const bucketCount = 16;

/** Memory that holds metric slots, from a byte offset on. */
export interface MetricMemory {
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly metrics: number;
}

export function readMetricSlot({ u32, f64, metrics }: MetricMemory, slot: number): SlotValues {
  const at = metrics + slot * MetricSlot.size;
  const words = (offset: number, count: number) =>
    Array.from(u32.subarray((at + offset) >> 2, ((at + offset) >> 2) + count));
  const number = (offset: number) => f64[(at + offset) >> 3];
  return {
    classes: words(MetricSlot.status1xx, 5),
    bytesIn: number(MetricSlot.bytesIn),
    bytesOut: number(MetricSlot.bytesOut),
    requestMs: {
      buckets: words(MetricSlot.requestMs, bucketCount),
      sum: number(MetricSlot.requestMsSum),
    },
    upstreamMs: {
      buckets: words(MetricSlot.upstreamMs, bucketCount),
      sum: number(MetricSlot.upstreamMsSum),
    },
    gatewayMs: {
      buckets: words(MetricSlot.gatewayMs, bucketCount),
      sum: number(MetricSlot.gatewayMsSum),
    },
  };
}
