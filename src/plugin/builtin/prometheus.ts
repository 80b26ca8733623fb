/** Kong's prometheus: says which metrics of requests `/metrics` has, and with which labels. */
import { decodeMetricRecord, type MetricRecord } from '../../log/metric-record.js';
import { queueDefaults } from '../../log/params.js';
import { requestMetrics } from '../../observe/request-metrics.js';
import { definePlugin } from '../define.js';
import type { Infer } from '../schema.js';

const flag = (description: string) => ({ type: 'boolean', default: false, description }) as const;

const fields = {
  per_consumer: flag('Name consumers in the labels of counters.'),
  status_code_metrics: flag('Count requests by status.'),
  ai_metrics: flag('Without effect.'),
  latency_metrics: flag('Histograms of the time that requests take.'),
  bandwidth_metrics: flag('Count bytes in both directions.'),
  upstream_health_metrics: flag('The health of the targets of upstreams.'),
  wasm_metrics: flag('Without effect: metrics of filters are always shown.'),
} as const;

type Config = Infer<typeof fields>;

export default definePlugin({
  name: 'prometheus',
  version: '3.10.0',
  priority: 13,
  schema: { fields, scopes: ['consumer', 'service', 'route', 'global'] },
  logSink: {
    queue: () => ({ ...queueDefaults, max_batch_size: 1000, max_coalescing_delay: 0.05 }),
    decode: decodeMetricRecord,
    async send(batch, config: Config) {
      for (const record of batch as readonly MetricRecord[]) {
        // What no route matched is counted by the node's own metrics.
        if (record.route) count(record, config);
      }
    },
  },
});

function count(record: MetricRecord, config: Config): void {
  const { route, service, request, response, latencies } = record;
  const workspace = record.workspace_name;
  const place = {
    service: service?.name ?? service?.host ?? '',
    route: route?.name ?? route?.id ?? '',
  };
  const consumer = (config.per_consumer && record.consumer?.username) || '';
  if (config.status_code_metrics) {
    const code = String(response.status);
    const source = record.source === 'upstream' ? 'service' : 'kong';
    const labels = { ...place, code, source, workspace, consumer };
    requestMetrics.record('http_requests_total', labels, 1);
  }
  if (config.bandwidth_metrics) {
    const bytes = { ingress: request.size, egress: response.size };
    for (const [direction, size] of Object.entries(bytes)) {
      const labels = { ...place, direction, workspace, consumer };
      requestMetrics.record('bandwidth_bytes', labels, size);
    }
  }
  if (config.latency_metrics) {
    const labels = { ...place, workspace };
    requestMetrics.record('request_latency_ms', labels, latencies.request);
    if (latencies.proxy >= 0) requestMetrics.record('upstream_latency_ms', labels, latencies.proxy);
    requestMetrics.record('kong_latency_ms', labels, latencies.kong);
  }
}
