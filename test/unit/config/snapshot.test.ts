import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { uuidV5 } from '../../../src/config/ids.js';
import { routeSchema } from '../../../src/config/schema/route.js';
import { serviceSchema } from '../../../src/config/schema/service.js';
import { emptySnapshot } from '../../../src/config/snapshot.js';
import { load, problemsOf, report } from './harness.js';

const head = '_format_version: "3.0"\n';

test('version 5 UUIDs are those of RFC 9562', () => {
  // The example of appendix A.4: the DNS namespace and www.example.com.
  const dns = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
  expect(uuidV5(dns, 'www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
});

describe('snapshots', () => {
  const text = `${head}_transform: false
_comment: all of it
_ignore: [{anything: 1}]
services:
- name: orders
  _comment: a note
  url: https://orders.test/base
  tags: [a, b, a]
  routes:
  - name: list
    methods: [GET, POST, GET]
    paths: [/orders]
    plugins:
    - name: request-termination
  plugins:
  - name: request-termination
    enabled: false
consumers:
- username: ann
  plugins: [{name: request-termination, config: {status_code: 401}}]
routes:
- name: flat
  service: orders
  hosts: ["*.test"]
- name: bare
  protocols: [grpc]
  hosts: [a.test]
plugins:
- name: request-termination`;

  test('routes and services have every field of their schemas', () => {
    const { services, routes } = load(text);
    const { fields } = routeSchema('traditional_compatible');
    expect(Object.keys(routes[0]).sort()).toEqual(Object.keys(fields).sort());
    expect(Object.keys(services[0]).sort()).toEqual(Object.keys(serviceSchema.fields).sort());
  });

  test('nested and flat entities are linked, in the order of the file', () => {
    const { services, routes, consumers, plugins } = load(text);
    expect(services).toHaveLength(1);
    expect(routes.map(({ name }) => name)).toEqual(['list', 'flat', 'bare']);
    expect(routes[0].service).toBe(services[0]);
    expect(routes[1].service).toBe(services[0]);
    expect(routes[2].service).toBe(null);
    const scopes = plugins.map(({ service, route, consumer }) => [service, route, consumer]);
    expect(scopes).toEqual([
      [null, routes[0], null],
      [services[0], null, null],
      [null, null, consumers[0]],
      [null, null, null],
    ]);
  });

  test('defaults, shorthands and sets', () => {
    const { services, routes, plugins } = load(text);
    expect(services[0]).toMatchObject({
      protocol: 'https',
      host: 'orders.test',
      port: 443,
      path: '/base',
      retries: 5,
      connect_timeout: 60000,
      write_timeout: 60000,
      read_timeout: 60000,
      enabled: true,
      tags: ['a', 'b'],
      created_at: 1_700_000_000,
      updated_at: 1_700_000_000,
    });
    expect(routes[0]).toMatchObject({
      protocols: ['http', 'https'],
      methods: ['GET', 'POST'],
      strip_path: true,
      path_handling: 'v0',
      https_redirect_status_code: 426,
      hosts: null,
    });
    expect(routes[2].strip_path).toBe(false);
    expect(plugins[0]).toMatchObject({
      enabled: true,
      protocols: ['grpc', 'grpcs', 'http', 'https'],
      config: { status_code: 503, message: null, trigger: null },
    });
    expect(plugins[1].enabled).toBe(false);
  });

  test('ids are those that Kong makes from names, and the same at each load', () => {
    const root = 'fd02801f-0957-4a15-a55a-c8d9606f30b5';
    const first = load(text);
    const again = load(text);
    expect(again).toEqual(first);
    const service = uuidV5(uuidV5(root, 'services'), 'orders');
    expect(first.services[0].id).toBe(service);
    expect(first.plugins[1].id).toBe(
      uuidV5(uuidV5(root, 'plugins'), `plugins:*:request-termination::${service}:`),
    );
    const ids = [...first.services, ...first.routes, ...first.plugins].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('entities without a name keep their id while their content stays', () => {
    const routes = (more: string) => load(`${head}routes:\n- paths: [/a]\n- paths: [/a]\n${more}`);
    const [first, second, third] = routes('- paths: [/b]').routes;
    expect(new Set([first.id, second.id, third.id]).size).toBe(3);
    expect(routes('- paths: [/c]').routes[1].id).toBe(second.id);
  });

  test('given ids and times stay; references by id and by name are the same', () => {
    const id = '5fa7e5a1-1b6c-4f7a-9a51-b3d5a0f5c001';
    const { services, routes } = load(`${head}services:
- {id: ${id}, name: s, host: h, created_at: 5, updated_at: 6}
routes:
- {paths: [/a], service: ${id}}
- {paths: [/b], service: {id: ${id}}}
- {paths: [/c], service: {name: s}}`);
    expect(services[0]).toMatchObject({ id, created_at: 5, updated_at: 6 });
    for (const route of routes) expect(route.service).toBe(services[0]);
  });

  test('the answer of POST /config holds every entity with references as ids', () => {
    const { entities, routes, services } = load(text);
    expect(Object.keys(entities).sort()).toEqual(['consumers', 'plugins', 'routes', 'services']);
    expect(entities.routes[routes[0].id]).toMatchObject({
      name: 'list',
      service: { id: services[0].id },
    });
    expect(JSON.parse(JSON.stringify(entities))).toEqual(entities);
  });

  test('nothing can be changed', () => {
    const { plugins, services } = load(text);
    expect(() => Object.assign(services[0], { host: 'x' })).toThrow(TypeError);
    expect(() => Object.assign(plugins[0].config, { status_code: 1 })).toThrow(TypeError);
  });

  test('the hash is of the text; that of nothing is zeros', () => {
    expect(load(text).hash).toBe(createHash('md5').update(text).digest('hex'));
    expect(emptySnapshot.hash).toBe('0'.repeat(32));
  });

  test('a configuration without services is valid', () => {
    expect(load(head)).toMatchObject({ services: [], routes: [], plugins: [], entities: {} });
    expect(load('{"_format_version":"3.0","services":null,"upstreams":[]}').services).toEqual([]);
  });

  test('what was loaded loads again', () => {
    const { entities } = load(text);
    const flat = Object.fromEntries(
      Object.entries(entities).map(([name, byId]) => [name, Object.values(byId)]),
    );
    const again = load(JSON.stringify({ _format_version: '3.0', _transform: false, ...flat }));
    expect(again.entities).toEqual(entities);
  });
});

describe('expressions', () => {
  const options = { routerFlavor: 'expressions' };

  test('stand beside classic routes', () => {
    const text = `${head}routes:\n- {expression: 'http.path == "/"', priority: 7}\n- paths: [/]`;
    const { routes } = load(text, options);
    expect(routes.map(({ expression, priority }) => [expression, priority])).toEqual([
      ['http.path == "/"', 7],
      [null, 0],
    ]);
  });

  test('exclude classic fields', () => {
    const text = `${head}routes:\n- {expression: 'true', paths: [/]}\n- {priority: 1}`;
    expect(report(text, options)).toEqual([
      "3:3: route: these sets are mutually exclusive: ('expression'), ('paths')",
      "4:3: route: must set one of 'methods', 'hosts', 'headers', 'paths', 'snis', 'expression' " +
        "when 'protocols' is 'https'",
    ]);
  });

  test('that do not compile are errors of the route, at the place of the field', () => {
    const text = [
      `${head}routes:`,
      '- name: a',
      "  expression: 'http.path == 1'",
      '- name: b',
      '  protocols: [tcp]',
      '  expression: \'http.path == "/"\'',
      '- name: c',
      "  expression: 'http.path =='",
    ].join('\n');
    const failed = 'Router Expression failed validation:';
    const mismatch = 'Type mismatch between the LHS and RHS values of predicate';
    expect(report(text, options)).toEqual([
      `4:15: route 'a': ${failed} ${mismatch}: expected String, found Int (column 14)`,
      `7:15: route 'b': ${failed} Unknown LHS field: http.path (column 1)`,
      expect.stringMatching(/^9:15: route 'c': Router Exp[^]* 1:13\n[^]* expected a string, /),
    ]);
    expect(problemsOf(text, options)[0]).toMatchObject({ at: 'entity', path: ['routes', 0] });
  });
});

describe('formats before 3.0', () => {
  const paths = (version: string, list: string) =>
    load(`_format_version: "${version}"\nservices: [{host: h, routes: [{paths: ${list}}]}]`);

  test.each(['1.1', '2.1'])('%s: paths that are no plain text become regular expressions', (v) => {
    const { routes } = paths(
      v,
      String.raw`[/a, "/a%2fb", "/a%20b/../c", '/u/\d+', "/x(%2E|%7B)", "/%C3%B8+"]`,
    );
    expect(routes[0].paths).toEqual([
      '/a',
      '/a%2Fb',
      '/c',
      String.raw`~/u/\d+`,
      String.raw`~/x(\.|\{)`,
      '~/ø+',
    ]);
  });

  test('3.0 leaves them', () => {
    expect(paths('3.0', '["~/u/\\\\d+"]').routes[0].paths).toEqual(['~/u/\\d+']);
  });
});
