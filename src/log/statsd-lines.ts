/** Lines of the statsd protocol, made from log records as Kong's statsd plugin does. */
import type { LogEntry } from '../plugin/log-types.js';
import { consumerName } from './consumer-name.js';
import { plainStats, type RecordNumbers, recordNumbers, statTypes } from './metric-values.js';

export interface StatsdMetric {
  readonly name: string;
  readonly stat_type: string;
  readonly sample_rate?: number | null;
  readonly consumer_identifier?: string | null;
  readonly service_identifier?: string | null;
  readonly workspace_identifier?: string | null;
}

export interface StatsdConfig {
  readonly prefix: string | null;
  readonly metrics: readonly StatsdMetric[] | null;
  readonly hostname_in_prefix: boolean | null;
  readonly consumer_identifier_default: string;
  readonly service_identifier_default: string;
  readonly workspace_identifier_default: string;
  readonly tag_style: string | null;
}

/** A name below the scope and the value of it; null: the metric does not apply. */
type Stat = readonly [name: string, value: number | string, type: string] | null;
type Service = { readonly id: string; readonly name?: string | null; readonly host: string };

/**
 * One line per metric that applies to the entry.
 * @param hostname of this machine, for `hostname_in_prefix` and the tag `node`
 */
export function statsdLines(entry: LogEntry, config: StatsdConfig, hostname: string): string[] {
  const numbers = recordNumbers(entry);
  const node = hostname.replaceAll('.', '_');
  const prefix = prefixOf(config, node);
  const lines: string[] = [];
  for (const metric of config.metrics ?? []) {
    const line = config.tag_style
      ? taggedLine(entry, numbers, metric, config, prefix, node)
      : scopedLine(entry, numbers, metric, config, prefix);
    if (line !== null) lines.push(line);
  }
  return lines;
}

function prefixOf(config: StatsdConfig, node: string): string {
  const prefix = config.prefix ?? 'kong';
  if (!config.hostname_in_prefix || config.tag_style) return prefix;
  return `${prefix}.node.${node}`;
}

function scopedLine(
  entry: LogEntry,
  numbers: RecordNumbers,
  metric: StatsdMetric,
  config: StatsdConfig,
  prefix: string,
): string | null {
  const stat = plainStat(metric, numbers) ?? derivedStat(entry, numbers, metric, config);
  if (!stat) return null;
  const [name, value, type] = stat;
  const identifier = metric.service_identifier ?? config.service_identifier_default;
  const ownScope = metric.name === 'status_count_per_user_per_route';
  const full = ownScope ? name : `${scopeOf(entry, identifier)}.${name}`;
  const rate = type === 's' ? '' : rateOf(metric);
  return `${prefix}.${full}:${value}|${type}${rate}`;
}

function plainStat(metric: StatsdMetric, numbers: RecordNumbers): Stat {
  const known = plainStats[metric.name];
  if (!known) return null;
  const value = numbers[known[1]];
  if (value === null || value === -1) return null;
  return [known[0], value, statTypes[metric.stat_type as keyof typeof statTypes]];
}

/** The metrics about users, statuses and workspaces; their types are fixed. */
function derivedStat(
  entry: LogEntry,
  { status }: RecordNumbers,
  metric: StatsdMetric,
  config: StatsdConfig,
): Stat {
  const consumer = consumerName(
    entry,
    metric.consumer_identifier ?? config.consumer_identifier_default,
  );
  const route = entry.route as { id: string } | undefined;
  switch (metric.name) {
    case 'status_count':
      return [`status.${status}`, 1, 'c'];
    case 'unique_users':
      return consumer === null ? null : ['user.uniques', consumer, 's'];
    case 'request_per_user':
      return consumer === null ? null : [`user.${consumer}.request.count`, 1, 'c'];
    case 'status_count_per_user':
      return consumer === null ? null : [`user.${consumer}.status.${status}`, 1, 'c'];
    case 'status_count_per_workspace': {
      const workspace = workspaceOf(entry, metric, config);
      return workspace === null ? null : [`workspace.${workspace}.status.${status}`, 1, 'c'];
    }
    case 'status_count_per_user_per_route':
      if (consumer === null || !route) return null;
      return [`route.${route.id}.user.${consumer}.status.${status}`, 1, 'c'];
    default:
      return null;
  }
}

