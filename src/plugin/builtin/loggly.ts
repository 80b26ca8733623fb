/** Kong's loggly: sends log records as syslog datagrams (RFC 5424) with a customer token. */
import { hostname } from 'node:os';
import { type CustomFieldsConfig, customFields, recordText } from '../../log/custom-fields.js';
import { oneAttempt } from '../../log/one-attempt.js';
import { type SeverityConfig, severityFields, severityOf } from '../../log/severity.js';
import { UdpSink } from '../../log/sink/udp.js';
import { definePlugin } from '../define.js';
import type { LogEntry } from '../log-types.js';

const sink = new UdpSink();

const schema = {
  fields: {
    host: { type: 'string', format: 'host', default: 'logs-01.loggly.com' },
    port: { type: 'integer', between: [0, 65535], default: 514 },
    key: { type: 'string', required: true, encrypted: true, description: 'Customer token.' },
    tags: { type: 'set', elements: { type: 'string' }, default: ['kong'] },
    ...severityFields,
    timeout: { type: 'number', default: 10000, description: 'Milliseconds.' },
    ...customFields,
  },
} as const;

interface LogglyConfig extends CustomFieldsConfig, SeverityConfig {
  readonly host: string | null;
  readonly port: number | null;
  readonly key: string;
  readonly tags: readonly string[] | null;
  readonly timeout: number | null;
}

export default definePlugin({
  name: 'loggly',
  version: '3.10.0',
  priority: 6,
  schema,
  logSink: {
    queue: () => oneAttempt,
    send: (batch, config: LogglyConfig) => {
      const datagrams = batch
        .map((entry) => logglyMessage(entry, config))
        .filter((message) => message !== null);
      const { host, port, timeout } = config;
      if (datagrams.length === 0) return Promise.resolve();
      return sink.send(host ?? 'logs-01.loggly.com', port ?? 514, datagrams, timeout ?? 10_000);
    },
    close: () => sink.close(),
  },
});

/** A datagram's text, or null where `log_level` keeps the entry back. The facility is `user`. */
export function logglyMessage(
  entry: LogEntry,
  config: LogglyConfig,
  now: Date = new Date(),
): string | null {
  const severity = severityOf(entry, config);
  if (severity === null) return null;
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const tags = (config.tags ?? []).map((tag) => `tag="${tag}"`).join(' ');
  const structured = `[${config.key}@41058${tags && ` ${tags}`}]`;
  const text = recordText(entry, config);
  return `<${8 + severity}>1 ${time} ${hostname()} kong - - ${structured} ${text}`;
}
