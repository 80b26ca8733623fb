import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { oneService, startGateway, startUpstream } from '../support/gateway.js';
import { rawTalk } from '../support/raw.js';

const answering = (text: string) => `
_format_version: "3.0"
routes:
- name: only
  paths: [/]
  plugins:
  - name: request-termination
    config: { status_code: 200, body: ${text} }
`;

const start = () => startGateway({ config: answering('start') });
const post = (admin: string, body: string | FormData, type?: string, query = '') =>
  fetch(`${admin}/config${query}`, {
    method: 'POST',
    body,
    ...(type && { headers: { 'content-type': type } }),
  });

test('odd targets are answered, not failed', async () => {
  const { admin, lines } = await start();
  const port = Number(new URL(admin).port);
  for (const [target, status] of [
    ['//', 200],
    ['//status', 200],
    ['http://[', 400],
    ['/constructor', 404],
  ]) {
    const head = `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    const { text } = await rawTalk({ port }, head);
    expect([target, Number(text.slice(9, 12))]).toEqual([target, status]);
  }
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
});

describe('POST /config', () => {
  test('the answer comes after the swap and holds every entity with its defaults', async () => {
    const { admin, proxy } = await start();
    const response = await post(admin, answering('next'), 'text/yaml');
    expect(response.status).toBe(201);
    const entities = (await response.json()) as Record<string, Record<string, { name: string }>>;
    expect(Object.values(entities.routes)).toMatchObject([{ name: 'only', strip_path: true }]);
    expect(Object.values(entities.plugins)).toMatchObject([{ name: 'request-termination' }]);
    expect(await (await fetch(proxy)).text()).toBe('next');
  });

  test('takes JSON, a JSON field, forms and curl -F', async () => {
    const { admin, proxy } = await start();
    const document = (body: string) => ({
      _format_version: '3.0',
      routes: [
        {
          paths: ['/'],
          plugins: [{ name: 'request-termination', config: { status_code: 200, body } }],
        },
      ],
    });
    const multipart = new FormData();
    multipart.set('config', new Blob([answering('multipart')]), 'kong.yml');
    const ways: [string, string | FormData, string?][] = [
      ['json', JSON.stringify(document('json')), 'application/json'],
      ['field', JSON.stringify({ config: answering('field') }), 'application/json'],
      ['nested', JSON.stringify({ config: document('nested') }), 'application/json'],
      [
        'form',
        `config=${encodeURIComponent(answering('form'))}`,
        'application/x-www-form-urlencoded',
      ],
      ['multipart', multipart],
    ];
    for (const [text, body, type] of ways) {
      const response = await post(admin, body, type);
      expect([text, response.status]).toEqual([text, 201]);
      expect(await (await fetch(proxy)).text()).toBe(text);
    }
  });

  test('invalid input answers Kong’s error and changes nothing', async () => {
    const { admin, proxy, gateway } = await start();
    const { hash } = gateway.snapshot;
    const bad = '_format_version: "3.0"\nroutes:\n- name: r\n  pathes: [/]\n';
    const response = await post(admin, bad, 'text/yaml');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 14,
      name: 'invalid declarative configuration',
      message: expect.stringContaining('declarative config is invalid: '),
      fields: { routes: [{ pathes: 'unknown field' }] },
    });
    expect(gateway.snapshot.hash).toBe(hash);
    expect(await (await fetch(proxy)).text()).toBe('start');
  });

  test('flatten_errors lists them by entity', async () => {
    const { admin } = await start();
    const bad = '_format_version: "3.0"\nroutes:\n- name: r\n  tags: [a]\n  pathes: [/]\n';
    const response = await post(admin, bad, 'text/yaml', '?flatten_errors=1');
    expect(await response.json()).toMatchObject({
      code: 14,
      fields: {},
      flattened_errors: [
        {
          entity_type: 'route',
          entity_name: 'r',
          entity_tags: ['a'],
          errors: [{ type: 'field', field: 'pathes', message: 'unknown field' }],
        },
      ],
    });
  });

  test('what cannot be parsed or compiled is refused in the same form', async () => {
    const { admin, proxy } = await start();
    for (const text of ['routes: [', '_format_version: "3.0"\nroutes:\n- paths: ["~/a["]\n']) {
      const response = await post(admin, text, 'text/yaml');
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 14 });
    }
    expect(await (await fetch(proxy)).text()).toBe('start');
  });

  test('check_hash answers 304 where nothing would change', async () => {
    const { admin, gateway } = await start();
    const text = answering('hashed');
    expect((await post(admin, text, 'text/yaml', '?check_hash=1')).status).toBe(201);
    expect(gateway.snapshot.hash).toBe(createHash('md5').update(text).digest('hex'));
    expect((await post(admin, text, 'text/yaml', '?check_hash=1')).status).toBe(304);
    expect((await post(admin, text, 'text/yaml')).status).toBe(201);
  });

  test('what is sent is never interpolated', async () => {
    const { admin, proxy } = await startGateway({ env: { SECRET: 'hunter2' } });
    const response = await post(admin, answering('"${SECRET}"'), 'text/yaml');
    expect(response.status).toBe(201);
    expect(await (await fetch(proxy)).text()).toBe('${SECRET}');
  });

  test.each([
    ['no body', '', 'application/json', 400, 'expected a declarative configuration'],
    ['broken JSON', '{', 'application/json', 400, 'Cannot parse JSON body'],
  ])('%s', async (_, body, type, status, message) => {
    const { admin } = await start();
    const response = await post(admin, body, type);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ message });
  });

  test('other content types answer 415, bodies above the limit 413', async () => {
    const { admin } = await startGateway({
      settings: { nginx_admin_client_max_body_size: '1k' },
    });
    expect((await post(admin, 'x', 'text/html')).status).toBe(415);
    const large = await post(admin, `# ${'x'.repeat(2000)}`, 'text/yaml');
    expect(large.status).toBe(413);
    expect((await fetch(`${admin}/status`)).status).toBe(200);
  });

  test('loads that overlap are all answered, and the last one sent is in use', async () => {
    const { admin, proxy } = await start();
    const texts = Array.from({ length: 10 }, (_, i) => `t${i}`);
    const statuses: number[] = [];
    for (const text of texts)
      statuses.push((await post(admin, answering(text), 'text/yaml')).status);
    const parallel = await Promise.all(
      texts.map((text) => post(admin, answering(text), 'text/yaml')),
    );
    expect([...statuses, ...parallel.map((one) => one.status)]).toEqual(Array(20).fill(201));
    expect(texts).toContain(await (await fetch(proxy)).text());
  });
});