function taggedLine(
  entry: LogEntry,
  numbers: RecordNumbers,
  metric: StatsdMetric,
  config: StatsdConfig,
  prefix: string,
  node: string,
): string | null {
  const stat = plainStat(metric, numbers);
  if (!stat) return null;
  const [name, value, type] = stat;
  const rest = `${value}|${type}${rateOf(metric)}`;
  const full = `${prefix}.${name}`;
  const tags = tagsOf(entry, numbers, metric, config, node);
  if (tags.length === 0) return `${full}:${rest}`;
  const pairs = (separator: string) => tags.map((tag) => tag.join(separator)).join(',');
  switch (config.tag_style) {
    case 'dogstatsd':
      return `${full}:${rest}|#${pairs(':')}`;
    case 'influxdb':
      return `${full},${pairs('=')}:${rest}`;
    case 'librato':
      return `${full}#${pairs('=')}:${rest}`;
    default:
      return `${full}[${pairs('=')}]:${rest}`;
  }
}

/** Tags of a request with a service; none without. */
function tagsOf(
  entry: LogEntry,
  { status }: RecordNumbers,
  metric: StatsdMetric,
  config: StatsdConfig,
  node: string,
): [string, string][] {
  const service = serviceName(
    entry.service as Service | undefined,
    metric.service_identifier ?? config.service_identifier_default,
  );
  if (!service) return [];
  const route = entry.route as { id: string; name?: string | null } | undefined;
  const by = metric.consumer_identifier ?? config.consumer_identifier_default;
  const tags: [string, string | null | undefined][] = [
    ['service', service],
    ['route', route?.name ?? route?.id],
    ['workspace', workspaceOf(entry, metric, config)],
    ['consumer', consumerName(entry, by)],
    ['node', node],
    ['status', status === null ? null : String(status)],
  ];
  return tags.filter((tag): tag is [string, string] => typeof tag[1] === 'string');
}

function scopeOf(entry: LogEntry, identifier: string): string {
  const service = entry.service as Service | undefined;
  if (!service) return 'global.unmatched';
  const name = serviceName(service, identifier);
  return `service.${name ? name.replaceAll('.', '_') : 'unnamed'}`;
}

function serviceName(service: Service | undefined, identifier: string): string | null {
  if (!service) return null;
  if (identifier === 'service_id') return service.id;
  if (identifier === 'service_host') return service.host;
  if (identifier === 'service_name') return service.name ?? null;
  return service.name ?? service.host;
}

function workspaceOf(entry: LogEntry, metric: StatsdMetric, config: StatsdConfig): string | null {
  const by = metric.workspace_identifier ?? config.workspace_identifier_default;
  const value = by === 'workspace_name' ? entry.workspace_name : entry.workspace;
  return typeof value === 'string' ? value : null;
}

function rateOf({ sample_rate: rate }: StatsdMetric): string {
  return typeof rate === 'number' && rate !== 1 ? `|@${rate}` : '';
}

/**
 * Joins lines by line feeds into packets of at most `size` bytes, in order; a longer line is a
 * packet of its own. 0: every line is one.
 */
export function packLines(lines: readonly string[], size: number): string[] {
  if (size <= 0) return [...lines];
  const packets: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    const more = Buffer.byteLength(line) + 1;
    if (packets.length > 0 && bytes + more - 1 <= size) {
      packets[packets.length - 1] += `\n${line}`;
      bytes += more;
    } else {
      packets.push(line);
      bytes = more;
    }
  }
  return packets;
}

/** True where the status is in one of the ranges such as `200-299`; no ranges: always. */
export function statusAllowed(entry: LogEntry, ranges: readonly string[] | null): boolean {
  if (!ranges) return true;
  const { status } = recordNumbers(entry);
  return ranges.some((range) => {
    const [from, to] = range.split('-', 2).map(Number);
    return status !== null && status >= from && status <= to;
  });
}
