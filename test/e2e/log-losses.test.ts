/** What becomes of log entries when receivers, configurations and processes come and go. */
import { Pool } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startCli, temporaryFolder } from '../support/cli-gateway.js';
import { oneService, startUpstream, until } from '../support/gateway.js';
import { type LogServer, startLogServer } from '../support/log-server.js';

const patience = 120_000;

/** The numbers of the requests that a log server has been told of, with repetitions. */
function numbersAt({ requests }: LogServer): number[] {
  return requests.flatMap(({ body }) => {
    const parsed = JSON.parse(body) as LogRecord | LogRecord[];
    return [parsed].flat().map(({ request }) => Number(/^\/n\/(\d+)/.exec(request.uri)?.[1]));
  });
}

interface LogRecord {
  readonly request: { readonly uri: string };
}

/** Sends the requests `/n/<from>` up to, but without, `/n/<to>`; all must be answered 200. */
async function send(proxy: string, from: number, to: number): Promise<void> {
  const pool = new Pool(proxy, { connections: 32 });
  let next = from;
  const one = async () => {
    while (next < to) {
      const { statusCode, body } = await pool.request({ method: 'GET', path: `/n/${next++}` });
      await body.dump();
      expect(statusCode).toBe(200);
    }
  };
  await Promise.all(Array.from({ length: 32 }, one));
  await pool.close();
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);
const sorted = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b);

async function plan(port: number, queue: object): Promise<object> {
  const upstream = await startUpstream();
  const config = { http_endpoint: `http://127.0.0.1:${port}/in`, timeout: 3000, queue };
  return oneService(upstream.url, [{ name: 'http-log', config }]);
}

/** A port on which nothing listens, for a server that comes later. */
async function freePort(): Promise<number> {
  const server = await startLogServer();
  await server[Symbol.asyncDispose]();
  return server.port;
}

async function logServer(port = 0): Promise<LogServer> {
  const server = await startLogServer(port);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

describe('log entries', () => {
  test(
    'wait for a receiver that is away for ten seconds',
    async () => {
      const port = await freePort();
      const config = await plan(port, { max_batch_size: 20, max_coalescing_delay: 0.1 });
      const { proxy } = await startCli(config);
      await send(proxy, 0, 500);
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      await send(proxy, 500, 600);
      const server = await logServer(port);
      await until(() => numbersAt(server).length >= 600, patience);
      expect(sorted(numbersAt(server))).toEqual(upTo(600));
    },
    patience,
  );

  test(
    'are delivered at a TERM, ten thousand of them, and one line says so',
    async () => {
      const server = await logServer();
      const config = await plan(server.port, { max_batch_size: 1000, max_coalescing_delay: 3600 });
      const gateway = await startCli(config);
      await send(gateway.proxy, 0, 10_000);
      gateway.child.kill('SIGTERM');
      await gateway.exit;
      expect(sorted(numbersAt(server))).toEqual(upTo(10_000));
      expect(gateway.output()).toMatch(/log queues drained: \d+ delivered, 0 kept on disk, 0 lost/);
    },
    patience,
  );

  test(
    'with a journal outlive a SIGKILL',
    async () => {
      const journal = await temporaryFolder();
      const port = await freePort();
      const config = await plan(port, { max_batch_size: 50, max_coalescing_delay: 0.1, journal });
      const first = await startCli(config);
      await send(first.proxy, 0, 2000);
      first.child.kill('SIGKILL');
      await first.exit;
      const server = await logServer(port);
      const second = await startCli(config);
      await send(second.proxy, 2000, 2010);
      await until(() => numbersAt(server).length >= 2010, patience);
      expect(sorted(new Set(numbersAt(server)))).toEqual(upTo(2010));
      const status = (await (await fetch(`${second.admin}/status`)).json()) as {
        queues: Record<string, unknown>[];
      };
      expect(status.queues[0]).toMatchObject({ entries: 0, lost: 0, dropped: 0, spilled: 0 });
    },
    patience,
  );

  test(
    'with a journal are kept where a drain cannot deliver them',
    async () => {
      const journal = await temporaryFolder();
      const port = await freePort();
      const config = await plan(port, { max_batch_size: 50, journal });
      const first = await startCli(config, { HEADGATE_DRAIN_TIMEOUT: '1s' });
      await send(first.proxy, 0, 300);
      first.child.kill('SIGTERM');
      await first.exit;
      expect(first.output()).toMatch(/log queues drained: 0 delivered, 300 kept on disk, 0 lost/);
      const server = await logServer(port);
      await startCli(config);
      await until(() => numbersAt(server).length >= 300, patience);
      expect(sorted(numbersAt(server))).toEqual(upTo(300));
    },
    patience,
  );

  test(
    'are delivered once each over reloads under load',
    async () => {
      const server = await logServer();
      const config = await plan(server.port, { max_batch_size: 10, max_coalescing_delay: 0.1 });
      const gateway = await startCli(config);
      let hasEnded = false;
      const reloads = (async () => {
        for (let i = 0; !hasEnded; i++) {
          const queue = { max_batch_size: 10 + (i % 3), max_coalescing_delay: 0.1 };
          const answer = await fetch(`${gateway.admin}/config`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(changed(config, queue)),
          });
          expect(answer.status).toBe(201);
        }
        return true;
      })();
      await send(gateway.proxy, 0, 3000);
      hasEnded = true;
      expect(await reloads).toBe(true);
      gateway.child.kill('SIGTERM');
      await gateway.exit;
      expect(sorted(numbersAt(server))).toEqual(upTo(3000));
    },
    patience,
  );

  test(
    'that a slow receiver costs are exactly those that are counted',
    async () => {
      const server = await logServer();
      server.answer = (response) => void setTimeout(() => response.end(), 20);
      const config = await plan(server.port, { max_entries: 50, max_coalescing_delay: 0.1 });
      const gateway = await startCli(config);
      await send(gateway.proxy, 0, 1000);
      await until(async () => (await queueOf(gateway.admin)).entries === 0, patience);
      await until(async () => (await queueOf(gateway.admin)).in_flight === 0, patience);
      const { delivered, dropped, lost } = await queueOf(gateway.admin);
      expect([delivered + dropped, lost]).toEqual([1000, 0]);
      expect(dropped).toBeGreaterThan(0);
      expect(numbersAt(server)).toHaveLength(delivered);
    },
    patience,
  );
});

function changed(config: object, queue: object): object {
  const copy = structuredClone(config) as {
    services: { routes: { plugins: { config: { queue: object } }[] }[] }[];
  };
  copy.services[0].routes[0].plugins[0].config.queue = queue;
  return copy;
}

interface QueueStatus {
  readonly entries: number;
  readonly in_flight: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly lost: number;
}

async function queueOf(admin: string): Promise<QueueStatus> {
  const status = (await (await fetch(`${admin}/status`)).json()) as { queues: QueueStatus[] };
  return status.queues[0];
}
