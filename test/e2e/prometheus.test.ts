import { expect, test } from 'vitest';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';

interface Page {
  /** Lines of a family, by a part of their name. */
  of(name: string): string[];
}

async function pageOf(admin: string): Promise<Page> {
  const lines = (await (await fetch(`${admin}/metrics`)).text()).split('\n');
  return { of: (name) => lines.filter((line) => line.startsWith(name)) };
}

/** A route of its own name for each test: what was counted outlives a gateway. */
async function started(route: string, config: object | null) {
  const upstream = await startUpstream((request, response) => {
    response.statusCode = request.url?.startsWith('/created') ? 201 : 404;
    response.end();
  });
  const plugins = [
    { name: 'key-auth', config: { anonymous: 'nobody' } },
    ...(config ? [{ name: 'prometheus', config }] : []),
  ];
  const document = {
    ...oneService(upstream.url),
    services: [
      { name: 'one', url: upstream.url, routes: [{ name: route, paths: ['/'], plugins }] },
    ],
    consumers: [{ username: 'ann', keyauth_credentials: [{ key: 'k' }] }, { username: 'nobody' }],
  };
  const { proxy, admin } = await startGateway({ config: document });
  await fetch(`${proxy}/created?apikey=k`);
  await fetch(`${proxy}/created?apikey=k`);
  await fetch(`${proxy}/else`, { method: 'POST', body: 'b' });
  return admin;
}

test('status codes are exact, and say who answered', async () => {
  const admin = await started('codes', { status_code_metrics: true, per_consumer: true });
  const lines = async () =>
    (await pageOf(admin)).of('kong_http_requests_total{service="one",route="codes"');
  const rest = (code: number, consumer: string, count: number) =>
    `kong_http_requests_total{service="one",route="codes",code="${code}",source="service",` +
    `workspace="default",consumer="${consumer}"} ${count}`;
  const expected = [rest(201, 'ann', 2), rest(404, 'nobody', 1)];
  await until(
    async () => (await lines()).length === 2 && (await lines())[0].endsWith(' 2'),
    20_000,
  );
  expect(await lines()).toEqual(expected);
  const page = await pageOf(admin);
  expect(page.of('kong_bandwidth_bytes{service="one",route="codes"')).toEqual([]);
  expect(page.of('kong_request_latency_ms_count{service="one",route="codes"')).toEqual([]);
  expect(page.of('# TYPE kong_http_requests_total').length).toBe(1);
});

test('bandwidth and latencies come when they are asked for', async () => {
  const admin = await started('times', { bandwidth_metrics: true, latency_metrics: true });
  const labels = 'service="one",route="times",workspace="default"';
  const counted = async () => (await pageOf(admin)).of(`kong_request_latency_ms_count{${labels}}`);
  await until(async () => (await counted())[0]?.endsWith(' 3'), 20_000);
  const page = await pageOf(admin);
  expect(
    page.of('kong_bandwidth_bytes{service="one",route="times",direction="ingress"')[0],
  ).toMatch(/workspace="default",consumer=""\} [1-9]\d+$/);
  const buckets = page.of('kong_kong_latency_ms_bucket{service="one",route="times"');
  expect(buckets.length).toBe(18);
  expect(buckets.at(-1)).toMatch(/le="\+Inf"\} 3$/);
  expect(page.of('kong_upstream_latency_ms_bucket{service="one",route="times"').length).toBe(14);
  expect(page.of('kong_http_requests_total{service="one",route="times"')).toEqual([]);
});

test('a bare one counts nothing; without the plugin every route is shown', async () => {
  const bare = await pageOf(await started('bare', {}));
  expect(bare.of('kong_http_requests_total{service="one",route="bare"')).toEqual([]);
  expect(bare.of('kong_node_info').length).toBe(1);
  const admin = await started('none', null);
  const shown = async () => (await pageOf(admin)).of('kong_http_requests_total');
  const labels = 'service="one",route="none",code="2xx"';
  await until(async () => (await shown()).some((line) => line.includes(labels)), 20_000);
});
