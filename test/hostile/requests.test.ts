import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPlane, loopback, type Plane } from '../support/plane.js';
import { requestVectors } from './requests.js';

const marker = 'GET /marker HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';

let upstream: Server;
let plane: Plane;
let port: number;
let seen: string[] = [];
let ungrammatical = 0;

beforeAll(async () => {
  upstream = createServer({ requireHostHeader: true }, (request, response) => {
    request.resume();
    request.on('end', () => {
      seen.push(request.url ?? '');
      response.end('ok');
    });
    request.on('error', () => {});
  });
  upstream.on('clientError', (error, socket) => {
    // A request that we refuse half-way is cut by a reset, which is no fault of its grammar.
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code.startsWith('HPE') && code !== 'HPE_INVALID_EOF_STATE') ungrammatical++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const target = { host: '127.0.0.1', port: (upstream.address() as AddressInfo).port };
  plane = createPlane({ services: [{ target }] });
  port = (await plane.driver.listen(loopback)).port;
});

afterAll(async () => {
  await plane.close();
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
});

/** Everything the gateway answers until it closes. */
function talk(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => {
      answer += data.latin1Slice();
    });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(answer));
    socket.write(bytes, 'latin1');
  });
}

const statuses = (answer: string): number[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));

test('there are at least 150 vectors, each with a name of its own', () => {
  expect(requestVectors.length).toBeGreaterThanOrEqual(150);
  expect(new Set(requestVectors.map(({ name }) => name)).size).toBe(requestVectors.length);
});

describe('hostile requests', () => {
  test.each(requestVectors)('$name: $expect', async ({ bytes, expect: expected }) => {
    seen = [];
    const answer = await talk(bytes + marker);
    if (expected === 'forwarded') {
      expect(statuses(answer)).toEqual([200, 200]);
      expect(seen).toHaveLength(2);
    } else {
      expect(statuses(answer)).toEqual([expected]);
      expect(seen).toEqual([]);
    }
  });

  test('nothing that reached the upstream was ungrammatical', () => {
    expect(ungrammatical).toBe(0);
    expect(plane.fault()).toBeUndefined();
  });
});
