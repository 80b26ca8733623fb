import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Phase } from '../../../src/core/layout.js';
import type { BodyQueue } from '../../../src/plugin/body-queue.js';
import type { Exchange } from '../../../src/plugin/exchange.js';
import { PhaseRunner } from '../../../src/plugin/phases.js';
import type { Plan } from '../../../src/plugin/plan.js';
import { replyOf } from '../../../src/plugin/reply.js';
import type { BodyStage, ExchangeStage } from '../../../src/plugin/stage.js';
import { createPlane, loopback, type Plane } from '../../support/plane.js';

const nothing = {
  rewrite: [],
  access: [],
  response: [],
  headerFilter: [],
  bodyFilter: [],
  conditional: [],
  log: [],
};
const stages = { source: undefined, isDirect: false };
const plan = { route: null, service: null, phases: 0, stages, ...nothing } as unknown as Plan;

/** Collects a body, then passes it on turned round. */
class Reverse implements BodyStage {
  full = false;
  readonly length = -1;
  parts: Uint8Array[] = [];

  take(chunk: Uint8Array, last: boolean, out: BodyQueue): void {
    this.parts.push(chunk);
    if (!last) return;
    out.push(Buffer.concat(this.parts).reverse());
    out.end();
  }
}

const direct = (): never => {
  throw new Error('no stage here is brief');
};
let make: (exchange: Exchange) => ExchangeStage | null = () => null;
let server: Server;
let plane: Plane;
let port: number;
let seen: string[] = [];

const stage = (parts: Partial<ExchangeStage> = {}): ExchangeStage => ({
  waits: false,
  request: null,
  response: null,
  brief: false,
  settled: false,
  keep: () => {},
  requestHead: () => {},
  responseHead: () => {},
  ended: () => {},
  ...parts,
});

beforeAll(async () => {
  server = createServer((incoming, response) => {
    let body = '';
    incoming.on('data', (part) => {
      body += part;
    });
    incoming.on('end', () => {
      seen.push(body);
      response.end(`got ${body}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const phases = Phase.ACCESS | Phase.HEADER_FILTER | Phase.ENDED;
  plane = createPlane({ services: [{ target }], phases });
  plane.core.onPhase = new PhaseRunner({
    core: plane.core,
    planOf: () => plan,
    post: (...event) => plane.driver.post(...event),
    requestBodyBytes: 1000,
    responseBodyBytes: 1000,
    stagesOf: () => ({ take: (exchange) => make(exchange), brief: false, direct }),
  }).call;
  port = (await plane.driver.listen(loopback)).port;
});

afterAll(async () => {
  await plane.close();
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  seen = [];
});

function post(body: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const out = request({ port, host: '127.0.0.1', method: 'POST', agent: false }, (inbound) => {
      let text = '';
      inbound.on('data', (part) => {
        text += part;
      });
      inbound.on('end', () => resolve({ status: inbound.statusCode ?? 0, body: text }));
      inbound.on('error', reject);
    });
    out.on('error', reject);
    out.end(body);
  });
}

describe('a stage', () => {
  test('that only looks changes nothing, and is told of the end', async () => {
    let ended = 0;
    make = () => stage({ ended: () => void ended++ });
    for (let i = 1; i < 4; i++) {
      expect(await post('abc')).toEqual({ status: 200, body: 'got abc' });
      expect(ended).toBe(i);
    }
  });

  test('changes both bodies', async () => {
    make = () => stage({ request: new Reverse(), response: new Reverse() });
    expect(await post('abc')).toEqual({ status: 200, body: 'abc tog' });
    expect(seen).toEqual(['cba']);
  });

  test('holds both heads until it is ready; bodies come meanwhile', async () => {
    make = (exchange) => {
      const own = { ...stage(), waits: false, request: new Reverse(), response: new Reverse() };
      const wait = (): void => {
        own.waits = true;
        setTimeout(() => {
          own.waits = false;
          exchange.wake();
        }, 20);
      };
      return Object.assign(own, { requestHead: wait, responseHead: wait });
    };
    expect(await post('x'.repeat(200_000))).toEqual({
      status: 200,
      body: `${'x'.repeat(200_000)} tog`,
    });
    expect(seen[0]).toHaveLength(200_000);
  });

  test.each(['head', 'wait', 'body', 'answer'])('answers by itself from: %s', async (from) => {
    make = (exchange) => {
      const own = { ...stage(), waits: from === 'wait' };
      const exit = (): void => {
        own.waits = false;
        exchange.reply = replyOf(403, `no, ${from}`, {}, exchange.clientEdits);
        exchange.wake();
      };
      const request = new Reverse();
      if (from === 'wait') setTimeout(exit, 10);
      return Object.assign(own, {
        requestHead: () => from === 'head' && exit(),
        responseHead: () => from === 'answer' && !exchange.reply && exit(),
        request: from === 'body' ? Object.assign(request, { take: exit }) : null,
      });
    };
    for (let i = 0; i < 2; i++) {
      expect(await post('abc')).toEqual({ status: 403, body: `no, ${from}` });
    }
    expect(seen.length).toBe(from === 'answer' ? 2 : 0);
  });

  test('breaks an exchange off', async () => {
    make = (exchange) =>
      stage({
        responseHead() {
          exchange.cut = true;
        },
      });
    await expect(post('abc')).rejects.toThrow();
    make = () => null;
    expect((await post('abc')).status).toBe(200);
    expect(plane.gauge('activeExchanges')).toBe(0);
  });
});
