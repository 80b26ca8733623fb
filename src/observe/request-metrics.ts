/**
 * What the prometheus plugin counts of requests, by family and labels. Every worker counts for
 * itself, at the log records and so off the request's path; a scrape adds workers up.
 */
import { limits } from '../limits.js';

const latency = {
  gateway: [1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000, 3000, 6000],
  upstream: [25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10_000, 30_000, 60_000],
} as const;

/** Families by Kong's names; histograms have their upper bounds in milliseconds. */
export const requestFamilies = {
  http_requests_total: { help: 'HTTP status codes per consumer, service and route', bounds: null },
  bandwidth_bytes: { help: 'Bytes per consumer, service and route', bounds: null },
  kong_latency_ms: {
    help: 'Latency added by the gateway in milliseconds',
    bounds: latency.gateway,
  },
  upstream_latency_ms: {
    help: 'Latency added by upstreams in milliseconds',
    bounds: latency.upstream,
  },
  request_latency_ms: {
    help: 'Total latency of requests in milliseconds',
    bounds: latency.upstream,
  },
} as const;

export type RequestFamily = keyof typeof requestFamilies;

export interface RequestSample {
  readonly family: RequestFamily;
  readonly labels: Readonly<Record<string, string>>;
  /** Counters: the count. Histograms: per bucket, not cumulative, the rest, and the sum. */
  readonly values: number[];
}

export class RequestMetrics {
  readonly #samples = new Map<string, RequestSample>();

  /** Adds to a counter, or a value in milliseconds to a histogram. */
  record(family: RequestFamily, labels: RequestSample['labels'], value: number): void {
    const sample = this.#sample(family, labels);
    if (!sample) return;
    const { bounds } = requestFamilies[family];
    const { values } = sample;
    if (!bounds) {
      values[0] += value;
      return;
    }
    const bucket = bounds.findIndex((bound) => value <= bound);
    values[bucket < 0 ? bounds.length : bucket]++;
    values[bounds.length + 1] += value;
  }

  /** Adds what another one has counted. */
  add(samples: readonly RequestSample[]): void {
    for (const { family, labels, values } of samples) {
      const own = this.#sample(family, labels)?.values;
      if (own) for (const [i, value] of values.entries()) own[i] += value;
    }
  }

  all(): RequestSample[] {
    return [...this.#samples.values()];
  }

  /** Undefined where there are too many label sets already. */
  #sample(family: RequestFamily, labels: RequestSample['labels']): RequestSample | undefined {
    const key = `${family}\n${Object.values(labels).join('\n')}`;
    let sample = this.#samples.get(key);
    if (!sample && this.#samples.size < limits.metricLabelSets.value) {
      const { bounds } = requestFamilies[family];
      const values = Array.from({ length: bounds ? bounds.length + 2 : 1 }, () => 0);
      sample = { family, labels, values };
      this.#samples.set(key, sample);
    }
    return sample;
  }
}

/** What the worker of this thread has counted. */
export const requestMetrics = new RequestMetrics();
