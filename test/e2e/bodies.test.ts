import { createServer, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { definePlugin, type PluginDefinition } from '../../src/plugin/define.js';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';

const fields = {} as const;
type Definition = PluginDefinition<typeof fields>;

function plugin(name: string, handlers: Partial<Definition>, priority = 100): Definition {
  return definePlugin({ name, version: '1.0.0', priority, schema: { fields }, ...handlers });
}

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A gateway in front of an upstream that answers with what `answer` makes of the request. */
async function withPlugins(
  plugins: readonly Definition[],
  answer: (seen: Seen) => string = ({ body }) => `echo ${body}`,
  settings: Record<string, string> = {},
) {
  const seen: Seen[] = [];
  const upstream = await startUpstream((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body };
      seen.push(one);
      if (response.headersSent) return;
      response.setHeader('x-upstream', 'yes');
      response.end(answer(one));
    });
  });
  const config = oneService(
    upstream.url,
    plugins.map(({ name }) => ({ name })),
  );
  return { seen, upstream, ...(await startGateway({ config, plugins, settings })) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the request body', () => {
  test.each([
    ['at once', async () => {}],
    ['later', turn],
  ])('is read %s', async (_, wait) => {
    const { proxy, seen } = await withPlugins([
      plugin('reader', {
        async access(ctx) {
          await wait();
          ctx.service.request.setHeader('x-length', String((await ctx.request.body()).length));
          ctx.service.request.setHeader('x-again', (await ctx.request.text()).slice(0, 3));
        },
      }),
    ]);
    for (const size of [0, 3, 70_000, 400_000]) {
      const body = 'abc'.repeat(Math.ceil(size / 3)).slice(0, size);
      const response = await fetch(proxy, { method: 'POST', body });
      expect(await response.text()).toBe(`echo ${body}`);
      const { headers } = seen[seen.length - 1];
      expect(headers['content-length']).toBe(String(size));
      expect(headers['x-length']).toBe(String(size));
    }
  });

  test('that came chunked goes on with its length, once it was read', async () => {
    const { proxy, seen } = await withPlugins([
      plugin('reader', { access: (ctx) => ctx.request.body().then(() => {}) }),
    ]);
    const parts = ['one ', 'two ', 'three'];
    const body = new ReadableStream({
      async pull(controller) {
        await turn();
        const part = parts.shift();
        if (part === undefined) controller.close();
        else controller.enqueue(Buffer.from(part));
      },
    });
    const response = await fetch(proxy, { method: 'POST', body, duplex: 'half' } as RequestInit);
    expect(await response.text()).toBe('echo one two three');
    expect(seen[0].headers['content-length']).toBe('13');
    expect(seen[0].headers['transfer-encoding']).toBeUndefined();
  });

  test('is asked for with 100 Continue when it is read', async () => {
    const { proxyPort } = await withPlugins([
      plugin('reader', { access: (ctx) => ctx.request.body().then(() => {}) }),
    ]);
    const socket = connect(proxyPort, '127.0.0.1');
    let text = '';
    socket.on('data', (data) => {
      text += data;
    });
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
    await until(() => text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
    socket.write('hi');
    await until(() => text.includes('echo hi'));
    socket.destroy();
  });

  test('above the buffer is answered 413, or goes on where a plugin copes', async () => {
    let copes = false;
    const { proxy } = await withPlugins(
      [
        plugin('reader', {
          async access(ctx) {
            try {
              await ctx.request.body();
            } catch (error) {
              if (!copes) throw error;
            }
          },
        }),
      ],
      ({ body }) => String(body.length),
      { client_body_buffer_size: '1k' },
    );
    const body = 'x'.repeat(5000);
    const chunks = () =>
      fetch(proxy, {
        method: 'POST',
        duplex: 'half',
        body: new Blob([body]).stream(),
      } as RequestInit);
    expect((await fetch(proxy, { method: 'POST', body })).status).toBe(413);
    expect((await chunks()).status).toBe(413);
    copes = true;
    expect(await (await fetch(proxy, { method: 'POST', body })).text()).toBe('5000');
    expect(await (await chunks()).text()).toBe('5000');
  });

  test('can be replaced, given and taken', async () => {
    const { proxy, seen } = await withPlugins([
      plugin('writer', {
        async access(ctx) {
          if (ctx.request.path === '/read') await ctx.request.body();
          ctx.service.request.setBody(ctx.request.path === '/none' ? '' : 'ours');
          if (ctx.request.method === 'GET') ctx.service.request.setMethod('POST');
        },
      }),
    ]);
    const post = { method: 'POST', body: 'theirs'.repeat(20_000) };
    expect(await (await fetch(`${proxy}/`, post)).text()).toBe('echo ours');
    expect(await (await fetch(`${proxy}/read`, post)).text()).toBe('echo ours');
    expect(await (await fetch(`${proxy}/none`, post)).text()).toBe('echo ');
    expect(await (await fetch(`${proxy}/`)).text()).toBe('echo ours');
    expect(seen.map(({ headers }) => headers['content-length'])).toEqual(['4', '4', '0', '4']);
  });

  test('of a client that leaves rejects, and harms nobody', async () => {
    let failed = 0;
    const { proxy, proxyPort } = await withPlugins([
      plugin('reader', {
        async access(ctx) {
          if (ctx.request.path !== '/leave') return;
          await ctx.request.body().catch(() => {
            failed++;
          });
        },
      }),
    ]);
    const socket = connect(proxyPort, '127.0.0.1');
    socket.write('POST /leave HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart');
    await turn();
    socket.resetAndDestroy();
    await until(() => failed === 1);
    expect(await (await fetch(proxy, { method: 'POST', body: 'b' })).text()).toBe('echo b');
  });

  test('is given again where a pooled connection turns out to be closed', async () => {
    let dropped = false;
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        bodies.push(body);
        if (bodies.length === 2 && !dropped) {
          dropped = true;
          request.socket.destroy();
        } else response.end('ok');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const reader = plugin('reader', { access: (ctx) => ctx.request.body().then(() => {}) });
    const config = oneService(`http://127.0.0.1:${port}`, [{ name: 'reader' }]);
    const { proxy } = await startGateway({ config, plugins: [reader] });
    for (const body of ['first', 'second']) {
      expect((await fetch(proxy, { method: 'PUT', body })).status).toBe(200);
    }
    expect(bodies).toEqual(['first', 'second', 'second']);
    server.closeAllConnections();
    server.close();
  });
});

