/** Syslog severities (RFC 5424 6.2.1), their schema fields and the choice by response status. */

import type { LogEntry } from '../plugin/log-types.js';
import type { StringField } from '../plugin/schema.js';

/** Numbers of RFC 5424, with Kong's names. */
export const severityNumbers = {
  debug: 7,
  info: 6,
  notice: 5,
  warning: 4,
  err: 3,
  crit: 2,
  alert: 1,
  emerg: 0,
} as const;

export type Severity = keyof typeof severityNumbers;

/** What the choice reads of a config. */
export interface SeverityConfig {
  readonly log_level: string | null;
  readonly successful_severity: string | null;
  readonly client_errors_severity: string | null;
  readonly server_errors_severity: string | null;
}

const names = ['debug', 'info', 'notice', 'warning', 'err', 'crit', 'alert', 'emerg'] as const;
const field = (description: string) =>
  ({ type: 'string', one_of: names, default: 'info', description }) as const satisfies StringField;

/** The four fields of syslog and loggly. */
export const severityFields = {
  log_level: field('Entries of a severity below this are not sent.'),
  successful_severity: field('Severity of answers with a status below 400.'),
  client_errors_severity: field('Severity of answers with a status from 400 to 499.'),
  server_errors_severity: field('Severity of answers with a status from 500 on.'),
} as const;

/** The number of an entry's severity, or null where `log_level` keeps the entry back. */
export function severityOf(entry: LogEntry, config: SeverityConfig): number | null {
  const status = Number((entry.response as { status?: unknown } | undefined)?.status ?? 0);
  const name =
    status >= 500
      ? config.server_errors_severity
      : status >= 400
        ? config.client_errors_severity
        : config.successful_severity;
  const number = numberOf(name);
  return number <= numberOf(config.log_level) ? number : null;
}

const numberOf = (name: string | null): number =>
  severityNumbers[(name ?? 'info') as Severity] ?? severityNumbers.info;
