/** Bytes of any kind in a WebSocket whose frames plugins see: nothing but a close comes of them. */
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import { startGateway, until } from '../support/gateway.js';
import { type SocketUpstream, socketUpstream } from '../support/web-socket.js';

const handshake =
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

const looker = definePlugin({
  name: 'looker',
  version: '1.0.0',
  priority: 1,
  schema: { fields: {} },
  wsClientFrame() {},
  wsUpstreamFrame() {},
});

async function stage(): Promise<{ port: number; upstream: SocketUpstream; faults: () => unknown }> {
  const upstream = await socketUpstream();
  const routes = [{ paths: ['/'], protocols: ['ws'], plugins: [{ name: 'looker' }] }];
  const service = { url: `ws://127.0.0.1:${upstream.port}`, routes };
  const { proxyPort, lines } = await startGateway({
    config: { _format_version: '3.0', services: [service] },
    plugins: [looker],
  });
  const faults = () => lines.filter(({ level }) => level === 'error' || level === 'fatal');
  return { port: proxyPort, upstream, faults };
}

/** Opens a WebSocket by hand; `got` is what comes behind the 101. */
async function open(
  port: number,
): Promise<{ socket: Socket; got: () => Buffer; over: () => boolean }> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  onTestFinished(() => void socket.destroy());
  let bytes = Buffer.alloc(0);
  let ended = false;
  socket.on('data', (part) => {
    bytes = Buffer.concat([bytes, part]);
  });
  socket.on('error', () => {});
  for (const end of ['end', 'close']) {
    socket.on(end, () => {
      ended = true;
    });
  }
  socket.write(handshake);
  const headEnd = () => bytes.indexOf('\r\n\r\n');
  await until(() => headEnd() > 0);
  expect(bytes.toString('latin1')).toMatch(/^HTTP\/1.1 101/);
  return { socket, got: () => bytes.subarray(headEnd() + 4), over: () => ended };
}

const piece = fc.uint8Array({ minLength: 1, maxLength: 40 });

test('random bytes end in a close frame or wait for more', { timeout: 60_000 }, async () => {
  const { port, upstream, faults } = await stage();
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 6 }), async (pieces) => {
      const { socket, got, over } = await open(port);
      for (const bytes of pieces) socket.write(bytes);
      socket.end();
      await until(over, 15_000);
      // Nothing, or frames of which the last is a close frame.
      if (got().length > 0) expect(got().includes(0x88)).toBe(true);
    }),
    { numRuns: 60 },
  );
  expect(faults()).toEqual([]);
  await until(() => upstream.ends.every(({ got }) => got.some((one) => one.startsWith('close'))));
});

test('frames that come with the handshake, and one byte at a time', async () => {
  const { port, upstream } = await stage();
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  onTestFinished(() => void socket.destroy());
  // "Hello", masked, as RFC 6455 5.7 has it.
  const hello = Buffer.from('818537fa213d7f9f4d5158', 'hex');
  socket.write(Buffer.concat([Buffer.from(handshake), hello]));
  for (const byte of hello) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => upstream.ends.length === 1);
  expect(await upstream.ends[0].has(2)).toEqual(['text:Hello', 'text:Hello']);
});

test('a client that resets is gone, and the upstream with it', async () => {
  const { port, upstream } = await stage();
  const { socket } = await open(port);
  await until(() => upstream.ends.length === 1);
  socket.resetAndDestroy();
  const [end] = await upstream.ends[0].has(1);
  expect(end).toMatch(/^close:100[16] /);
});
