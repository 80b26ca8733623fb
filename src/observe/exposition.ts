/** Prometheus text (exposition format 0.0.4) with Kong's metric names; made at a scrape. */
import type { ControlValues } from '../core/control.js';
import { latencyBucketsMs } from '../core/layout.js';
import type { SlotValues } from '../core/metric-slot.js';
import type { QueueMetrics } from '../log/queue-metrics.js';
import type { UpstreamHealth } from '../upstream/health.js';
import { MetricText, type MetricType } from './metric-text.js';
import type { Series } from './metrics.js';
import type { RequestSample } from './request-metrics.js';
import { writeRequestMetrics } from './request-metrics-text.js';
import { writeUpstreamHealth } from './upstream-health-text.js';

export interface Scrape {
  readonly nodeId: string;
  readonly version: string;
  readonly control: ControlValues;
  readonly series: Iterable<Series & { readonly values: SlotValues }>;
  readonly queues: readonly QueueMetrics[];
  /** What the prometheus plugin has counted; null: there is none, and every route is shown. */
  readonly requests: readonly RequestSample[] | null;
  /** What the prometheus plugin shows of them; null: nothing. */
  readonly upstreams: readonly UpstreamHealth[] | null;
  /** Reloads since the start, by outcome. */
  readonly reloads: { readonly succeeded: number; readonly failed: number };
  readonly generation: number;
  readonly configHash: string;
}

/** The whole page. */
export function prometheusText(scrape: Scrape): string {
  const text = new MetricText();
  nodeMetrics(text, scrape);
  if (scrape.requests) writeRequestMetrics(text, scrape.requests);
  else routeMetrics(text, scrape);
  if (scrape.upstreams) writeUpstreamHealth(text, scrape.upstreams);
  queueMetrics(text, scrape.queues);
  return text.toString();
}

function nodeMetrics(text: MetricText, scrape: Scrape): void {
  const { control } = scrape;
  text.family('node_info', 'gauge', 'Kong Node metadata information');
  text.sample('node_info', { node_id: scrape.nodeId, version: scrape.version }, 1);
  text.family('datastore_reachable', 'gauge', 'Datastore reachable from Kong, 0 is unreachable');
  text.sample('datastore_reachable', {}, 1);
  text.family('nginx_connections_total', 'gauge', 'Number of client connections by state');
  const waiting = Math.max(0, control.activeDownstream - control.activeExchanges);
  const states = {
    accepted: control.acceptedConnections,
    handled: control.acceptedConnections - control.refusedConnections,
    total: control.requests,
    active: control.activeDownstream,
    reading: 0,
    writing: control.activeExchanges,
    waiting,
  };
  for (const [state, value] of Object.entries(states)) {
    text.sample('nginx_connections_total', { node_id: scrape.nodeId, state }, value);
  }
  text.family('nginx_requests_total', 'gauge', 'Total number of requests');
  text.sample('nginx_requests_total', { node_id: scrape.nodeId }, control.requests);
  for (const [name, type, help, value] of ownMetrics(scrape)) {
    text.family(name, type, help);
    text.sample(name, {}, value);
  }
  text.family('headgate_reloads_total', 'counter', 'Configurations loaded, by outcome');
  for (const [outcome, value] of Object.entries(scrape.reloads)) {
    text.sample('headgate_reloads_total', { outcome }, value);
  }
}

