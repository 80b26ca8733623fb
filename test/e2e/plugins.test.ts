import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { definePlugin, type PluginDefinition } from '../../src/plugin/define.js';
import type { LogEntry } from '../../src/plugin/log-types.js';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';

const fields = { greeting: { type: 'string', default: 'hello' } } as const;
type Definition = PluginDefinition<typeof fields>;

/** A plugin named `name` with these handlers. */
function plugin(name: string, handlers: Partial<Definition>, priority = 100): Definition {
  return definePlugin({ name, version: '1.0.0', priority, schema: { fields }, ...handlers });
}

/** A gateway with one route in front of an echoing upstream, running the given plugins on it. */
async function withPlugins(...plugins: Definition[]) {
  const upstream = await startUpstream((request, response) => {
    response.setHeader('x-upstream', 'yes');
    response.end(`${request.method} ${request.url}`);
  });
  const config = oneService(
    upstream.url,
    plugins.map(({ name }) => ({ name })),
  );
  return { upstream, ...(await startGateway({ config, plugins })) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('access', () => {
  test('reads the request and edits what goes upstream', async () => {
    const seen: unknown[] = [];
    const { proxy, upstream } = await withPlugins(
      plugin('edit', {
        access(ctx) {
          const { request, client } = ctx;
          seen.push(request.method, request.path, request.rawPath, request.query('a'));
          seen.push(request.header('X-In'), request.host, request.scheme, client.ip);
          seen.push(ctx.route?.name, ctx.service.entity?.name, ctx.config.greeting);
          ctx.service.request.setHeader('x-set', 'new');
          ctx.service.request.addHeader('x-in', 'second');
          ctx.service.request.removeHeader('x-gone');
          ctx.service.request.setPath('/other path');
          ctx.service.request.setQuery('b=2');
          ctx.service.request.setMethod('PUT');
        },
      }),
    );
    const headers = { 'x-in': 'first', 'x-gone': '1', 'x-set': 'old' };
    const response = await fetch(`${proxy}/x/../some?a=1`, { method: 'POST', body: 'b', headers });
    expect(await response.text()).toBe('PUT /other%20path?b=2');
    expect(seen.slice(0, 4)).toEqual(['POST', '/some', '/some', '1']);
    expect(seen.slice(4, 8)).toEqual(['first', '127.0.0.1', 'http', '127.0.0.1']);
    expect(seen.slice(8)).toEqual(['all', 'one', 'hello']);
    const sent = upstream.requests[0].headers;
    expect(sent['x-set']).toBe('new');
    expect(sent['x-in']).toBe('first, second');
    expect(sent['x-gone']).toBeUndefined();
  });

  test.each([
    ['at once', async () => {}],
    ['after a turn', turn],
  ])('exit answers %s; later access plugins do not run, header filters do', async (_, wait) => {
    const ran: string[] = [];
    const { proxy, upstream } = await withPlugins(
      plugin(
        'first',
        {
          async access(ctx) {
            await wait();
            ctx.response.setHeader('x-early', 'kept');
            ctx.response.setHeader('x-both', 'early');
            ctx.response.exit(418, { short: 'stout' }, { 'x-both': 'exit' });
          },
          headerFilter: () => void ran.push('first filter'),
        },
        20,
      ),
      plugin(
        'second',
        {
          access: () => void ran.push('second access'),
          headerFilter(ctx) {
            ran.push(`second filter ${ctx.response.status} ${ctx.response.header('X-Both')}`);
            ctx.response.setHeader('x-both', 'filter');
            ctx.response.addHeader('x-late', ctx.request.path);
          },
        },
        10,
      ),
    );
    const response = await fetch(`${proxy}/pot`);
    expect(response.status).toBe(418);
    expect(await response.json()).toEqual({ short: 'stout' });
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('x-early')).toBe('kept');
    expect(response.headers.get('x-both')).toBe('filter');
    expect(response.headers.get('x-late')).toBe('/pot');
    expect(ran).toEqual(['first filter', 'second filter 418 exit']);
    expect(upstream.requests).toHaveLength(0);
  });

  test('a promise parks the request; others go on meanwhile, edits arrive', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { proxy, upstream } = await withPlugins(
      plugin('park', {
        async access(ctx) {
          if (ctx.request.path !== '/slow') return;
          await gate;
          ctx.service.request.setHeader('x-after', ctx.request.header('x-before') ?? 'lost');
        },
      }),
    );
    const slow = fetch(`${proxy}/slow`, {
      method: 'POST',
      body: 'body that waits',
      headers: { 'x-before': 'kept' },
    });
    const others = await Promise.all(
      Array.from({ length: 20 }, (_, i) => fetch(`${proxy}/${i}`).then((one) => one.text())),
    );
    expect(others).toEqual(others.map((_, i) => `GET /${i}`));
    release();
    expect(await (await slow).text()).toBe('POST /slow');
    expect(upstream.requests.at(-1)?.headers['x-after']).toBe('kept');
  });

  test('a hundred parked at once each get their own edits', async () => {
    const { proxy } = await withPlugins(
      plugin('own', {
        async access(ctx) {
          const { path } = ctx.request;
          for (let i = 0; i < 1 + (Number(path.slice(1)) % 5); i++) await turn();
          if (Number(path.slice(1)) % 2) ctx.response.exit(200, `exit ${path}`);
          else ctx.service.request.setPath(`/edited${path}`);
        },
      }),
    );
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => fetch(`${proxy}/${i}`).then((one) => one.text())),
    );
    const expected = answers.map((_, i) => (i % 2 ? `exit /${i}` : `GET /edited/${i}`));
    expect(answers).toEqual(expected);
  });

  test('a client that leaves while its request is parked harms nobody', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let parked = 0;
    const { proxy, proxyPort, upstream, admin } = await withPlugins(
      plugin('park', {
        async access(ctx) {
          if (ctx.request.path !== '/leave') return;
          parked++;
          await gate;
          ctx.response.exit(200, `for the one who left: ${ctx.request.path}`);
        },
      }),
    );
    const socket = connect(proxyPort, '127.0.0.1');
    socket.write('GET /leave HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => parked === 1);
    socket.resetAndDestroy();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(await (await fetch(`${proxy}/before`)).text()).toBe('GET /before');
    release();
    await turn();
    expect(await (await fetch(`${proxy}/after`)).text()).toBe('GET /after');
    expect(upstream.requests).toHaveLength(2);
    const status = (await (await fetch(`${admin}/status`)).json()) as {
      server: { connections_writing: number };
    };
    expect(status.server.connections_writing).toBe(0);
  });

  test('plugins share an object within one request only', async () => {
    const { proxy } = await withPlugins(
      plugin(
        'writer',
        {
          access(ctx) {
            ctx.shared.count = Number(ctx.shared.count ?? 0) + 1;
          },
        },
        20,
      ),
      plugin('reader', {
        headerFilter: (ctx) => ctx.response.setHeader('x-count', String(ctx.shared.count)),
      }),
    );
    for (let i = 0; i < 3; i++) {
      expect((await fetch(proxy)).headers.get('x-count')).toBe('1');
    }
  });
});

