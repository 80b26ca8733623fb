/**
 * Two strangers beside the gateway: node's own HTTP parser and the oracle. What the gateway
 * forwards, node must not understand as other requests or bodies; what the oracle refuses, the
 * gateway must not have passed on as whole.
 */
import { createServer, METHODS } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect } from 'vitest';
import { Random } from '../../src/driver/sim-world.js';
import { parseRequests } from '../oracle/http.js';
import { createHarness } from './sim-harness.js';

const marker = 'GET /marker HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

export interface Strangers {
  /** Fails where node finds other requests in `bytes` than the gateway. */
  compare(bytes: string): Promise<void>;
  /** The same for `cases` valid requests with random damage, and the oracle beside node. */
  compareDamaged(seed: number, cases: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts node's server on a free port, and a gateway on the simulated network. */
export async function openStrangers(): Promise<Strangers> {
  const harness = createHarness({ answer: () => ({ bytes: ok, end: false }), cut: 'whole' });
  const { ask, close } = await openNode();
  const compare = async (bytes: string): Promise<void> => {
    const { requests, errors, rest, answer } = harness.exchange(bytes + marker, 'whole');
    expect(errors).toEqual([]);
    const forwarded = requests.map(({ method, body }) => `${method} ${body}`);
    // Where the gateway answers by itself, or node does not speak the language, nothing compares.
    if (answer.split('HTTP/1.1 ').length - 1 !== forwarded.length) return;
    if (rest !== '' || !nodeSpeaks(bytes)) return;
    const byNode = await ask(bytes + marker);
    // Node may stop earlier, where it is stricter; what both found must be the same.
    const both = Math.min(byNode.length, forwarded.length);
    expect(byNode.slice(0, both)).toEqual(forwarded.slice(0, both));
    expect(byNode.length).toBeLessThanOrEqual(forwarded.length);
  };
  const compareWithOracle = (bytes: string): void => {
    const { requests, answer } = harness.exchange(bytes + marker, 'whole');
    let judged: readonly { body: string }[];
    try {
      judged = parseRequests(withoutLeniency(bytes) + marker, true).requests;
    } catch {
      // Refused somewhere: nothing behind that place may have been served.
      expect(requests.filter(({ target }) => target === '/marker')).toEqual([]);
      return;
    }
    // A request that the gateway answers by itself (404) is none for the upstream.
    if (answer.split('HTTP/1.1 ').length - 1 !== requests.length) return;
    const bodies = requests.map(({ body }) => body);
    expect(judged.map(({ body }) => body).slice(0, bodies.length)).toEqual(bodies);
  };
  return {
    compare,
    async compareDamaged(seed, cases) {
      const random = new Random(seed);
      for (let i = 0; i < cases; i++) {
        const bytes = damage(random);
        try {
          await compare(bytes);
          compareWithOracle(bytes);
        } catch (error) {
          throw new Error(`on ${JSON.stringify(bytes)}`, { cause: error });
        }
      }
    },
    async close() {
      await close();
      await harness.plane.close();
    },
  };
}

/** Node's HTTP server: `ask` gives "METHOD body" of every request that it finds in some bytes. */
async function openNode() {
  let seen: string[] = [];
  const server = createServer({ requireHostHeader: false }, (request, response) => {
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
  const { port } = server.address() as AddressInfo;
  const ask = async (bytes: string): Promise<string[]> => {
    seen = [];
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.on('data', () => {});
      socket.end(bytes, 'latin1');
    });
    return seen;
  };
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { ask, close };
}

/** Node knows a fixed list of methods and two versions of HTTP/1. */
function nodeSpeaks(bytes: string): boolean {
  const [method, , version] = bytes.trimStart().split(/[ \r]/);
  return METHODS.includes(method) && /^HTTP\/1\.[01]$/.test(version ?? '') && !/^\r\n/.test(bytes);
}

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

/**
 * What only the gateway takes, in the spelling that the oracle takes as well: octets that it will
 * encode, a higher minor version (RFC 9110 2.5), empty list elements (RFC 9110 5.6.1).
 */
function withoutLeniency(bytes: string): string {
  const encode = (octet: string): string => `%${octet.charCodeAt(0).toString(16)}`;
  return bytes
    .replace(/^((?:\r\n)*)([^\r\n]*)/, (_, empty, line: string) => {
      return empty + line.replace(/[\x80-\xff]/g, encode).replace(/ HTTP\/1\.[2-9]$/, ' HTTP/1.1');
    })
    .replace(/\r\n(Transfer-Encoding):[ \t,]*(chunked)[ \t,]*\r\n/i, '\r\n$1: $2\r\n');
}
