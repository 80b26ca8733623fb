import { request as send } from 'node:http';
import { describe, expect, test } from 'vitest';
import { type Running, startGateway, startUpstream } from '../support/gateway.js';

interface Answer {
  readonly status: number;
  readonly text: string;
}

function ask(base: string, path: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = send(new URL(path, base), { method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end();
  });
}

/** A server that answers with its letter, with the status that is set. */
async function letter(name: string) {
  const state = { status: 200, hits: 0, probes: 0 };
  const { port, server } = await startUpstream((request, response) => {
    if (request.url === '/probe') state.probes++;
    else state.hits++;
    response.statusCode = state.status;
    response.end(name);
  });
  return { state, port, server, target: { target: `127.0.0.1:${port}` } };
}

const configOf = (upstream: object, more: object = {}) => ({
  _format_version: '3.0',
  upstreams: [{ name: 'up', ...upstream }],
  services: [{ name: 's', host: 'up', retries: 1, routes: [{ name: 'r', paths: ['/'] }] }],
  ...more,
});

const passive = (unhealthy: object, healthy: object = {}) => ({
  healthchecks: { passive: { unhealthy, healthy } },
});

async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 20));
}

interface Shown {
  readonly data: { readonly target: string; readonly health: string }[];
}

async function healthOf({ admin }: Running): Promise<Record<string, string>> {
  const { data } = JSON.parse((await ask(admin, '/upstreams/up/health')).text) as Shown;
  return Object.fromEntries(data.map(({ target, health }) => [target, health]));
}

describe('passive checks', () => {
  test('a target is left out after so many failing answers in a row', async () => {
    const [a, b] = [await letter('a'), await letter('b')];
    const upstream = { targets: [a.target, b.target], ...passive({ http_failures: 2 }) };
    const running = await startGateway({ config: configOf(upstream) });
    const { proxy } = running;
    a.state.status = 500;
    for (let i = 0; i < 4; i++) await ask(proxy, '/');
    expect(a.state.hits).toBe(2);
    for (let i = 0; i < 6; i++) expect((await ask(proxy, '/')).text).toBe('b');
    expect(a.state.hits).toBe(2);
    expect(await healthOf(running)).toEqual({
      [a.target.target]: 'UNHEALTHY',
      [b.target.target]: 'HEALTHY',
    });
    await until(() => running.lines.some(({ msg }) => msg === 'a target is unhealthy'));
  });

  test('a success in between starts the count over; other statuses say nothing', async () => {
    const [a] = [await letter('a')];
    const upstream = { targets: [a.target], ...passive({ http_failures: 2 }) };
    const { proxy } = await startGateway({ config: configOf(upstream) });
    for (const status of [500, 200, 500, 200, 404, 500]) {
      a.state.status = status;
      expect((await ask(proxy, '/')).status).toBe(status);
    }
    expect((await ask(proxy, '/')).status).toBe(500);
    const answer = await ask(proxy, '/');
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('failure to get a peer from the ring-balancer');
  });

  test('failed connections count, and health survives a reload', async () => {
    const [a, b] = [await letter('a'), await letter('b')];
    await new Promise((resolve) => b.server.close(resolve));
    const upstream = { targets: [a.target, b.target], ...passive({ tcp_failures: 1 }) };
    const running = await startGateway({ config: configOf(upstream) });
    for (let i = 0; i < 4; i++) expect((await ask(running.proxy, '/')).text).toBe('a');
    expect((await healthOf(running))[b.target.target]).toBe('UNHEALTHY');
    await running.gateway.reload({ ...configOf(upstream), _comment: 'again' });
    expect((await healthOf(running))[b.target.target]).toBe('UNHEALTHY');
  });

  test('without health checks everything counts as healthy again', async () => {
    const [a, b] = [await letter('a'), await letter('b')];
    const targets = [a.target, b.target];
    const checked = configOf({ targets, ...passive({ http_failures: 1 }) });
    const running = await startGateway({ config: checked });
    a.state.status = 500;
    for (let i = 0; i < 4; i++) await ask(running.proxy, '/');
    expect(a.state.hits).toBe(1);
    await running.gateway.reload(configOf({ targets }));
    for (let i = 0; i < 4; i++) await ask(running.proxy, '/');
    expect(a.state.hits).toBe(3);
  });

  test('the status of a last try that came to nothing counts as 502', async () => {
    const [a] = [await letter('a')];
    await new Promise((resolve) => a.server.close(resolve));
    const unhealthy = { http_failures: 1, http_statuses: [502] };
    const upstream = { targets: [a.target], ...passive(unhealthy) };
    const { proxy } = await startGateway({ config: configOf(upstream) });
    expect((await ask(proxy, '/')).status).toBe(502);
    expect((await ask(proxy, '/')).status).toBe(503);
  });

  test('the threshold asks for more of the weight than it names', async () => {
    const [a, b] = [await letter('a'), await letter('b')];
    const checks = { passive: { unhealthy: { http_failures: 1 } }, threshold: 50 };
    const upstream = { targets: [a.target, b.target], healthchecks: checks };
    const { proxy } = await startGateway({ config: configOf(upstream) });
    a.state.status = 500;
    for (let i = 0; i < 2; i++) await ask(proxy, '/');
    expect((await ask(proxy, '/')).status).toBe(503);
  });
});