describe('a plugin that fails', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('secret reason');
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret reason'))],
    [
      'sets a header with a line break',
      (ctx: { service: { request: { setHeader(name: string, value: string): void } } }) =>
        ctx.service.request.setHeader('x', 'secret reason\r\nx: y'),
    ],
  ])('is answered 500 where it %s, and named in the log', async (_, access) => {
    const { proxy, lines, upstream } = await withPlugins(
      plugin('faulty', { access: access as Definition['access'] }),
    );
    const response = await fetch(proxy);
    expect(response.status).toBe(500);
    const body = (await response.json()) as { message: string; request_id: string };
    expect(body.message).toBe('An unexpected error occurred');
    expect(body.request_id).toBe(response.headers.get('x-kong-request-id'));
    expect(upstream.requests).toHaveLength(0);
    const line = lines.find((one) => one.level === 'error');
    expect(line).toMatchObject({ plugin: 'faulty', request_id: body.request_id });
    expect(line?.msg).toMatch(/^plugin faulty failed: /);
  });

  test('in the header filter turns the answer into a 500 and is logged', async () => {
    const { proxy, lines, upstream } = await withPlugins(
      plugin('faulty', {
        headerFilter(ctx) {
          ctx.response.setHeader('x-half', 'done');
          throw new Error('no');
        },
      }),
    );
    for (let i = 0; i < 2; i++) {
      const response = await fetch(proxy);
      expect(response.status).toBe(500);
      expect(response.headers.has('x-half')).toBe(false);
      expect(await response.json()).toMatchObject({ message: 'An unexpected error occurred' });
    }
    expect(upstream.requests).toHaveLength(2);
    expect(lines.find((one) => one.level === 'error')?.msg).toBe('plugin faulty failed: no');
  });

  test('in the header filter of an answer of its own is answered 500, too', async () => {
    const { proxy } = await withPlugins(
      plugin('faulty', {
        access: (ctx) => ctx.response.exit(204),
        headerFilter() {
          throw new Error('no');
        },
      }),
    );
    expect((await fetch(proxy)).status).toBe(500);
  });

  test('a header filter that returns a promise is refused, not awaited', async () => {
    const headerFilter = (async () => {}) as unknown as Definition['headerFilter'];
    const { proxy, lines } = await withPlugins(plugin('lazy', { headerFilter }));
    expect((await fetch(proxy)).status).toBe(500);
    expect(lines.find((one) => one.level === 'error')?.msg).toContain('it must be synchronous');
  });
});

