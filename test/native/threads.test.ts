/** The engine in threads: ports shared by the kernel, and threads that end without notice. */
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { rawTalk } from '../support/raw.js';

const entry = new URL('../../dist/index.js', import.meta.url).href;

/** A gateway in a thread of its own, on this port. */
async function startThread(port: number): Promise<Worker> {
  const code = `
    import { createGateway } from ${JSON.stringify(entry)};
    import { parentPort } from 'node:worker_threads';
    const logger = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} };
    logger.child = () => logger;
    const gateway = createGateway({
      env: {},
      logger,
      settings: {
        driver: 'native',
        admin_listen: 'off',
        proxy_listen: '127.0.0.1:${port} reuseport',
      },
    });
    await gateway.start();
    parentPort.postMessage('ready');
    parentPort.once('message', () => gateway.drain());
  `;
  const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const worker = new Worker(url, { stdout: true });
  onTestFinished(async () => void (await worker.terminate()));
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
  return worker;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const question = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

test('two threads share a port; one that is terminated or drained leaves the other', async () => {
  const port = await freePort();
  const threads = [await startThread(port), await startThread(port)];
  const ask = async (): Promise<string> => (await rawTalk({ port }, question)).text.slice(0, 12);
  for (let i = 0; i < 20; i++) expect(await ask()).toBe('HTTP/1.1 404');
  // Some of these are the terminated thread's.
  const idle = Array.from({ length: 20 }, () => net.connect(port, '127.0.0.1'));
  let gone = 0;
  for (const socket of idle) socket.on('error', () => {}).on('close', () => gone++);
  await Promise.all(idle.map((socket) => new Promise((done) => socket.once('connect', done))));
  await threads[0].terminate();
  for (let i = 0; i < 20; i++) expect(await ask()).toBe('HTTP/1.1 404');
  const ended = new Promise((resolve) => threads[1].once('exit', resolve));
  threads[1].postMessage('drain');
  expect(await ended).toBe(0);
  for (const socket of idle) socket.destroy();
  expect(gone).toBeGreaterThan(0);
});