describe('reading', () => {
  test('GET / names version, node and plugins, and no secrets', async () => {
    const { admin } = await startGateway({ config: answering('x') });
    const body = (await (await fetch(admin)).json()) as Record<string, Record<string, unknown>>;
    expect(body.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(body.node_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(body.plugins.available_on_server).toMatchObject({
      'request-termination': { version: '3.10.0', priority: 2 },
      'http-log': { priority: 12 },
    });
    expect(body.plugins.enabled_in_cluster).toEqual(['request-termination']);
    expect(body.configuration).toMatchObject({ database: 'off' });
  });

  test('GET /status counts connections and requests and shows the hash', async () => {
    const { admin, proxy, gateway } = await start();
    for (let i = 0; i < 3; i++) await (await fetch(proxy)).text();
    const body = (await (await fetch(`${admin}/status`)).json()) as Record<string, object>;
    expect(body.configuration_hash).toBe(gateway.snapshot.hash);
    expect(body.server).toMatchObject({ total_requests: 3, connections_writing: 0 });
    expect(body.memory).toHaveProperty('workers_lua_vms');
  });

  test('GET /status/ready follows what POST says', async () => {
    const { admin, proxy } = await start();
    const ready = () => fetch(`${admin}/status/ready`);
    expect(await (await ready()).json()).toEqual({ message: 'ready' });
    const body = new URLSearchParams({ status: 'draining' });
    expect((await fetch(`${admin}/status/ready`, { method: 'POST', body })).status).toBe(204);
    expect((await ready()).status).toBe(503);
    expect((await fetch(proxy)).status).toBe(200);
  });

  test('GET /config is the text in use', async () => {
    const { admin } = await start();
    const body = (await (await fetch(`${admin}/config`)).json()) as { config: string };
    expect(body.config).toBe(answering('start'));
  });

  test('entities are listed, found by name and id, and below their parent', async () => {
    const { url } = await startUpstream();
    const { admin } = await startGateway({
      config: oneService(url, [{ name: 'http-log', config: { http_endpoint: url } }]),
    });
    const json = async (path: string) =>
      (await (await fetch(admin + path)).json()) as { id: string; data: { id: string }[] };
    const service = await json('/services/one');
    expect((await json('/services')).data).toEqual([service]);
    expect(await json(`/services/${service.id}/`)).toEqual(service);
    const { data } = await json('/services/one/routes');
    expect(data).toEqual([expect.objectContaining({ name: 'all', service: { id: service.id } })]);
    expect((await json('/routes/all/plugins')).data).toHaveLength(1);
  });

  test('GET /metrics is Prometheus text', async () => {
    const { admin, proxy } = await start();
    await (await fetch(proxy)).text();
    const response = await fetch(`${admin}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    expect(text).toContain('kong_http_requests_total{service="",route="only",code="2xx"');
    expect(text).toContain('kong_datastore_reachable 1\n');
  });
});

describe('every answer', () => {
  test('carries the headers of Kong’s Admin API', async () => {
    const { admin } = await start();
    const { headers } = await fetch(`${admin}/status`, { headers: { origin: 'http://a.example' } });
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('access-control-allow-origin')).toBe('http://a.example');
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('x-kong-admin-latency')).toMatch(/^\d+$/);
    expect(headers.get('server')).toMatch(/^headgate\/\d/);
    expect(headers.has('via')).toBe(false);
  });

  test.each([
    ['GET', '/nothing', 404, { message: 'Not found' }],
    ['GET', '/services/none', 404, { message: 'Not found' }],
    ['PUT', '/status', 405, { message: 'Method not allowed' }],
    ['POST', '/routes', 405, { code: 12, name: 'operation unsupported' }],
    ['PUT', '/routes/only', 405, { code: 12 }],
    ['PATCH', '/routes/only', 405, { code: 12 }],
    ['DELETE', '/routes/only', 405, { code: 12 }],
    ['PATCH', '/routes/none', 404, { message: 'Not found' }],
  ])('%s %s is %i', async (method, path, status, body) => {
    const { admin } = await start();
    const response = await fetch(admin + path, { method });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject(body);
  });

  test('HEAD is GET without body, OPTIONS lists methods, DELETE of nothing is done', async () => {
    const { admin } = await start();
    const head = await fetch(`${admin}/services`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const options = await fetch(`${admin}/config`, { method: 'OPTIONS' });
    expect(options.status).toBe(204);
    expect(options.headers.get('allow')).toBe('GET, HEAD, OPTIONS, POST');
    expect((await fetch(`${admin}/routes/none`, { method: 'DELETE' })).status).toBe(204);
  });
});
