/**
 * Metrics of filters as Prometheus text: `pw_FILTER_NAME` as in Kong, with the labels that the
 * filter's `.meta.json` takes out of the name. Values keep their 64 bits.
 */
import { MetricType } from '../filter/abi.js';
import type { LabelPattern } from '../filter/meta.js';
import type { FilterMetric } from '../filter/metrics.js';

interface Sample {
  readonly labels: string;
  readonly metric: FilterMetric;
}

const types = ['counter', 'gauge', 'histogram'] as const;

/** `patternsOf`: the label patterns of a filter. Empty text where there are no metrics. */
export function filterMetricsText(
  metrics: readonly FilterMetric[],
  patternsOf: (filter: string) => readonly LabelPattern[],
): string {
  const families = new Map<string, Sample[]>();
  for (const metric of metrics) {
    const { name, labels } = splitLabels(metric.name, patternsOf(metric.filter));
    const key = `${types[metric.kind]} ${clean(`pw_${metric.filter}_${name}`)}`;
    families.set(key, [...(families.get(key) ?? []), { labels, metric }]);
  }
  const lines: string[] = [];
  const named = new Set<string>();
  for (const [key, samples] of families) {
    const [type, plain] = key.split(' ');
    // One name of two types: a scraper takes a name once only.
    const name = named.has(plain) ? `${plain}_${type}` : plain;
    named.add(plain);
    lines.push(`# TYPE ${name} ${type}`);
    for (const sample of samples) pushSample(lines, name, sample);
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function pushSample(lines: string[], name: string, { labels, metric }: Sample): void {
  const braces = (all: string) => (all === '' ? '' : `{${all}}`);
  if (metric.kind !== MetricType.HISTOGRAM) {
    lines.push(`${name}${braces(labels)} ${metric.value}`);
    return;
  }
  let count = 0n;
  metric.buckets.forEach((bucket, index) => {
    count += bucket;
    const bound = index === metric.buckets.length - 1 ? '+Inf' : String(2 ** index);
    const all = labels === '' ? `le="${bound}"` : `${labels},le="${bound}"`;
    lines.push(`${name}_bucket{${all}} ${count}`);
  });
  lines.push(
    `${name}_count${braces(labels)} ${count}`,
    `${name}_sum${braces(labels)} ${metric.sum}`,
  );
}

function splitLabels(
  given: string,
  patterns: readonly LabelPattern[],
): { name: string; labels: string } {
  let name = given;
  const labels: string[] = [];
  for (const { label, pattern } of patterns) {
    const match = pattern.exec(name);
    if (!match || match[1] === undefined) continue;
    name = name.replace(match[1], '');
    const value = (match[2] ?? '').replace(/[\\"\n]/g, (char) =>
      char === '\n' ? '\\n' : `\\${char}`,
    );
    labels.push(`${clean(label)}="${value}"`);
  }
  return { name, labels: labels.join(',') };
}

const clean = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, '_');
