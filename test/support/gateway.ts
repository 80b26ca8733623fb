/**
 * Starts a whole gateway on free loopback ports, with its log lines kept, and stops it with the
 * test.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createGateway } from '../../src/gateway.js';
import type { Gateway, GatewayOptions } from '../../src/gateway-options.js';
import { createLogger } from '../../src/observe/logger.js';
import { testDriver, testHandles } from './plane.js';

export interface LogLine {
  readonly level: string;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

export interface Running {
  readonly gateway: Gateway;
  /** `http://127.0.0.1:port` of the proxy and of the Admin API. */
  readonly proxy: string;
  readonly admin: string;
  readonly proxyPort: number;
  readonly lines: readonly LogLine[];
}

const listeners = {
  proxy_listen: '127.0.0.1:0',
  admin_listen: '127.0.0.1:0',
  driver: testDriver,
  net_handles: testHandles,
};

/** Listeners with TLS are the net driver's, which `auto` knows. */
const driverFor = (listen: unknown) =>
  /\b(?:ssl|http2)\b/.test(String(listen ?? '')) ? { driver: 'auto' } : {};

/** A running gateway; closed when the test ends, if it is not by then. */
export async function startGateway(options: GatewayOptions = {}): Promise<Running> {
  const lines: LogLine[] = [];
  const logger = createLogger({
    level: 'debug',
    stream: { write: (line: string) => void lines.push(JSON.parse(line)) },
  });
  const gateway = createGateway({
    env: {},
    logger,
    ...options,
    settings: { ...listeners, ...driverFor(options.settings?.proxy_listen), ...options.settings },
  });
  onTestFinished(() => gateway.close());
  await gateway.start();
  const portOf = (kind: 'proxy' | 'admin') =>
    gateway.addresses.find((address) => address.kind === kind)?.port ?? 0;
  return {
    gateway,
    lines,
    proxyPort: portOf('proxy'),
    proxy: `http://127.0.0.1:${portOf('proxy')}`,
    admin: `http://127.0.0.1:${portOf('admin')}`,
  };
}

export interface Upstream {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly IncomingMessage[];
  readonly server: Server;
}

/** An HTTP server; by default it answers 200 with the request line it saw. */
export async function startUpstream(
  answer: (request: IncomingMessage, response: ServerResponse) => void = (request, response) => {
    response.end(`${request.method} ${request.url}`);
  },
): Promise<Upstream> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, requests, server };
}

/** One service with one route "/" and the given plugins. */
export function oneService(url: string, plugins: readonly object[] = []): object {
  return {
    _format_version: '3.0',
    services: [{ name: 'one', url, routes: [{ name: 'all', paths: ['/'], plugins }] }],
  };
}

/** Resolves when `condition` holds; looks again in every turn of the loop. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  withinMs = 5000,
): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
