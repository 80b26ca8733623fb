/** Kong's udp-log: sends log records as datagrams, one JSON text each. */
import { type CustomFieldsConfig, customFields, recordText } from '../../log/custom-fields.js';
import { oneAttempt } from '../../log/one-attempt.js';
import { UdpSink } from '../../log/sink/udp.js';
import { definePlugin } from '../define.js';

const sink = new UdpSink();

const schema = {
  fields: {
    host: { type: 'string', required: true, format: 'host', description: 'Name or address.' },
    port: { type: 'integer', required: true, between: [0, 65535] },
    timeout: { type: 'number', default: 10000, description: 'Milliseconds.' },
    ...customFields,
  },
} as const;

interface UdpLogConfig extends CustomFieldsConfig {
  readonly host: string;
  readonly port: number;
  readonly timeout: number | null;
}

export default definePlugin({
  name: 'udp-log',
  version: '3.10.0',
  priority: 8,
  schema,
  logSink: {
    queue: () => oneAttempt,
    send: (batch, config: UdpLogConfig) => {
      const datagrams = batch.map((entry) => recordText(entry, config));
      return sink.send(config.host, config.port, datagrams, config.timeout ?? 10_000);
    },
    close: () => sink.close(),
  },
});
