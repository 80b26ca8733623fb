import { Agent, request } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPlane, loopback, type Plane } from '../support/plane.js';
import { responseVectors } from './responses.js';

let upstream: Server;
let plane: Plane;
let port: number;
let answer = '';
const sockets = new Set<Socket>();

beforeAll(async () => {
  upstream = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', () => socket.end(answer, 'latin1'));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const target = { host: '127.0.0.1', port: (upstream.address() as AddressInfo).port };
  plane = createPlane({ services: [{ target, retries: 0 }] });
  port = (await plane.driver.listen(loopback)).port;
});

afterAll(async () => {
  await plane.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => upstream.close(resolve));
});

interface Outcome {
  readonly status: number;
  readonly body: string;
  readonly whole: boolean;
}

/** What node's own client makes of the gateway's answer. */
function ask(): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const out = request(
      { port, host: '127.0.0.1', headers: { host: 'a.test' }, agent },
      (inbound) => {
        let body = '';
        const end = (whole: boolean) => resolve({ status: inbound.statusCode ?? 0, body, whole });
        inbound.on('data', (part: Buffer) => {
          body += part.latin1Slice();
        });
        inbound.on('end', () => end(true));
        inbound.on('error', () => end(false));
      },
    );
    out.on('error', reject);
    out.end();
  });
}

test('there are at least 50 vectors, each with a name of its own', () => {
  expect(responseVectors.length).toBeGreaterThanOrEqual(50);
  expect(new Set(responseVectors.map(({ name }) => name)).size).toBe(responseVectors.length);
});

describe('hostile answers', () => {
  test.each(responseVectors)('$name', async ({ bytes, expect: expected }) => {
    answer = bytes;
    const outcome = await ask();
    if (expected === '502') {
      expect(outcome).toMatchObject({ status: 502, whole: true });
      expect(outcome.body).toContain('request_id');
    } else if (expected === 'cut') expect(outcome.whole).toBe(false);
    else expect(outcome).toEqual({ ...expected, whole: true });
  });

  test('nothing is left of them', () => {
    expect(plane.fault()).toBeUndefined();
    expect(plane.gauge('activeExchanges')).toBe(0);
    expect(plane.gauge('idleUpstream')).toBe(0);
  });
});