describe('header filter', () => {
  test('reads and edits the answer of the upstream', async () => {
    const { proxy } = await withPlugins(
      plugin('filter', {
        headerFilter(ctx) {
          const { response, request } = ctx;
          response.setHeader('x-saw', `${response.status} ${response.header('X-Upstream')}`);
          response.setHeader('x-for', `${request.method} ${request.path} ${request.header('x-q')}`);
          response.removeHeader('x-upstream');
          response.status = 203;
        },
      }),
    );
    const response = await fetch(`${proxy}/p`, { headers: { 'x-q': 'question' } });
    expect(response.status).toBe(203);
    expect(response.headers.get('x-saw')).toBe('200 yes');
    expect(response.headers.get('x-for')).toBe('GET /p question');
    expect(response.headers.has('x-upstream')).toBe(false);
    expect(await response.text()).toBe('GET /p');
  });

  test('sets status and fields of answers of the gateway, one of each', async () => {
    const filter = plugin('filter', {
      headerFilter(ctx) {
        ctx.response.setHeader('x-type', String(ctx.response.header('content-type')));
        ctx.response.setHeader('content-type', 'text/x-own');
        ctx.response.setHeader('date', 'never');
        ctx.response.status = 410;
      },
    });
    const { proxy } = await startGateway({
      config: { _format_version: '3.0', plugins: [{ name: 'filter' }] },
      plugins: [filter],
    });
    const response = await fetch(proxy);
    expect(response.status).toBe(410);
    expect(response.headers.get('content-type')).toBe('text/x-own');
    expect(response.headers.get('x-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('date')).toBe('never');
  });

  test('a status without a body takes the body away; the other way round none comes', async () => {
    const { proxy, upstream } = await withPlugins(
      plugin('filter', {
        headerFilter(ctx) {
          ctx.response.status = ctx.request.path === '/none' ? 204 : 200;
        },
      }),
    );
    upstream.server.prependListener('request', (request, response) => {
      if (request.url === '/some') response.statusCode = 304;
    });
    for (let i = 0; i < 3; i++) {
      const none = await fetch(`${proxy}/none`);
      expect([none.status, await none.text()]).toEqual([204, '']);
      const some = await fetch(`${proxy}/some`);
      expect([some.status, await some.text()]).toEqual([200, '']);
    }
  });

  test('runs for answers of the gateway: no route, with global plugins', async () => {
    const filter = plugin('filter', {
      access: (ctx) => ctx.response.exit(500, 'access must not run'),
      headerFilter: (ctx) => ctx.response.setHeader('x-route', String(ctx.route)),
    });
    const { proxy } = await startGateway({
      config: { _format_version: '3.0', plugins: [{ name: 'filter' }] },
      plugins: [filter],
    });
    const response = await fetch(proxy);
    expect(response.status).toBe(404);
    expect(response.headers.get('x-route')).toBe('null');
  });
});

describe('log', () => {
  test("gets every record once with its plugin's config, also of refused requests", async () => {
    const entries: { entry: LogEntry; greeting: string }[] = [];
    const { proxy } = await withPlugins(
      plugin('logger', {
        access(ctx) {
          if (ctx.request.path === '/no') ctx.response.exit(403, 'no');
        },
        log: (entry, { greeting }) => void entries.push({ entry, greeting }),
      }),
    );
    for (const path of ['/a', '/no', '/b']) await (await fetch(proxy + path)).text();
    await until(() => entries.length === 3);
    const rows = entries.map(({ entry, greeting }) => {
      const { request, response, source } = entry as never as {
        request: { uri: string };
        response: { status: number };
        source: string;
      };
      return [request.uri, response.status, source, greeting];
    });
    expect(rows).toEqual([
      ['/a', 200, 'upstream', 'hello'],
      ['/no', 403, 'kong', 'hello'],
      ['/b', 200, 'upstream', 'hello'],
    ]);
  });

  test('a handler that fails is logged and does not stop the next', async () => {
    let calls = 0;
    const { proxy, lines } = await withPlugins(
      plugin('logger', {
        log() {
          if (++calls === 1) throw new Error('first only');
        },
      }),
    );
    for (let i = 0; i < 2; i++) await (await fetch(proxy)).text();
    await until(() => calls === 2);
    const failed = lines.filter((line) => line.msg === 'plugin logger failed in log');
    expect(failed).toHaveLength(1);
  });
});
