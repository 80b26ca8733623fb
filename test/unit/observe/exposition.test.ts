import { describe, expect, test } from 'vitest';
import { latencyBucketsMs } from '../../../src/core/layout.js';
import { prometheusText, type Scrape } from '../../../src/observe/exposition.js';

const histogram = (buckets: number[], sum: number) => ({
  buckets: Array.from({ length: latencyBucketsMs.length + 1 }, (_, i) => buckets[i] ?? 0),
  sum,
});

const values = {
  classes: [0, 5, 0, 2, 0],
  bytesIn: 100,
  bytesOut: 2000,
  requestMs: histogram([3, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 6000),
  upstreamMs: histogram([7], 3),
  gatewayMs: histogram([7], 2),
};

const control = new Proxy({} as Scrape['control'], { get: () => 1 });

function page(route: string): string {
  return prometheusText({
    nodeId: 'id',
    version: '1.2.3',
    control,
    series: [
      { slot: 2, route, service: 'svc', values },
      { slot: 3, route: 'unused', service: 'svc', values: { ...values, classes: [0, 0, 0, 0, 0] } },
    ],
    queues: [
      {
        name: 'http://user:pass@log.example:1:POST',
        entries: 4,
        bytes: 5,
        inFlight: 1,
        delivered: 6,
        dropped: 0,
        retried: 2,
        lost: 0,
        kept: 0,
        ageSeconds: 1.5,
        journalBytes: 0,
        spilled: 0,
      },
    ],
    requests: null,
    upstreams: null,
    reloads: { succeeded: 3, failed: 1 },
    generation: 4,
    configHash: 'x',
  });
}

describe('prometheusText', () => {
  test('every sample follows the header of its family, and every line is well formed', () => {
    let family = '';
    for (const line of page('r').trimEnd().split('\n')) {
      const header = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
      if (header) family = header[1];
      else if (!line.startsWith('# HELP ')) {
        expect(line).toMatch(/^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+$/);
        expect(line.startsWith(family)).toBe(true);
      }
    }
  });

  test('requests and bytes carry the labels of Kong', () => {
    const text = page('r');
    const labels = 'service="svc",route="r"';
    expect(text).toContain(
      `kong_http_requests_total{${labels},code="2xx",workspace="default",consumer=""} 5\n`,
    );
    expect(text).toContain(`code="4xx",workspace="default",consumer=""} 2\n`);
    expect(text).not.toContain('code="5xx"');
    expect(text).toContain(`kong_bandwidth_bytes{${labels},direction="egress"`);
    expect(text).not.toContain('unused');
  });

  test('histogram buckets are cumulative and end with all of them', () => {
    const lines = page('r').split('\n');
    const of = (le: string) =>
      lines.find((line) => line.startsWith('kong_request_latency_ms_bucket') && line.includes(le));
    expect(of('le="1"')).toMatch(/ 3$/);
    expect(of('le="2"')).toMatch(/ 4$/);
    expect(of('le="5"')).toMatch(/ 6$/);
    expect(of('le="5000"')).toMatch(/ 6$/);
    expect(of('le="+Inf"')).toMatch(/ 7$/);
    expect(lines.find((line) => line.startsWith('kong_request_latency_ms_sum'))).toMatch(/ 6000$/);
    expect(lines.find((line) => line.startsWith('kong_request_latency_ms_count'))).toMatch(/ 7$/);
  });

  test('label values are escaped', () => {
    expect(page('a"b\\c\nd')).toContain('route="a\\"b\\\\c\\nd"');
  });

  test('queues show no credentials', () => {
    const text = page('r');
    expect(text).toContain('headgate_queue_entries{queue="http://log.example:1:POST"} 4');
    expect(text).not.toContain('pass');
  });
});
