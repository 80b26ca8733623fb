/** What both metric plugins read of a log record, and the letters of statsd's types. */
import type { LogEntry } from '../plugin/log-types.js';

/** Letters of the statsd protocol; `distribution` is DogStatsD's own. */
export const statTypes = {
  counter: 'c',
  gauge: 'g',
  timer: 'ms',
  histogram: 'h',
  meter: 'm',
  set: 's',
  distribution: 'd',
} as const;

/** Times in milliseconds, sizes in bytes; null where the record has no such value. */
export interface RecordNumbers {
  readonly one: 1;
  readonly status: number | null;
  readonly request: number | null;
  /** -1: not proxied. */
  readonly proxy: number | null;
  readonly kong: number | null;
  readonly requestBytes: number | null;
  readonly responseBytes: number | null;
}

/** Metrics that are one number of the record: the name on the wire, and which number. */
export const plainStats: Readonly<Record<string, readonly [stat: string, keyof RecordNumbers]>> = {
  request_count: ['request.count', 'one'],
  latency: ['latency', 'request'],
  request_size: ['request.size', 'requestBytes'],
  response_size: ['response.size', 'responseBytes'],
  upstream_latency: ['upstream_latency', 'proxy'],
  kong_latency: ['kong_latency', 'kong'],
};

export function recordNumbers(entry: LogEntry): RecordNumbers {
  const { request, response, latencies } = entry as Record<string, Record<string, unknown>>;
  return {
    one: 1,
    status: numberOf(response?.status),
    request: numberOf(latencies?.request),
    proxy: numberOf(latencies?.proxy),
    kong: numberOf(latencies?.kong),
    requestBytes: numberOf(request?.size),
    responseBytes: numberOf(response?.size),
  };
}

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);
