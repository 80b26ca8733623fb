/**
 * Two strangers beside the gateway: node's own HTTP parser and the oracle. What the gateway
 * forwards, node must not understand as other requests or bodies; the oracle must accept what it
 * accepts of plain origin-form requests. Inputs: the vectors, and valid requests with random
 * damage.
 */
import { createServer, METHODS, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../src/driver/sim-world.js';
import { parseRequests } from '../oracle/http.js';
import { judgedVectors } from './judged-requests.js';
import { createHarness } from './sim-harness.js';

const marker = 'GET /marker HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const harness = createHarness({ answer: () => ({ bytes: ok, end: false }), cut: 'whole' });

let server: Server;
let port: number;
let seen: string[] = [];

beforeAll(async () => {
  server = createServer({ requireHostHeader: false }, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
    });
    request.on('end', () => {
      seen.push(`${request.method} ${body}`);
      response.end('ok');
    });
    request.on('error', () => {});
  });
  // An expectation is for the application to judge; node would answer by itself.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await harness.plane.close();
});

/** "METHOD body" of every request node's parser finds. */
async function askNode(bytes: string): Promise<string[]> {
  seen = [];
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.on('data', () => {});
    socket.end(bytes, 'latin1');
  });
  return seen;
}

/** Node knows a fixed list of methods and two versions of HTTP/1. */
function nodeSpeaks(bytes: string): boolean {
  const [method, , version] = bytes.trimStart().split(/[ \r]/);
  return METHODS.includes(method) && /^HTTP\/1\.[01]$/.test(version ?? '') && !/^\r\n/.test(bytes);
}

async function compare(bytes: string): Promise<void> {
  const { requests, errors, rest, answer } = harness.exchange(bytes + marker, 'whole');
  expect(errors).toEqual([]);
  const forwarded = requests.map(({ method, body }) => `${method} ${body}`);
  // Where the gateway answers by itself, or node does not speak the language, nothing compares.
  if (answer.split('HTTP/1.1 ').length - 1 !== forwarded.length) return;
  if (rest !== '' || !nodeSpeaks(bytes)) return;
  const byNode = await askNode(bytes + marker);
  // Node may stop earlier, where it is stricter; what both found must be the same.
  const both = Math.min(byNode.length, forwarded.length);
  expect(byNode.slice(0, both)).toEqual(forwarded.slice(0, both));
  expect(byNode.length).toBeLessThanOrEqual(forwarded.length);
}

describe("the gateway and node's parser find the same requests", () => {
  test.each(judgedVectors)('$name', ({ bytes }) => compare(bytes));
});

const seeds = [
  'GET /a/b?c=d HTTP/1.1\r\nHost: a.test:80\r\nAccept: */*\r\nX-Y: z\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT:\r\n\r\n',
  'PUT /a HTTP/1.1\r\nHost: a\r\nConnection: x\r\nX: y\r\nContent-Length: 2\r\n\r\nok',
];
const junk = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '0',
  '5',
  '\x80',
  '\x7f',
  'A',
  '\x0b',
];

function damage(random: Random): string {
  let text = random.pick(seeds);
  for (let i = random.between(1, 3); i > 0; i--) {
    const at = random.between(0, text.length - 1);
    const kept = random.pick([0, 0, 1, 2]);
    text = text.slice(0, at) + random.pick(junk) + text.slice(at + kept);
  }
  return text;
}

describe('valid requests with random damage', () => {
  test.each([1, 2, 3, 4])('from seed %i', { timeout: 60_000 }, async (seed) => {
    const random = new Random(seed);
    for (let i = 0; i < 250; i++) {
      const bytes = damage(random);
      try {
        await compare(bytes);
        compareWithOracle(bytes);
      } catch (error) {
        throw new Error(`on ${JSON.stringify(bytes)}`, { cause: error });
      }
    }
  });
});

/**
 * What the oracle refuses to read from the client, the gateway must not have passed on as whole.
 */
function compareWithOracle(bytes: string): void {
  const { requests } = harness.exchange(bytes + marker, 'whole');
  let judged: readonly { body: string }[];
  try {
    judged = parseRequests(withoutLeniency(bytes) + marker).requests;
  } catch {
    // Refused somewhere: nothing behind that place may have been served.
    expect(requests.filter(({ target }) => target === '/marker')).toEqual([]);
    return;
  }
  const bodies = requests.map(({ body }) => body);
  expect(judged.map(({ body }) => body).slice(0, bodies.length)).toEqual(bodies);
}

/** The two things that only the gateway takes: empty lines in front, octets it will encode. */
function withoutLeniency(bytes: string): string {
  const encode = (octet: string): string => `%${octet.charCodeAt(0).toString(16)}`;
  return bytes
    .replace(/^(\r\n)+/, '')
    .replace(/^[^\r\n]*/, (line) => line.replace(/[\x80-\xff]/g, encode));
}