describe('by hand', () => {
  test('a target is made unhealthy and healthy again, all of it or one address', async () => {
    const [a, b] = [await letter('a'), await letter('b')];
    const upstream = { targets: [a.target, b.target], ...passive({ http_failures: 9 }) };
    const running = await startGateway({ config: configOf(upstream) });
    const { admin, proxy } = running;
    const path = `/upstreams/up/targets/${a.target.target}`;
    expect((await ask(admin, `${path}/unhealthy`, 'PUT')).status).toBe(204);
    for (let i = 0; i < 4; i++) expect((await ask(proxy, '/')).text).toBe('b');
    const one = `${path}/${a.target.target}/healthy`;
    expect((await ask(admin, one, 'POST')).status).toBe(204);
    const letters = [(await ask(proxy, '/')).text, (await ask(proxy, '/')).text];
    expect(letters.sort()).toEqual(['a', 'b']);
    expect((await ask(admin, `${path}/unhealthy`)).status).toBe(405);
    expect((await ask(admin, '/upstreams/up/targets/nope/healthy', 'PUT')).status).toBe(404);
  });

  test('without health checks there is nothing to set', async () => {
    const [a] = [await letter('a')];
    const running = await startGateway({ config: configOf({ targets: [a.target] }) });
    const path = `/upstreams/up/targets/${a.target.target}/healthy`;
    const answer = await ask(running.admin, path, 'PUT');
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toEqual({ message: 'no healthchecker found for up' });
    expect(await healthOf(running)).toEqual({ [a.target.target]: 'HEALTHCHECKS_OFF' });
  });
});

describe('active checks', () => {
  const active = {
    http_path: '/probe',
    healthy: { interval: 0.05, successes: 2 },
    unhealthy: { interval: 0.05, http_failures: 2, tcp_failures: 1 },
  };

  test('a target that fails is left out, and comes back', async () => {
    const [a, b] = [await letter('a'), await letter('b')];
    const upstream = { targets: [a.target, b.target], healthchecks: { active } };
    const running = await startGateway({ config: configOf(upstream) });
    await until(() => a.state.probes > 2 && b.state.probes > 2);
    a.state.status = 503;
    await until(async () => (await healthOf(running))[a.target.target] === 'UNHEALTHY');
    const before = a.state.hits;
    for (let i = 0; i < 4; i++) expect((await ask(running.proxy, '/')).text).toBe('b');
    expect(a.state.hits).toBe(before);
    a.state.status = 200;
    await until(async () => (await healthOf(running))[a.target.target] === 'HEALTHY');
    const letters = [(await ask(running.proxy, '/')).text, (await ask(running.proxy, '/')).text];
    expect(letters.sort()).toEqual(['a', 'b']);
  });

  test('a target that nobody listens on is found before any request', async () => {
    const [a, b] = [await letter('a'), await letter('b')];
    await new Promise((resolve) => b.server.close(resolve));
    const upstream = { targets: [a.target, b.target], healthchecks: { active } };
    const running = await startGateway({ config: configOf(upstream) });
    await until(async () => (await healthOf(running))[b.target.target] === 'UNHEALTHY');
    expect((await ask(running.proxy, '/')).text).toBe('a');
  });
});

test('the health of an upstream as a whole, and in the metrics', async () => {
  const [a] = [await letter('a')];
  const upstream = {
    targets: [a.target, { target: 'no-such-name.invalid:80' }],
    ...passive({ http_failures: 1 }),
  };
  const plugins = [{ name: 'prometheus', config: { upstream_health_metrics: true } }];
  const running = await startGateway({ config: configOf(upstream, { plugins }) });
  const path = '/upstreams/up/health?balancer_health=1';
  const shown = JSON.parse((await ask(running.admin, path)).text) as { data: object };
  expect(shown.data).toMatchObject({
    health: 'HEALTHY',
    balancer_health: 'HEALTHY',
    details: { healthy: true, weight: { total: 100, available: 100, unavailable: 0 } },
  });
  const metrics = (await ask(running.admin, '/metrics')).text;
  const sample = (address: string, target: string, state: string) =>
    `kong_upstream_target_health{upstream="up",target="${target}",address="${address}",` +
    `state="${state}",subsystem="http"}`;
  const own = a.target.target;
  expect(metrics).toContain(`${sample(own, own, 'healthy')} 1`);
  expect(metrics).toContain(`${sample(own, own, 'unhealthy')} 0`);
  expect(metrics).toContain(`${sample('', 'no-such-name.invalid:80', 'dns_error')} 1`);
});
