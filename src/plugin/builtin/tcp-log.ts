/** Kong's tcp-log: sends log records over TCP or TLS, one JSON line each. */
import { type CustomFieldsConfig, customFields, recordText } from '../../log/custom-fields.js';
import { oneAttempt } from '../../log/one-attempt.js';
import { TcpSink } from '../../log/sink/tcp.js';
import { definePlugin } from '../define.js';

const sink = new TcpSink();

const schema = {
  fields: {
    host: { type: 'string', required: true, format: 'host', description: 'Name or address.' },
    port: { type: 'integer', required: true, between: [0, 65535] },
    timeout: { type: 'number', default: 10000, description: 'Milliseconds.' },
    keepalive: { type: 'number', default: 60000, description: 'Milliseconds.' },
    tls: {
      type: 'boolean',
      required: true,
      default: false,
      description: 'Speak TLS; the certificate is not verified.',
    },
    tls_sni: { type: 'string', description: 'Name for SNI, instead of the host.' },
    ...customFields,
  },
} as const;

interface TcpLogConfig extends CustomFieldsConfig {
  readonly host: string;
  readonly port: number;
  readonly timeout: number | null;
  readonly keepalive: number | null;
  readonly tls: boolean;
  readonly tls_sni: string | null;
}

export default definePlugin({
  name: 'tcp-log',
  version: '3.10.0',
  priority: 7,
  schema,
  logSink: {
    queue: () => oneAttempt,
    send: (batch, config: TcpLogConfig) => {
      const { host, port, tls, tls_sni: sni, timeout, keepalive } = config;
      const to = {
        host,
        port,
        tls,
        sni,
        timeoutMs: timeout ?? 10_000,
        keepaliveMs: keepalive ?? 0,
      };
      return sink.send(to, batch.map((entry) => `${recordText(entry, config)}\n`).join(''));
    },
    close: () => sink.close(),
  },
});
