/** Reads the core's counters: the gauges of Control and the per-route metric slots. */
import type { Core } from './instance.js';
import { Control, latencyBucketsMs, MetricSlot, Region } from './layout.js';

/** Cumulative histogram: counts up to each bound, the last one being all. */
export interface Histogram {
  readonly counts: readonly number[];
  readonly sum: number;
}

export interface SlotCounts {
  /** Responses of 1xx to 5xx. */
  readonly classes: readonly number[];
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly requestMs: Histogram;
  readonly upstreamMs: Histogram;
  readonly gatewayMs: Histogram;
}

type ControlField = Exclude<keyof typeof Control, 'size'>;

/** Fields of Control that are f64; the rest are u32. */
const wide = new Set<ControlField>([
  'nowMs',
  'wallMs',
  'acceptedConnections',
  'refusedConnections',
  'requests',
  'badRequests',
  'upstreamConnects',
  'upstreamReuses',
  'retries',
  'staleReuses',
  'timeouts',
  'lateEvents',
]);

/** One gauge or counter of the core. */
export function readControl(core: Core, field: ControlField): number {
  const at = Region.control.offset + Control[field];
  return wide.has(field) ? core.f64[at >> 3] : core.u32[at >> 2];
}

/** The counters of one metric slot. */
export function readSlot(core: Core, slot: number): SlotCounts {
  const base = Region.metrics.offset + slot * MetricSlot.size;
  const u32 = (offset: number) => core.u32[(base + offset) >> 2];
  const f64 = (offset: number) => core.f64[(base + offset) >> 3];
  const histogram = (offset: number, sum: number): Histogram => {
    let total = 0;
    const counts: number[] = [];
    for (let i = 0; i <= latencyBucketsMs.length; i++) {
      total += u32(offset + i * 4);
      counts.push(total);
    }
    return { counts, sum };
  };
  return {
    classes: [0, 1, 2, 3, 4].map((i) => u32(MetricSlot.status1xx + i * 4)),
    bytesIn: f64(MetricSlot.bytesIn),
    bytesOut: f64(MetricSlot.bytesOut),
    requestMs: histogram(MetricSlot.requestMs, f64(MetricSlot.requestMsSum)),
    upstreamMs: histogram(MetricSlot.upstreamMs, f64(MetricSlot.upstreamMsSum)),
    gatewayMs: histogram(MetricSlot.gatewayMs, f64(MetricSlot.gatewayMsSum)),
  };
}

/** Forgets what a slot counted, before another route gets it. */
export function clearSlot(core: Core, slot: number): void {
  const base = Region.metrics.offset + slot * MetricSlot.size;
  core.u8.fill(0, base, base + MetricSlot.size);
}
