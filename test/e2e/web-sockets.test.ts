/** WebSockets whose frames plugins see, with real clients and servers at both ends. */
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type AnyPlugin, definePlugin } from '../../src/plugin/define.js';
import { selfSigned } from '../../src/tls/self-signed.js';
import { startGateway, until } from '../support/gateway.js';
import { openSocket, type SocketUpstream, socketUpstream } from '../support/web-socket.js';

type Handlers = Partial<Omit<Parameters<typeof definePlugin>[0], 'name' | 'version' | 'schema'>>;

const plugin = (handlers: Handlers, name = 'seer'): AnyPlugin =>
  definePlugin({ name, version: '1.0.0', priority: 500, schema: { fields: {} }, ...handlers });

/** A gateway before an upstream, with plugins on one route for WebSockets. */
async function stage(
  plugins: readonly AnyPlugin[],
  more: { upstream?: SocketUpstream; protocol?: string; settings?: object } = {},
) {
  const upstream = more.upstream ?? (await socketUpstream());
  const { protocol = 'ws', settings = {} } = more;
  const used = plugins.map(({ name }) => ({ name }));
  const routes = [{ name: 'r', paths: ['/'], protocols: ['ws', 'wss'], plugins: used }];
  const service = { name: 's', protocol, host: '127.0.0.1', port: upstream.port, routes };
  const running = await startGateway({
    config: { _format_version: '3.0', services: [service] },
    plugins,
    settings: settings as Record<string, string>,
  });
  const open = (path = '/') => openSocket(`ws://127.0.0.1:${running.proxyPort}${path}`, upstream);
  return { ...running, upstream, open };
}

const passive = plugin({ wsClientFrame: () => undefined, wsUpstreamFrame: () => undefined });

test('messages and control frames pass both ways', async () => {
  const { open, upstream } = await stage([passive]);
  const { client, server } = await open('/chat?x=1');
  client.socket.send('hello');
  client.socket.send(Buffer.from([1, 2, 3]));
  client.socket.ping('are you there');
  expect(await server.has(3)).toEqual(['text:hello', 'binary:\x01\x02\x03', 'ping:are you there']);
  server.socket.pong('yes');
  server.socket.send('welcome');
  expect(await client.has(2)).toEqual(['pong:yes', 'text:welcome']);
  expect(upstream.handshakes[0].url).toBe('/chat?x=1');
});

test('fragments arrive as one message, control frames between them at once', async () => {
  const { open } = await stage([passive]);
  const { client, server } = await open();
  client.socket.send('a', { fin: false });
  client.socket.send('b', { fin: false });
  client.socket.ping('now');
  expect(await server.has(1)).toEqual(['ping:now']);
  client.socket.send('', { fin: false });
  client.socket.send('c', { fin: true });
  expect(await server.has(2)).toEqual(['ping:now', 'text:abc']);
});

test('no extension is offered to the upstream where plugins see frames', async () => {
  const { open, upstream } = await stage([passive]);
  const { client } = await open();
  expect(upstream.handshakes[0].headers['sec-websocket-extensions']).toBe(undefined);
  expect(client.socket.extensions).toBe('');
});

test('without such plugins the bytes pass untouched, extensions and all', async () => {
  const { open } = await stage([plugin({ wsHandshake: () => undefined })]);
  const { client, server } = await open();
  expect(client.socket.extensions).toBe('permessage-deflate');
  client.socket.send('x'.repeat(5000));
  expect(await server.has(1)).toEqual(['text:5000 bytes of x']);
});

test('an extension that was not offered is refused with 501', async () => {
  const server = createServer();
  const upstream = await socketUpstream(server);
  server.removeAllListeners('upgrade');
  server.on('upgrade', (_, socket) => {
    socket.on('error', () => socket.destroy());
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n');
    socket.write('Connection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n');
  });
  const { open } = await stage([passive], { upstream });
  await expect(open()).rejects.toThrow('Unexpected server response: 501');
});

test('the plugins of a direction see each message in order, as those before left it', async () => {
  const text = (data: Uint8Array) => Buffer.from(data).toString();
  const first = plugin({
    priority: 20,
    wsClientFrame: (ctx) =>
      ctx.websocket.client.setFrameData(`<${text(ctx.websocket.client.frame.data)}>`),
    wsUpstreamFrame: (_, frame) => ({ ...frame, data: Buffer.from(`up ${text(frame.data)}`) }),
  });
  const second = plugin(
    {
      priority: 10,
      wsClientFrame: (_, frame) => {
        if (text(frame.data) === '<drop>') return null;
        return { ...frame, type: 'binary', data: Buffer.from(`${text(frame.data)}!`) };
      },
    },
    'second',
  );
  const { open } = await stage([second, first]);
  const { client, server } = await open();
  for (const word of ['one', 'drop', 'two']) client.socket.send(word);
  expect(await server.has(2)).toEqual(['binary:<one>!', 'binary:<two>!']);
  server.socket.send('news');
  expect(await client.has(1)).toEqual(['text:up news']);
});

