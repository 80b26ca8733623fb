import { describe, expect, test } from 'vitest';
import { definePlugin, type PluginDefinition } from '../../src/plugin/define.js';
import { startGateway, startUpstream } from '../support/gateway.js';

const fields = {} as const;
type Definition = PluginDefinition<typeof fields>;

async function withRewrite(rewrite: Definition['rewrite'], more: Partial<Definition> = {}) {
  const upstream = await startUpstream((request, response) => {
    response.end(`${request.method} ${request.url} ${request.headers['x-a']}`);
  });
  const plugin = definePlugin({
    name: 'early',
    version: '1.0.0',
    priority: 10,
    schema: { fields },
    rewrite,
    ...more,
  });
  const routes = [
    { name: 'b', paths: ['/b'], strip_path: false },
    { name: 'put', paths: ['/put'], methods: ['PUT'], strip_path: false },
    { name: 'host', hosts: ['other.test'], strip_path: false },
    { name: 'header', headers: { 'x-a': ['1'] }, paths: ['/h'], strip_path: false },
  ];
  const config = {
    _format_version: '3.0',
    plugins: [{ name: 'early' }],
    services: [{ name: 's', url: upstream.url, routes }],
  };
  return { upstream, ...(await startGateway({ config, plugins: [plugin] })) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('rewrite', () => {
  test.each([
    ['at once', () => undefined],
    ['after a turn', turn],
  ])('edits %s what the router sees', async (_, wait) => {
    const { proxy } = await withRewrite((ctx) => {
      const edit = () => {
        const { request } = ctx.service;
        const { path } = ctx.request;
        if (path === '/a') request.setPath('/b/c');
        if (path === '/a') request.setQuery('q=1');
        if (path === '/put') request.setMethod('PUT');
        if (path === '/host') request.setHeader('Host', 'other.test');
        if (path === '/h') request.setHeader('X-A', '1');
        if (path === '/gone') request.setPath('/nowhere');
      };
      const pending = wait();
      if (!pending) return edit();
      return pending.then(edit);
    });
    const get = async (path: string, init?: RequestInit) => {
      const response = await fetch(proxy + path, init);
      return `${response.status} ${await response.text()}`;
    };
    expect(await get('/a?x=2')).toBe('200 GET /b/c?q=1 undefined');
    const post = { method: 'POST', body: 'body', headers: { 'x-a': '0' } };
    expect(await get('/put', post)).toBe('200 PUT /put 0');
    expect(await get('/host')).toBe('200 GET /host undefined');
    expect(await get('/h', { headers: { 'x-a': '2' } })).toBe('200 GET /h 1');
    expect(await get('/b?same')).toBe('200 GET /b?same undefined');
    expect(await get('/gone')).toMatch(/^404 /);
  });

  test('that answers or fails is the end of it; global filters run', async () => {
    const ran: string[] = [];
    const { proxy, upstream } = await withRewrite(
      (ctx) => {
        if (ctx.request.path === '/fail') throw new Error('no');
        ctx.response.exit(299, 'early');
      },
      {
        access: () => void ran.push('access'),
        headerFilter: (ctx) => void ran.push(`filter ${ctx.response.status} ${ctx.route?.name}`),
      },
    );
    const response = await fetch(`${proxy}/b`);
    expect([response.status, await response.text()]).toEqual([299, 'early']);
    expect((await fetch(`${proxy}/fail`)).status).toBe(500);
    expect(ran).toEqual(['filter 299 undefined', 'filter 500 undefined']);
    expect(upstream.requests).toHaveLength(0);
  });

  test('shares its objects with the later phases', async () => {
    const { proxy } = await withRewrite(
      (ctx) => {
        ctx.shared.path = ctx.request.path;
        ctx.plugin.own = 1;
        ctx.response.setHeader('x-rewrite', '1');
      },
      {
        headerFilter: (ctx) =>
          ctx.response.setHeader('x-shared', `${ctx.shared.path} ${ctx.plugin.own}`),
      },
    );
    const response = await fetch(`${proxy}/b`);
    expect(response.headers.get('x-shared')).toBe('/b 1');
    expect(response.headers.get('x-rewrite')).toBe('1');
  });

  test('setTarget asks another upstream, by its own name', async () => {
    const other = await startUpstream((request, response) => {
      response.end(`other ${request.headers.host}`);
    });
    const { proxy } = await withRewrite(() => {}, {
      access(ctx) {
        ctx.service.setTarget('127.0.0.1', other.port);
        ctx.service.setRetries(0);
        ctx.service.setTimeouts(1000, 1000, 1000);
      },
    });
    expect(await (await fetch(`${proxy}/b`)).text()).toBe(`other 127.0.0.1:${other.port}`);
  });
});
