/** Kong's syslog: sends log records as JSON to the syslog of this machine. */
import { type CustomFieldsConfig, customFields, recordText } from '../../log/custom-fields.js';
import { oneAttempt } from '../../log/one-attempt.js';
import { type SeverityConfig, severityFields, severityOf } from '../../log/severity.js';
import {
  type Facility,
  facilities,
  type SyslogMessage,
  type SyslogOptions,
  SyslogSink,
} from '../../log/sink/syslog.js';
import { definePlugin } from '../define.js';

const required = <F extends object>(field: F) => ({ ...field, required: true }) as const;

const schema = {
  fields: {
    log_level: required(severityFields.log_level),
    successful_severity: required(severityFields.successful_severity),
    client_errors_severity: required(severityFields.client_errors_severity),
    server_errors_severity: required(severityFields.server_errors_severity),
    ...customFields,
    facility: {
      type: 'string',
      required: true,
      one_of: Object.keys(facilities).sort() as Facility[],
      default: 'user',
      description: 'Facility of every message.',
    },
  },
} as const;

interface SyslogConfig extends CustomFieldsConfig, SeverityConfig {
  readonly facility: string;
}

/** The plugin over a syslog that is somewhere else than usual. */
export function syslogPlugin(options: SyslogOptions = {}) {
  const sink = new SyslogSink(options);
  return definePlugin({
    name: 'syslog',
    version: '3.10.0',
    priority: 4,
    schema,
    logSink: {
      queue: () => oneAttempt,
      send: (batch, config: SyslogConfig) => {
        const messages: SyslogMessage[] = [];
        for (const entry of batch) {
          const severity = severityOf(entry, config);
          if (severity === null) continue;
          const facility = config.facility as Facility;
          messages.push({ facility, severity, text: recordText(entry, config) });
        }
        return sink.send(messages);
      },
      close: () => sink.close(),
    },
  });
}

export default syslogPlugin();