test('dropFrame passes nothing on and later plugins by', async () => {
  const seen: string[] = [];
  const drops = plugin({ wsClientFrame: (ctx) => ctx.websocket.client.dropFrame() });
  const later = plugin({ priority: 1, wsClientFrame: () => void seen.push('later') }, 'later');
  const { open } = await stage([drops, later]);
  const { client, server } = await open();
  client.socket.ping('gone');
  client.socket.close(1000, 'bye');
  // A close frame cannot be dropped: that is an error of the plugin.
  expect(await server.has(1)).toEqual(['close:1011 Internal Error']);
  expect(await client.has(1)).toEqual(['close:1011 Internal Error']);
  expect(seen).toEqual([]);
});

test('handlers share ctx.plugin, and the request and answer of the handshake', async () => {
  const told: unknown[] = [];
  const seer = plugin({
    wsHandshake(ctx) {
      ctx.plugin.count = 0;
      ctx.response.setHeader('X-Seen', ctx.request.header('x-me') ?? '');
    },
    wsClientFrame(ctx) {
      ctx.plugin.count = Number(ctx.plugin.count) + 1;
      const { status, source } = ctx.response;
      told.push([
        ctx.request.path,
        ctx.request.queryArgument('a'),
        status,
        source,
        ctx.route?.name,
      ]);
    },
    wsClose(ctx) {
      told.push(ctx.plugin.count, ctx.session.client, ctx.session.upstream);
    },
  });
  const { upstream, proxyPort } = await stage([seer]);
  const options = { headers: { 'X-Me': 'it is me' } };
  const url = `ws://127.0.0.1:${proxyPort}/p?a=b`;
  let header: string | undefined;
  const socket = new WebSocket(url, options);
  socket.on('upgrade', (response) => {
    header = response.headers['x-seen'] as string;
  });
  await until(() => socket.readyState === WebSocket.OPEN && upstream.ends.length === 1);
  expect(header).toBe('it is me');
  socket.send('12345');
  await upstream.ends[0].has(1);
  socket.close(1001, 'away');
  await until(() => told.length === 5);
  const place = ['/p', 'b', 101, 'service', 'r'];
  const client = { messages: 1, bytes: 5, status: 1001 };
  expect(told).toEqual([place, place, 2, client, { messages: 0, bytes: 0, status: 1001 }]);
});

test('wsHandshake takes the place of access and may answer', async () => {
  const ran: string[] = [];
  const guard = plugin({
    access: () => void ran.push('access'),
    wsHandshake: (ctx) => ctx.response.exit(403, { message: 'not you' }),
    wsClose: () => void ran.push('close'),
  });
  const { open, upstream } = await stage([guard]);
  await expect(open()).rejects.toThrow('Unexpected server response: 403');
  expect(ran).toEqual([]);
  expect(upstream.handshakes.length).toBe(0);
});

test('a handshake may wait for a promise', async () => {
  const slow = plugin({
    async wsHandshake(ctx) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      ctx.service.request.setHeader('X-Late', 'yes');
    },
    wsUpstreamFrame: () => undefined,
  });
  const { open, upstream } = await stage([slow]);
  const { client, server } = await open();
  expect(upstream.handshakes[0].headers['x-late']).toBe('yes');
  server.socket.send('on');
  expect(await client.has(1)).toEqual(['text:on']);
});

test('plugins that know nothing of WebSockets guard the handshake', async () => {
  const upstream = await socketUpstream();
  const routes = [{ paths: ['/'], protocols: ['ws'], plugins: [{ name: 'key-auth' }] }];
  const service = { url: `ws://127.0.0.1:${upstream.port}`, routes };
  const consumers = [{ username: 'ann', keyauth_credentials: [{ key: 'secret' }] }];
  const { proxyPort } = await startGateway({
    config: { _format_version: '3.0', services: [service], consumers },
  });
  const url = `ws://127.0.0.1:${proxyPort}/`;
  await expect(openSocket(url, upstream)).rejects.toThrow('401');
  const { client, server } = await openSocket(`${url}?apikey=secret`, upstream);
  client.socket.send('in');
  expect(await server.has(1)).toEqual(['text:in']);
});

test('close frames go on as they are, whoever begins', async () => {
  const { open } = await stage([passive]);
  const one = await open();
  one.client.socket.close(1001, 'goodbye');
  expect(await one.server.has(1)).toEqual(['close:1001 goodbye']);
  expect(await one.client.has(1)).toEqual(['close:1001 goodbye']);
  const two = await open();
  two.server.socket.close(4000, 'own');
  expect(await two.client.has(1)).toEqual(['close:4000 own']);
  const three = await open();
  three.client.socket.close();
  expect(await three.server.has(1)).toEqual(['close:1005 ']);
});

test('a side that vanishes is reported to the other as gone', async () => {
  const { open } = await stage([passive]);
  const one = await open();
  one.server.socket.terminate();
  expect(await one.client.has(1)).toEqual(['close:1001 ']);
  const two = await open();
  two.client.socket.terminate();
  expect(await two.server.has(1)).toEqual(['close:1001 ']);
});