describe('bodyFilter', () => {
  const upper = (_: unknown, chunk: Uint8Array) => Buffer.from(chunk).toString().toUpperCase();

  test('sees every part once, the last marked, and gives what is sent instead', async () => {
    const ends: boolean[] = [];
    const { proxy } = await withPlugins([
      plugin('upper', { bodyFilter: upper }, 200),
      plugin('tail', {
        bodyFilter(ctx, chunk, isLast) {
          ends.push(isLast);
          const end = ` ${ctx.response.status} ${ctx.response.header('x-upstream')}`;
          return isLast ? Buffer.concat([chunk, Buffer.from(end)]) : undefined;
        },
      }),
    ]);
    for (const size of [0, 10, 300_000]) {
      ends.length = 0;
      const response = await fetch(proxy, { method: 'POST', body: 'b'.repeat(size) });
      expect(await response.text()).toBe(`ECHO ${'B'.repeat(size)} 200 yes`);
      expect(response.headers.get('content-length')).toBeNull();
      expect(ends.filter((end) => end)).toHaveLength(1);
      expect(ends[ends.length - 1]).toBe(true);
    }
  });

  test('runs for answers of plugins and of the gateway, which keep a length', async () => {
    const { proxy } = await startGateway({
      config: { _format_version: '3.0', plugins: [{ name: 'upper' }] },
      plugins: [plugin('upper', { bodyFilter: upper })],
    });
    const none = await fetch(proxy);
    expect(await none.text()).toContain('NO ROUTE MATCHED');
    expect(none.headers.get('content-length')).not.toBeNull();
    const exit = await withPlugins([
      plugin('upper', { bodyFilter: upper, access: (ctx) => ctx.response.exit(200, 'mine') }),
    ]);
    expect(await (await fetch(exit.proxy)).text()).toBe('MINE');
    expect(await (await fetch(exit.proxy, { method: 'HEAD' })).text()).toBe('');
  });

  test('that fails breaks the answer off, and is named in the log', async () => {
    const { proxy, lines } = await withPlugins([
      plugin('faulty', {
        bodyFilter() {
          throw new Error('no');
        },
      }),
    ]);
    await expect(fetch(proxy).then((response) => response.text())).rejects.toThrow();
    expect(lines.find((line) => line.level === 'error')?.msg).toBe('plugin faulty failed: no');
  });

  test('leaves HEAD, 204 and keep-alive as they are', async () => {
    const { proxyPort, upstream } = await withPlugins([plugin('upper', { bodyFilter: upper })]);
    upstream.server.prependListener('request', (request, response) => {
      if (request.url === '/204') response.statusCode = 204;
    });
    const socket = connect(proxyPort, '127.0.0.1');
    let text = '';
    socket.on('data', (data) => {
      text += data;
    });
    socket.write(
      ['HEAD /', 'GET /204', 'POST /x', 'GET /']
        .map((line) => `${line} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`)
        .join(''),
    );
    await until(
      () => (text.match(/HTTP\/1\.1 /g) ?? []).length === 4 && text.endsWith('0\r\n\r\n'),
    );
    expect(text.match(/ECHO/g)).toHaveLength(2);
    expect(text.match(/HTTP\/1\.1 (\d+)/g)).toEqual([
      'HTTP/1.1 200',
      'HTTP/1.1 204',
      'HTTP/1.1 200',
      'HTTP/1.1 200',
    ]);
    socket.destroy();
  });
});

