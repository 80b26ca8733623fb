/** Kong's datadog: sends metrics of each request to a Datadog agent (DogStatsD over UDP). */
import { consumerIdentifiers } from '../../log/consumer-name.js';
import { type DatadogConfig, datadogLines } from '../../log/datadog-lines.js';
import { queueField, queueParameters } from '../../log/params.js';
import { UdpSink } from '../../log/sink/udp.js';
import { definePlugin } from '../define.js';
import { sampleRateNeeded } from './shared/metric-schema.js';

const sink = new UdpSink();

const metricNames = [
  'kong_latency',
  'latency',
  'request_count',
  'request_size',
  'response_size',
  'upstream_latency',
] as const;

const metric = (name: string, type: object) => ({
  name,
  ...type,
  tags: ['app:kong'],
  consumer_identifier: 'custom_id',
});
const timer = { stat_type: 'timer' };

const schema = {
  fields: {
    host: {
      type: 'string',
      format: 'host',
      default: 'localhost',
      description: 'Null: the environment variable KONG_DATADOG_AGENT_HOST.',
    },
    port: {
      type: 'integer',
      between: [0, 65535],
      default: 8125,
      description: 'Null: the environment variable KONG_DATADOG_AGENT_PORT.',
    },
    prefix: { type: 'string', default: 'kong', description: 'First word of every name.' },
    service_name_tag: { type: 'string', default: 'name' },
    status_tag: { type: 'string', default: 'status' },
    consumer_tag: { type: 'string', default: 'consumer' },
    retry_count: { type: 'integer', description: 'Without effect; use queue.max_retry_time.' },
    queue_size: { type: 'integer', description: 'Older name of queue.max_batch_size.' },
    flush_timeout: { type: 'number', description: 'Older name of queue.max_coalescing_delay.' },
    queue: queueField,
    metrics: {
      type: 'array',
      required: true,
      default: [
        metric('request_count', { stat_type: 'counter', sample_rate: 1 }),
        metric('latency', timer),
        metric('request_size', timer),
        metric('response_size', timer),
        metric('upstream_latency', timer),
        metric('kong_latency', timer),
      ],
      elements: {
        type: 'record',
        fields: {
          name: { type: 'string', required: true, one_of: metricNames },
          stat_type: {
            type: 'string',
            required: true,
            one_of: ['counter', 'gauge', 'histogram', 'meter', 'set', 'timer', 'distribution'],
          },
          tags: { type: 'array', elements: { type: 'string', match: '.*[^:]' } },
          sample_rate: { type: 'number', between: [0, 1] },
          consumer_identifier: { type: 'string', one_of: consumerIdentifiers },
        },
        entity_checks: [sampleRateNeeded],
      },
    },
  },
} as const;

interface Config extends DatadogConfig {
  readonly [field: string]: unknown;
  readonly host: string | null;
  readonly port: number | null;
  readonly queue?: object | null;
}

const timeoutMs = 1000;

export default definePlugin({
  name: 'datadog',
  version: '3.10.0',
  priority: 10,
  schema,
  logSink: {
    queue: (config, warn) => queueParameters(config, warn),
    async send(batch, config: Config, _signal, warn) {
      const { env } = process;
      const host = config.host ?? env.KONG_DATADOG_AGENT_HOST ?? 'localhost';
      const port = config.port ?? (Number(env.KONG_DATADOG_AGENT_PORT) || 8125);
      const lines = batch.flatMap((entry) => datadogLines(entry, config));
      try {
        await sink.send(host, port, lines, timeoutMs);
      } catch (error) {
        // Metrics that are late are worth less than those of now: they are not repeated.
        warn((error as Error).message);
      }
    },
    close: () => sink.close(),
  },
});
