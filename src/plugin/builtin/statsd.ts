/** Kong's statsd: sends metrics of each request over UDP or TCP. */
import { hostname } from 'node:os';
import { consumerIdentifiers } from '../../log/consumer-name.js';
import { queueField, queueParameters } from '../../log/params.js';
import { TcpSink } from '../../log/sink/tcp.js';
import { UdpSink } from '../../log/sink/udp.js';
import {
  packLines,
  type StatsdConfig,
  statsdLines,
  statusAllowed,
} from '../../log/statsd-lines.js';
import { definePlugin } from '../define.js';
import { sampleRateNeeded } from './shared/metric-schema.js';

const udp = new UdpSink();
const tcp = new TcpSink();

const serviceIdentifiers = [
  'service_id',
  'service_name',
  'service_host',
  'service_name_or_host',
] as const;
const workspaceIdentifiers = ['workspace_id', 'workspace_name'] as const;
const metricNames = [
  'kong_latency',
  'latency',
  'request_count',
  'request_per_user',
  'request_size',
  'response_size',
  'status_count',
  'status_count_per_user',
  'unique_users',
  'upstream_latency',
  'status_count_per_workspace',
  'status_count_per_user_per_route',
  'shdict_usage',
] as const;

const counter = (name: string) => ({ name, stat_type: 'counter', sample_rate: 1 });
const timer = (name: string) => ({ name, stat_type: 'timer' });

const schema = {
  fields: {
    host: { type: 'string', format: 'host', default: 'localhost' },
    port: { type: 'integer', between: [0, 65535], default: 8125 },
    prefix: { type: 'string', default: 'kong', description: 'First word of every name.' },
    metrics: {
      type: 'array',
      description: 'What is sent; `shdict_usage` is accepted and sends nothing.',
      default: [
        counter('request_count'),
        timer('latency'),
        counter('request_size'),
        counter('status_count'),
        counter('response_size'),
        { name: 'unique_users', stat_type: 'set' },
        counter('request_per_user'),
        timer('upstream_latency'),
        timer('kong_latency'),
        counter('status_count_per_user'),
        counter('status_count_per_workspace'),
        counter('status_count_per_user_per_route'),
        { name: 'shdict_usage', stat_type: 'gauge', sample_rate: 1 },
      ],
      elements: {
        type: 'record',
        fields: {
          name: { type: 'string', required: true, one_of: metricNames },
          stat_type: {
            type: 'string',
            required: true,
            one_of: ['counter', 'gauge', 'histogram', 'meter', 'set', 'timer'],
          },
          sample_rate: { type: 'number', gt: 0 },
          consumer_identifier: { type: 'string', one_of: consumerIdentifiers },
          service_identifier: { type: 'string', one_of: serviceIdentifiers },
          workspace_identifier: { type: 'string', one_of: workspaceIdentifiers },
        },
        entity_checks: [sampleRateNeeded],
      },
    },
    allow_status_codes: {
      type: 'array',
      elements: { type: 'string', match: '\\d+-\\d+' },
      description: 'Ranges such as `200-299`; requests with another status send nothing.',
    },
    udp_packet_size: {
      type: 'number',
      between: [0, 65507],
      default: 0,
      description: 'Bytes up to which metrics share a datagram; 0: one datagram each.',
    },
    use_tcp: { type: 'boolean', default: false },
    hostname_in_prefix: { type: 'boolean', default: false },
    consumer_identifier_default: {
      type: 'string',
      required: true,
      one_of: consumerIdentifiers,
      default: 'custom_id',
    },
    service_identifier_default: {
      type: 'string',
      required: true,
      one_of: serviceIdentifiers,
      default: 'service_name_or_host',
    },
    workspace_identifier_default: {
      type: 'string',
      required: true,
      one_of: workspaceIdentifiers,
      default: 'workspace_id',
    },
    retry_count: { type: 'integer', description: 'Without effect; use queue.max_retry_time.' },
    queue_size: { type: 'integer', description: 'Older name of queue.max_batch_size.' },
    flush_timeout: { type: 'number', description: 'Older name of queue.max_coalescing_delay.' },
    tag_style: {
      type: 'string',
      one_of: ['dogstatsd', 'influxdb', 'librato', 'signalfx'],
      description: 'Tags instead of names below the scope.',
    },
    queue: queueField,
  },
} as const;

interface Config extends StatsdConfig {
  readonly [field: string]: unknown;
  readonly host: string | null;
  readonly port: number | null;
  readonly allow_status_codes: readonly string[] | null;
  readonly udp_packet_size: number | null;
  readonly use_tcp: boolean | null;
  readonly queue?: object | null;
}

const timeoutMs = 1000;
const keepaliveMs = 60_000;

export default definePlugin({
  name: 'statsd',
  version: '3.10.0',
  priority: 11,
  schema,
  logSink: {
    queue: (config, warn) => queueParameters(config, warn),
    async send(batch, config: Config, _signal, warn) {
      const lines = batch
        .filter((entry) => statusAllowed(entry, config.allow_status_codes))
        .flatMap((entry) => statsdLines(entry, config, hostname()));
      const host = config.host ?? 'localhost';
      const port = config.port ?? 8125;
      if (lines.length === 0) return;
      try {
        if (config.use_tcp) {
          const to = { host, port, tls: false, sni: null, timeoutMs, keepaliveMs };
          await tcp.send(to, lines.map((line) => `${line}\n`).join(''));
        } else {
          await udp.send(host, port, packLines(lines, config.udp_packet_size ?? 0), timeoutMs);
        }
      } catch (error) {
        // Metrics that are late are worth less than those of now: they are not repeated.
        warn((error as Error).message);
      }
    },
    close: async () => {
      await Promise.all([udp.close(), tcp.close()]);
    },
  },
});
