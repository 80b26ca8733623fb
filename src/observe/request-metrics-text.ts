/** The prometheus plugin's families as Prometheus text. */
import type { MetricText } from './metric-text.js';
import { type RequestFamily, type RequestSample, requestFamilies } from './request-metrics.js';

export function writeRequestMetrics(text: MetricText, samples: readonly RequestSample[]): void {
  for (const family of Object.keys(requestFamilies) as RequestFamily[]) {
    const own = samples.filter((sample) => sample.family === family);
    if (own.length === 0) continue;
    const { help, bounds } = requestFamilies[family];
    text.family(family, bounds ? 'histogram' : 'counter', help);
    for (const { labels, values } of own) {
      if (bounds) text.histogram(family, labels, bounds, values.slice(0, -1), values.at(-1) ?? 0);
      else text.sample(family, labels, values[0]);
    }
  }
}