describe('response', () => {
  test('has the whole answer, may change all of it, then the filters run', async () => {
    const { proxy } = await withPlugins([
      plugin(
        'whole',
        {
          async response(ctx) {
            const text = Buffer.from(ctx.service.response.body).toString();
            await turn();
            ctx.response.setBody(`${text.length} bytes`);
            ctx.response.setHeader('x-was', String(ctx.service.response.status));
            ctx.response.status = 203;
          },
        },
        20,
      ),
      plugin('filter', {
        headerFilter: (ctx) => ctx.response.setHeader('x-seen', String(ctx.response.status)),
        bodyFilter: (_, chunk, isLast) => `${isLast} ${Buffer.from(chunk)}`,
      }),
    ]);
    const response = await fetch(proxy, { method: 'POST', body: 'b'.repeat(200_000) });
    expect([response.status, await response.text()]).toEqual([203, 'true 200005 bytes']);
    expect(response.headers.get('x-was')).toBe('200');
    expect(response.headers.get('x-seen')).toBe('203');
    expect(response.headers.get('content-length')).toBe('17');
  });

  test('may answer instead', async () => {
    const { proxy } = await withPlugins([
      plugin('whole', {
        response: (ctx) => ctx.response.exit(418, { short: true }, { 'x-own': '1' }),
      }),
      plugin('filter', {
        headerFilter: (ctx) => ctx.response.setHeader('x-filter', String(ctx.response.status)),
      }),
    ]);
    for (let i = 0; i < 2; i++) {
      const response = await fetch(proxy);
      expect([response.status, await response.json()]).toEqual([418, { short: true }]);
      expect(response.headers.get('x-own')).toBe('1');
      expect(response.headers.get('x-filter')).toBe('418');
      expect(response.headers.has('x-upstream')).toBe(false);
    }
  });

  test('that fails, or whose answer is cut or too large, gives an error answer', async () => {
    const { proxy, lines, upstream } = await withPlugins(
      [
        plugin('whole', {
          response(ctx) {
            if (ctx.request.path === '/throw') throw new Error('no');
          },
        }),
      ],
      ({ url }) => (url === '/large' ? 'x'.repeat(5000) : 'ok'),
      { response_buffer_size: '1k' },
    );
    upstream.server.prependListener('request', (request, response) => {
      if (request.url !== '/cut') return;
      response.setHeader('content-length', '100');
      response.write('part');
      setTimeout(() => request.socket.destroy(), 20);
    });
    expect((await fetch(`${proxy}/throw`)).status).toBe(500);
    expect((await fetch(`${proxy}/large`)).status).toBe(500);
    expect((await fetch(`${proxy}/cut`)).status).toBe(502);
    expect(await (await fetch(`${proxy}/fine`)).text()).toBe('ok');
    expect(lines.filter((line) => line.level === 'error')).toHaveLength(2);
  });

  test('is left out where access answers', async () => {
    let ran = 0;
    const { proxy } = await withPlugins([
      plugin('whole', {
        access: (ctx) => ctx.response.exit(200, 'early'),
        response: () => void ran++,
      }),
    ]);
    expect(await (await fetch(proxy)).text()).toBe('early');
    expect(ran).toBe(0);
  });

  test('a header filter may answer instead; its body goes through the body filters', async () => {
    const { proxy } = await withPlugins([
      plugin('instead', {
        headerFilter: (ctx) => ctx.response.exit(201, 'other'),
        bodyFilter: (_, chunk) => `<${Buffer.from(chunk)}>`,
      }),
    ]);
    const response = await fetch(proxy);
    expect([response.status, await response.text()]).toEqual([201, '<other>']);
  });
});
