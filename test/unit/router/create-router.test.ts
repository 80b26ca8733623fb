import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createRouter, type RouterFlavor, type RouterRequest } from '../../../src/router/index.js';

interface Vector {
  readonly name: string;
  readonly flavor: RouterFlavor;
  readonly services: readonly { name: string; enabled?: boolean }[];
  readonly routes: readonly { name: string; service?: string | null }[];
  readonly request: RouterRequest & { readonly path: string };
  readonly expect: {
    readonly route: string | null;
    readonly upstream_path?: string;
    readonly upstream_host?: string;
    readonly uri_captures?: Record<string, string> | null;
  };
}

function vectorsOf(name: string): readonly Vector[] {
  const file = new URL(`../../compat/${name}`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).vectors;
}

const spoken = [
  ...vectorsOf('router.json').filter(({ flavor }) => flavor !== 'expressions'),
  ...vectorsOf('router-statements.json'),
];

const documentOf = ({ services, routes }: Pick<Vector, 'services' | 'routes'>) => ({
  _format_version: '3.0',
  services,
  routes: routes.map(({ service, ...route }) => ({
    ...route,
    service: service ? { name: service } : null,
  })),
});

const oneRoute = (route: object, flavor?: RouterFlavor) =>
  createRouter({
    config: documentOf({ services: [], routes: [{ name: 'r', ...route }] }),
    flavor,
  });

describe('createRouter', () => {
  // one core for each flavour: every router reserves its address space
  const routers = new Map<RouterFlavor, ReturnType<typeof createRouter>>();

  test.each(spoken.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const { flavor, expect: wanted } = vector;
    let router = routers.get(flavor);
    router ??= createRouter({ config: { _format_version: '3.0' }, flavor });
    routers.set(flavor, router);
    router.replace(documentOf(vector));
    const match = router.match(vector.request);
    expect(match?.route.name ?? null).toBe(wanted.route);
    if (wanted.upstream_path !== undefined) expect(match?.upstreamPath).toBe(wanted.upstream_path);
    if (wanted.upstream_host !== undefined) expect(match?.upstreamHost).toBe(wanted.upstream_host);
    if (wanted.uri_captures === undefined) return;
    const { captures = null } = match ?? {};
    expect(captures && { ...captures }).toEqual(wanted.uri_captures);
  });

  test.each([
    ['http.path ~ r#"^/u/(?<id>\\d+)"#', '/u/42', { 0: '/u/42', 1: '42', id: '42' }],
    ['http.path ~ "^/(a)" || http.path ~ "/(b)"', '/a/b', { 0: '/a', 1: 'a' }],
    ['(http.path ~ "^/(x)") || (http.path ~ "/(b)")', '/a/b', { 0: '/b', 1: 'b' }],
    ['lower(http.path) ~ "^/(q)"', '/Q', { 0: '/q', 1: 'q' }],
    ['http.headers.v ~ "([0-9])$" && http.path ^= "/"', '/', { 0: '7', 1: '7' }],
    ['http.path.segments.1 ~ "^(?<two>t)"', '/o/tw', { 0: 't', 1: 't', two: 't' }],
    ['http.method == "GET" && http.path ~ "^/(g)"', '/g', { 0: '/g', 1: 'g' }],
    ['http.path ^= "/"', '/', null],
  ])('captures of the expression %s', (expression, path, wanted) => {
    const router = oneRoute({ expression }, 'expressions');
    const match = router.match({ path, host: 'h.test', headers: { v: '67' } });
    expect(match?.captures ? { ...match.captures } : match?.captures).toEqual(wanted);
  });

  test('a configuration with a problem is refused, and the one in use stays', () => {
    const router = oneRoute({ paths: ['/a'] });
    expect(() => router.replace({ _format_version: '3.0', routes: [{ paths: ['~/('] }] })).toThrow(
      /invalid regex/,
    );
    expect(router.match({ path: '/a/b' })).toMatchObject({
      matchedPath: '/a',
      upstreamPath: null,
      captures: null,
    });
  });

  test('what a gateway refuses before it looks matches nothing', () => {
    const router = oneRoute({ paths: ['/'] });
    for (const path of ['/%zz', '/a/../..', `/${'x'.repeat(9000)}`]) {
      expect(router.match({ path })).toBeNull();
    }
  });

  test('loads nothing of the gateway', () => {
    const hook = 'export const load = (url, c, next) => (process._rawDebug(url), next(url, c));';
    const dataOf = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
    const hookUrl = JSON.stringify(dataOf(hook));
    const code = `import { register } from 'node:module'; register(${hookUrl});`;
    const entry = new URL('../../../dist/router/index.js', import.meta.url);
    const args = ['--import', dataOf(code), entry.pathname];
    const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const own = stderr.replace(/^.*node_modules.*$/gm, '');
    const loaded = own.match(/(?<=\/dist\/)[a-z-]+(?=[/.].*js$)/gm) ?? [];
    const folders = ['config', 'core', 'errors', 'limits', 'router', 'slices', 'tls'];
    expect([...new Set(loaded)].sort()).toEqual(folders);
    expect(own).not.toMatch(/config\/setting|workers|driver/);
  });

  test('the example', () => {
    const output = execFileSync(process.execPath, ['examples/router.mjs'], { encoding: 'utf8' });
    expect(output).toBe(
      '/orders/42/items?all -> orders 42 shop.internal/v2/items?all\n' +
        '/about -> everything - shop.internal/v2/about\n',
    );
  });
});

describe('captures', () => {
  test('header patterns write over those of the path, by position', () => {
    const router = oneRoute({
      paths: ['~/(?<a>[a-z]+)/(?<b>\\d+)'],
      headers: { 'x-y': ['~*v(?<c>[0-9])'] },
    });
    const match = router.match({ path: '/ab/12', headers: { 'X-Y': ['no', 'V7'] } });
    expect({ ...match?.captures }).toEqual({ 0: 'v7', 1: '7', 2: '12', a: 'ab', b: '12', c: '7' });
  });

  test('are texts of the decoded path', () => {
    const router = oneRoute({ paths: ['~/(?<name>[^/]+)$'] });
    expect(router.match({ path: '/endel%C3%B8st' })?.captures?.name).toBe('endeløst');
  });

  test('in the flavour traditional the whole match is the path', () => {
    const router = oneRoute({ paths: ['~/(?<id>\\d+)'] }, 'traditional');
    expect({ ...router.match({ path: '/7/x' })?.captures }).toEqual({ 0: '/7/x', 1: '7', id: '7' });
    const none = oneRoute({ paths: ['~/\\d+'] }, 'traditional');
    expect(none.match({ path: '/7/x' })?.captures).toBeNull();
  });
});