function ownMetrics(scrape: Scrape): [string, MetricType, string, number][] {
  const c = scrape.control;
  return [
    ['headgate_bad_requests_total', 'counter', 'Requests refused before routing', c.badRequests],
    ['headgate_refused_connections_total', 'counter', 'Over the limit', c.refusedConnections],
    ['headgate_timeouts_total', 'counter', 'Deadlines that ended something', c.timeouts],
    ['headgate_upstream_connects_total', 'counter', 'Connections opened', c.upstreamConnects],
    ['headgate_upstream_reuses_total', 'counter', 'Pooled connections used', c.upstreamReuses],
    ['headgate_upstream_stale_total', 'counter', 'Pooled and found closed', c.staleReuses],
    ['headgate_upstream_retries_total', 'counter', 'Further tries', c.retries],
    ['headgate_upstream_connections', 'gauge', 'Open, idle ones included', c.activeUpstream],
    ['headgate_upstream_idle_connections', 'gauge', 'In the pool', c.idleUpstream],
    ['headgate_tunnels', 'gauge', 'Upgraded connections', c.activeTunnels],
    ['headgate_slot_bytes', 'gauge', 'Bytes held for partial heads and copies', c.slotBytes],
    ['headgate_config_generation', 'gauge', 'Number of the table in use', scrape.generation],
  ];
}

const histograms = [
  ['request_latency_ms', 'requestMs', 'Total latency of requests in milliseconds'],
  ['upstream_latency_ms', 'upstreamMs', 'Latency added by upstreams in milliseconds'],
  ['kong_latency_ms', 'gatewayMs', 'Latency added by the gateway in milliseconds'],
] as const;

function routeMetrics(text: MetricText, scrape: Scrape): void {
  text.family('http_requests_total', 'counter', 'HTTP status codes per service and route');
  text.family('bandwidth_bytes', 'counter', 'Bytes per service and route');
  for (const [name, , help] of histograms) text.family(name, 'histogram', help);
  for (const { route, service, values } of scrape.series) {
    const total = values.classes.reduce((sum, value) => sum + value, 0);
    if (total === 0) continue;
    const labels = { service, route };
    values.classes.forEach((value, index) => {
      if (value === 0) return;
      const code = { code: `${index + 1}xx`, workspace: 'default', consumer: '' };
      text.sample('http_requests_total', { ...labels, ...code }, value);
    });
    const bytes = { ingress: values.bytesIn, egress: values.bytesOut };
    for (const [direction, value] of Object.entries(bytes)) {
      const rest = { direction, workspace: 'default', consumer: '' };
      text.sample('bandwidth_bytes', { ...labels, ...rest }, value);
    }
    for (const [name, field] of histograms) {
      const { buckets, sum } = values[field];
      text.histogram(name, { ...labels, workspace: 'default' }, latencyBucketsMs, buckets, sum);
    }
  }
}

const queueFamilies = [
  ['headgate_queue_entries', 'entries', 'gauge', 'Log entries waiting'],
  ['headgate_queue_bytes', 'bytes', 'gauge', 'Bytes waiting'],
  ['headgate_queue_in_flight', 'inFlight', 'gauge', 'Entries being delivered'],
  ['headgate_queue_delivered_total', 'delivered', 'counter', 'Entries delivered'],
  ['headgate_queue_dropped_total', 'dropped', 'counter', 'Entries dropped for room'],
  ['headgate_queue_retries_total', 'retried', 'counter', 'Repeated attempts'],
  ['headgate_queue_lost_total', 'lost', 'counter', 'Entries given up'],
  ['headgate_queue_oldest_age_seconds', 'ageSeconds', 'gauge', 'Age of the oldest entry'],
  ['headgate_queue_journal_bytes', 'journalBytes', 'gauge', 'Bytes of the journal on disk'],
  ['headgate_queue_spilled_entries', 'spilled', 'gauge', 'Entries that wait on disk only'],
] as const;

function queueMetrics(text: MetricText, queues: readonly QueueMetrics[]): void {
  for (const [family, field, type, help] of queueFamilies) {
    text.family(family, type, help);
    for (const queue of queues) {
      text.sample(family, { queue: withoutUserInfo(queue.name) }, queue[field]);
    }
  }
}

/** Queue names of http-log hold its endpoint, which may hold a password. */
const withoutUserInfo = (name: string): string => name.replace(/\/\/[^/?#@]*@/g, '//');