test('a plugin closes with a status for each end, and rewrites close frames', async () => {
  const closer = plugin({
    wsClientFrame(ctx, frame) {
      if (frame.type === 'text') ctx.websocket.client.close(1002, 'hello client', 4001, 'hello up');
    },
    wsUpstreamFrame(ctx, frame) {
      if (frame.type !== 'close') return;
      ctx.websocket.upstream.setFrameData('later');
      ctx.websocket.upstream.setStatus(1009);
    },
  });
  const { open } = await stage([closer]);
  const one = await open();
  one.client.socket.send('x');
  expect(await one.client.has(1)).toEqual(['close:1002 hello client']);
  expect(await one.server.has(1)).toEqual(['close:4001 hello up']);
  const two = await open();
  two.server.socket.close(1001, 'goodbye');
  expect(await two.client.has(1)).toEqual(['close:1009 later']);
});

test.each([
  [
    'throws',
    () => {
      throw new Error('oops');
    },
  ],
  ['returns a promise', async () => undefined],
  [
    'asks for the frame of the other end',
    (ctx: never) =>
      void (ctx as { websocket: { upstream: { frame: unknown } } }).websocket.upstream.frame,
  ],
  [
    'sets the status of a text',
    (ctx: never) =>
      (ctx as { websocket: { client: { setStatus(n: number): void } } }).websocket.client.setStatus(
        1000,
      ),
  ],
])('a handler that %s closes with 1011', async (_, handler) => {
  const { open, lines } = await stage([plugin({ wsClientFrame: handler as never })]);
  const { client, server } = await open();
  client.socket.send('x');
  expect(await client.has(1)).toEqual(['close:1011 Internal Error']);
  expect(await server.has(1)).toEqual(['close:1011 Internal Error']);
  expect(lines.some(({ msg }) => msg?.startsWith('plugin seer failed'))).toBe(true);
});

test('messages above the limit of a side close with 1009', async () => {
  const limited = plugin({
    wsHandshake(ctx) {
      ctx.websocket.client.setMaxPayloadSize(1000);
    },
    wsClientFrame: () => undefined,
  });
  const { open } = await stage([limited]);
  const { client, server } = await open();
  client.socket.send('x'.repeat(1000));
  expect(await server.has(1)).toEqual(['text:1000 bytes of x']);
  client.socket.send('y'.repeat(600), { fin: false });
  client.socket.send('y'.repeat(401), { fin: true });
  expect(await client.has(1)).toEqual(['close:1009 the message is too big']);
  expect(await server.has(2)).toContain('close:1001 ');
});

test('messages of a megabyte pass both ways, though the reader rests', async () => {
  const { open } = await stage([passive]);
  const { client, server } = await open();
  const large = 'z'.repeat(1_048_576);
  const count = 24;
  server.socket.pause();
  client.socket.pause();
  for (let i = 0; i < count; i++) {
    client.socket.send(large);
    server.socket.send(large);
  }
  await until(() => server.socket.bufferedAmount > 0 && client.socket.bufferedAmount > 0);
  server.socket.resume();
  expect(await server.has(count)).toEqual(Array(count).fill('text:1048576 bytes of z'));
  client.socket.resume();
  expect(await client.has(count)).toEqual(Array(count).fill('text:1048576 bytes of z'));
}, 60_000);

test('TLS at both ends', async () => {
  const upstream = await socketUpstream(createTlsServer(selfSigned(Date.now())));
  const settings = { proxy_listen: '127.0.0.1:0 ssl' };
  const { proxyPort } = await stage([passive], { upstream, protocol: 'wss', settings });
  const url = `wss://127.0.0.1:${proxyPort}/`;
  const { client, server } = await openSocket(url, upstream, { rejectUnauthorized: false });
  client.socket.send('q'.repeat(300_000));
  expect(await server.has(1)).toEqual(['text:300000 bytes of q']);
  server.socket.send('ok');
  expect(await client.has(1)).toEqual(['text:ok']);
});

test('a client that breaks the protocol is told, and the upstream that it is gone', async () => {
  const { open } = await stage([passive]);
  const { client, server } = await open();
  const raw = (client.socket as unknown as { _socket: Socket })._socket;
  raw.write(Buffer.from([0x81, 0x01, 0x78]));
  expect(await client.has(1)).toEqual(['close:1002 wrong masking']);
  expect(await server.has(1)).toEqual(['close:1001 ']);
});

test('examples/web-socket-plugin.mjs hides what it says it hides', async () => {
  const path = new URL('../../examples/web-socket-plugin.mjs', import.meta.url);
  const { default: guard } = (await import(path.href)) as { default: AnyPlugin };
  const { open, lines } = await stage([guard]);
  const { client, server } = await open();
  server.socket.send('pay with 1234 5678 9012 3456 now');
  expect(await client.has(1)).toEqual(['text:pay with **** now']);
  client.socket.close(1000);
  await until(() => lines.some(({ msg }) => /^0 up, 1 down, \d+ ms, 1000$/.test(msg ?? '')));
});

test('what is no handshake is answered 400', async () => {
  const { proxy } = await stage([]);
  const response = await fetch(proxy);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ message: "invalid/missing 'Connection' header" });
});
