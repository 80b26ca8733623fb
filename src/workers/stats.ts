/**
 * Counters of workers as bytes: the control block and the metric slots of a core, read in place, or
 * published into memory that another thread reads. What a worker counted outlives it.
 */
import type { ControlName, ControlValues } from '../core/control.js';
import { counterNames, readControl } from '../core/control.js';
import type { Core } from '../core/instance.js';
import { Control, MetricSlot, Region } from '../core/layout.js';
import { type HistogramValues, readMetricSlot, type SlotValues } from '../core/metric-slot.js';
import { limits } from '../limits.js';

/** Where one worker's counters lie: byte offsets into the memory behind both arrays. */
export interface StatsView {
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly control: number;
  readonly metrics: number;
}

/** The counters of a core in this thread, always up to date. */
export function coreStats(core: Core): StatsView {
  const { u32, f64 } = core;
  return { u32, f64, control: Region.control.offset, metrics: Region.metrics.offset };
}

const publishedBytes = Control.size + limits.metricSlots.value * MetricSlot.size;

/**
 * Memory for what a worker publishes: shared between threads, or this thread's own. Pages that no
 * slot uses are never touched.
 */
export function statsMemory(shared: boolean): SharedArrayBuffer | ArrayBuffer {
  return shared ? new SharedArrayBuffer(publishedBytes) : new ArrayBuffer(publishedBytes);
}

/** The counters in published memory. */
export function publishedStats(memory: SharedArrayBuffer | ArrayBuffer): StatsView {
  const u32 = new Uint32Array(memory);
  return { u32, f64: new Float64Array(memory), control: 0, metrics: Control.size };
}

/**
 * Copies counters, metric slots below `slots` only. A reader in another thread may see one counter
 * before its neighbour, but no half of one: the copy goes by aligned units of eight bytes.
 */
export function publish(from: StatsView, to: StatsView, slots: number): void {
  copyWords(from, from.control, to, to.control, Control.size);
  copyWords(from, from.metrics, to, to.metrics, slots * MetricSlot.size);
}

function copyWords(
  from: StatsView,
  start: number,
  to: StatsView,
  target: number,
  bytes: number,
): void {
  const source = from.f64.subarray(start >> 3, (start + bytes) >> 3);
  to.f64.set(source, target >> 3);
}

/** Sums of control blocks; `generation` is the highest. */
export function sumControl(views: readonly StatsView[]): ControlValues {
  const sum = {} as Record<ControlName, number>;
  for (const view of views) {
    for (const [name, value] of Object.entries(readControl(view)) as [ControlName, number][]) {
      sum[name] =
        name === 'generation' ? Math.max(sum[name] ?? 0, value) : (sum[name] ?? 0) + value;
    }
  }
  return sum;
}

/** Sum of one metric slot over workers. */
export function sumSlot(views: readonly StatsView[], slot: number): SlotValues {
  const all = views.map((view) => readMetricSlot(view, slot));
  const total = (pick: (values: SlotValues) => number): number =>
    all.reduce((sum, values) => sum + pick(values), 0);
  const histogram = (pick: (values: SlotValues) => HistogramValues): HistogramValues => ({
    buckets: pick(all[0]).buckets.map((_, i) => total((values) => pick(values).buckets[i])),
    sum: total((values) => pick(values).sum),
  });
  return {
    classes: all[0].classes.map((_, i) => total((values) => values.classes[i])),
    bytesIn: total((values) => values.bytesIn),
    bytesOut: total((values) => values.bytesOut),
    requestMs: histogram((values) => values.requestMs),
    upstreamMs: histogram((values) => values.upstreamMs),
    gatewayMs: histogram((values) => values.gatewayMs),
  };
}

/** Counters that other workers have left behind when they ended; gauges end with their worker. */
export class RetiredStats {
  readonly view = publishedStats(statsMemory(false));

  /** Adds the counters of a worker that is gone, metric slots below `slots`. */
  add(gone: StatsView, slots: number): void {
    const { f64, u32, control, metrics } = this.view;
    for (const name of counterNames) {
      f64[(control + Control[name]) >> 3] += gone.f64[(gone.control + Control[name]) >> 3];
    }
    for (let slot = 0; slot < slots; slot++) {
      const to = metrics + slot * MetricSlot.size;
      const from = gone.metrics + slot * MetricSlot.size;
      for (const offset of slotWords) u32[(to + offset) >> 2] += gone.u32[(from + offset) >> 2];
      for (const offset of slotFloats) f64[(to + offset) >> 3] += gone.f64[(from + offset) >> 3];
    }
  }
}

const range = (start: number, count: number) =>
  Array.from({ length: count }, (_, i) => start + 4 * i);

/** Byte offsets of the counters of a slot: words, and floats. */
const slotWords = [
  ...range(MetricSlot.status1xx, 5),
  ...range(MetricSlot.requestMs, 16),
  ...range(MetricSlot.upstreamMs, 16),
  ...range(MetricSlot.gatewayMs, 16),
];
const slotFloats = [
  MetricSlot.requestMsSum,
  MetricSlot.upstreamMsSum,
  MetricSlot.gatewayMsSum,
  MetricSlot.bytesIn,
  MetricSlot.bytesOut,
];
