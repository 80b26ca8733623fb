/** Datagrams of DogStatsD, made from log records as Kong's datadog plugin does. */
import type { LogEntry } from '../plugin/log-types.js';
import { consumerName } from './consumer-name.js';
import { plainStats, recordNumbers, statTypes } from './metric-values.js';

export interface DatadogMetric {
  readonly name: string;
  readonly stat_type: string;
  readonly tags?: readonly string[] | null;
  readonly sample_rate?: number | null;
  readonly consumer_identifier?: string | null;
}

export interface DatadogConfig {
  readonly prefix: string | null;
  readonly service_name_tag: string | null;
  readonly status_tag: string | null;
  readonly consumer_tag: string | null;
  readonly metrics: readonly DatadogMetric[];
}

/** One datagram per metric; the value -1 of a request that was not proxied is sent as it is. */
export function datadogLines(entry: LogEntry, config: DatadogConfig): string[] {
  const numbers = recordNumbers(entry);
  const service = entry.service as { name?: string | null; host?: string } | undefined;
  const serviceName = (service?.name ?? service?.host ?? '').replaceAll('.', '_');
  const status = numbers.status === null ? '-' : String(numbers.status);
  const prefix = config.prefix ?? 'kong';
  return config.metrics.flatMap((metric) => {
    const known = plainStats[metric.name];
    const value = known && numbers[known[1]];
    if (!known || value === null) return [];
    const tags = [
      `${config.service_name_tag ?? 'name'}:${serviceName}`,
      `${config.status_tag ?? 'status'}:${status}`,
    ];
    const by = metric.consumer_identifier;
    const name = by && consumerName(entry, by);
    if (name) {
      const shown = by === 'consumer_id' ? name.replaceAll('-', '_') : name;
      tags.push(`${config.consumer_tag ?? 'consumer'}:${shown}`);
    }
    tags.push(...(metric.tags ?? []));
    const rate = metric.sample_rate;
    const sampled = typeof rate === 'number' && rate !== 1 ? `|@${rate}` : '';
    const type = statTypes[metric.stat_type as keyof typeof statTypes];
    return [`${prefix}.${known[0]}:${value}|${type}${sampled}|#${tags.join(',')}`];
  });
}
