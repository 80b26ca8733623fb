/** Fixed-slot counters and histograms, one slot a route; read by the shell at a scrape. */
// raw memory: histogram buckets
import {
  LIMIT_METRIC_SLOTS,
  METRICS,
  METRIC_SLOT_GATEWAY_MS,
  METRIC_SLOT_REQUEST_MS,
  METRIC_SLOT_SIZE,
  METRIC_SLOT_UPSTREAM_MS,
  MetricSlot,
} from '../layout';
import { Exchange } from './exchange';
import { nowExact } from './timers';

/** Counts an exchange that has ended. */
export function countExchange(x: Exchange): void {
  const slot = x.metricSlot < LIMIT_METRIC_SLOTS ? x.metricSlot : 0;
  const base = METRICS + <usize>slot * METRIC_SLOT_SIZE;
  const m = changetype<MetricSlot>(base);
  if (x.status >= 500) m.status5xx++;
  else if (x.status >= 400) m.status4xx++;
  else if (x.status >= 300) m.status3xx++;
  else if (x.status >= 200) m.status2xx++;
  else m.status1xx++;
  m.bytesIn += x.requestBytes;
  m.bytesOut += x.responseBytes;
  const total = nowExact - x.startMs;
  m.requestMsSum += total;
  count(base + METRIC_SLOT_REQUEST_MS, total);
  const gateway = x.balancedMs > 0 ? x.balancedMs - x.startMs : total;
  m.gatewayMsSum += gateway;
  count(base + METRIC_SLOT_GATEWAY_MS, gateway);
  if (!x.upstreamStatus) return;
  const upstream = x.upstreamHeadMs - x.balancedMs;
  m.upstreamMsSum += upstream;
  count(base + METRIC_SLOT_UPSTREAM_MS, upstream);
}

function count(histogram: usize, ms: f64): void {
  const at = histogram + (<usize>bucketOf(ms) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Same bounds as latencyBucketsMs in src/codegen/layout.ts. */
function bucketOf(ms: f64): u32 {
  if (ms <= 1) return 0;
  if (ms <= 2) return 1;
  if (ms <= 5) return 2;
  if (ms <= 7) return 3;
  if (ms <= 10) return 4;
  if (ms <= 15) return 5;
  if (ms <= 20) return 6;
  if (ms <= 30) return 7;
  if (ms <= 50) return 8;
  if (ms <= 75) return 9;
  if (ms <= 100) return 10;
  if (ms <= 200) return 11;
  if (ms <= 500) return 12;
  if (ms <= 1000) return 13;
  return ms <= 5000 ? 14 : 15;
}
