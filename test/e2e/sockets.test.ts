/** What a driver must do with real sockets; runs on each driver that has them. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../support/gateway.js';
import { createPlane, loopback, type Plane, type PlaneOptions } from '../support/plane.js';
import { listenOn, rawTalk, rawUpstream } from '../support/raw.js';

const okAnswer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const question = 'GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n';
const lastQuestion = question.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');

function plane(options: PlaneOptions): Plane {
  const made = createPlane(options);
  onTestFinished(async () => {
    expect(made.fault()).toBe(undefined);
    await made.close();
  });
  return made;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

describe('large bodies', () => {
  const size = 24 * 1024 * 1024;
  const body = randomBytes(size);
  const sum = createHash('sha256').update(body).digest('hex');

  /** Answers with the sum of what it got, or with the body itself. */
  async function hashingUpstream(): Promise<number> {
    const server = http.createServer((request, response) => {
      if (request.method === 'GET') return void response.end(body);
      const hash = createHash('sha256');
      request.on('data', (chunk) => hash.update(chunk));
      request.on('end', () => response.end(hash.digest('hex')));
    });
    return listenOn(server);
  }

  test('go up whole, with a length and chunked', async () => {
    const target = { host: '127.0.0.1', port: await hashingUpstream() };
    const { driver } = plane({ services: [{ target }] });
    const { port } = await driver.listen(loopback);
    const post = (init: RequestInit) =>
      fetch(`http://127.0.0.1:${port}/`, { method: 'POST', ...init });
    expect(await (await post({ body })).text()).toBe(sum);
    const stream = new Blob([body]).stream();
    expect(await (await post({ body: stream, duplex: 'half' } as RequestInit)).text()).toBe(sum);
  });

  test('come down whole, many at once, though some readers stop on the way', async () => {
    const target = { host: '127.0.0.1', port: await hashingUpstream() };
    const { driver } = plane({ services: [{ target }] });
    const { port } = await driver.listen(loopback);
    const read = (pauses: boolean) =>
      new Promise<string>((resolve, reject) => {
        const request = http.get({ port, host: '127.0.0.1', agent: false }, (response) => {
          const hash = createHash('sha256');
          let seen = 0;
          response.on('data', (chunk) => {
            hash.update(chunk);
            seen += chunk.length;
            if (!pauses || seen < 2_000_000) return;
            seen = 0;
            response.pause();
            setTimeout(() => response.resume(), 5);
          });
          response.on('end', () => resolve(hash.digest('hex')));
          response.on('error', reject);
        });
        request.on('error', reject);
      });
    const sums = await Promise.all([true, false, true, false].map(read));
    expect(sums).toEqual([sum, sum, sum, sum]);
  });
});

describe('addresses', () => {
  test('IPv6 on both sides', async () => {
    const upstream = await rawUpstream((socket) => socket.write(okAnswer), '::1');
    const { driver } = plane({ services: [{ target: { host: '::1', port: upstream.port } }] });
    const bound = await driver.listen({ ...loopback, host: '::1' });
    expect(bound.address).toBe('::1');
    const answer = await rawTalk({ host: '::1', port: bound.port }, lastQuestion);
    expect(answer.text).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nok$/s);
    expect(upstream.heads[0]).toContain('X-Forwarded-For: ::1\r\n');
  });

  test('Unix sockets on both sides; a stale file is replaced, one in use is not', async () => {
    const folder = await temporaryFolder();
    const upstream = await rawUpstream((socket) => socket.write(okAnswer), join(folder, 'up'));
    const target = { host: `unix:${upstream.path}`, port: 0 };
    const { driver } = plane({ services: [{ target }] });
    const spec = { ...loopback, unix: true, host: join(folder, 'front'), port: 0 };
    await driver.listen(spec);
    const answer = await rawTalk({ path: spec.host }, lastQuestion);
    expect(answer.text).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nok$/s);
    await expect(driver.listen(spec)).rejects.toMatchObject({ code: 'GW_E_LISTEN' });
    const stale = join(folder, 'stale');
    const killed = net.createServer().listen(stale);
    await until(() => killed.listening);
    // Closing would remove the file; a process that is killed does not close.
    (killed as unknown as { _pipeName: undefined })._pipeName = undefined;
    killed.close();
    await writeFile(join(folder, 'other'), '');
    await driver.listen({ ...spec, host: stale });
    expect((await rawTalk({ path: stale }, lastQuestion)).text).toContain('200 OK');
  });

  test('a name is looked up; one that is none answers 502 or 503', async () => {
    const upstream = await rawUpstream((socket) => socket.write(okAnswer));
    const services = [
      { prefix: '/good', target: { host: 'localhost', port: upstream.port } },
      { prefix: '/bad', target: { host: 'no-such-name.invalid', port: 1 }, retries: 0 },
    ];
    const { driver } = plane({ services });
    const { port } = await driver.listen(loopback);
    const ask = (path: string) => rawTalk({ port }, lastQuestion.replace('/x', path));
    expect((await ask('/good')).text).toContain('200 OK');
    expect((await ask('/bad')).text).toMatch(/^HTTP\/1\.1 50[23] /);
  });

  test('an address in use is an error with its name', async () => {
    const { driver } = plane({ services: [] });
    const { port } = await driver.listen(loopback);
    await expect(driver.listen({ ...loopback, port })).rejects.toThrow(/EADDRINUSE/);
  });
});

describe('ends', () => {
  test('an upstream that refuses is answered 502', async () => {
    const { driver } = plane({ services: [{ target: { host: '127.0.0.1', port: 1 } }] });
    const { port } = await driver.listen(loopback);
    expect((await rawTalk({ port }, lastQuestion)).text).toMatch(/^HTTP\/1\.1 502 /);
  });

  test('a client that ends its side still gets its answer', async () => {
    const upstream = await rawUpstream((socket) => {
      setTimeout(() => socket.write(okAnswer), 50);
    });
    const { driver } = plane({
      services: [{ target: { host: '127.0.0.1', port: upstream.port } }],
    });
    const { port } = await driver.listen(loopback);
    const answer = await rawTalk({ port, end: true }, question);
    expect(answer.text).toMatch(/\r\n\r\nok$/);
    expect(answer.reset).toBe(false);
  });

  test('an answer that comes before the request is whole reaches the client', async () => {
    const upstream = await rawUpstream((socket) => {
      socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig');
    });
    const { driver } = plane({
      services: [{ target: { host: '127.0.0.1', port: upstream.port } }],
    });
    const { port } = await driver.listen(loopback);
    const head = 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n';
    const answer = await rawTalk({ port }, head + 'x'.repeat(100_000));
    expect(answer.text).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('a client that goes away takes its upstream connection with it', async () => {
    let closed = 0;
    const upstream = await rawUpstream((socket) => socket.on('close', () => closed++));
    const { driver, gauge } = plane({
      services: [{ target: { host: '127.0.0.1', port: upstream.port } }],
    });
    const { port } = await driver.listen(loopback);
    const client = net.connect(port, '127.0.0.1').on('error', () => {});
    client.write(question);
    await until(() => upstream.heads.length === 1);
    client.resetAndDestroy();
    await until(() => closed === 1 && gauge('activeDownstream') === 0);
    expect(gauge('activeUpstream')).toBe(0);
  });

  test('after an error answer the client that wrote on sees the end, not a reset', async () => {
    const { driver } = plane({ services: [] });
    const { port } = await driver.listen(loopback);
    const answer = await rawTalk({ port }, `BAD\r\n\r\n${'x'.repeat(200_000)}`);
    expect(answer.text).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.reset).toBe(false);
  });

  test('a thousand pipelined requests are answered in order', async () => {
    let count = 0;
    const upstream = await rawUpstream((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n${String(count++).padStart(4)}`);
    });
    const { driver } = plane({
      services: [{ target: { host: '127.0.0.1', port: upstream.port } }],
    });
    const { port } = await driver.listen(loopback);
    const answer = await rawTalk({ port }, question.repeat(999) + lastQuestion);
    const bodies = [...answer.text.matchAll(/\r\n\r\n( *\d+)/g)].map((match) => Number(match[1]));
    expect(bodies).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  test('close() resets what is open, and no descriptor is left', async () => {
    const { driver } = plane({ services: [] });
    const { port } = await driver.listen(loopback);
    const clients = Array.from({ length: 20 }, () => net.connect(port, '127.0.0.1'));
    let gone = 0;
    for (const client of clients) client.on('error', () => {}).on('close', () => gone++);
    await Promise.all(clients.map((client) => new Promise((done) => client.once('connect', done))));
    await new Promise((done) => setTimeout(done, 50));
    await driver.close();
    await until(() => gone === 20);
    await expect(rawTalk({ port }, question)).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('the PROXY protocol', () => {
  const listener = { ...loopback, proxyProtocol: true };

  async function front(settings = {}) {
    const upstream = await rawUpstream((socket) => socket.write(okAnswer));
    const target = { host: '127.0.0.1', port: upstream.port };
    const { driver, gauge } = plane({ services: [{ target }], settings });
    const { port } = await driver.listen(listener);
    return { upstream, port, driver, gauge };
  }

  test('the announced client is the peer, though the header comes in single bytes', async () => {
    const { upstream, port } = await front();
    const bytes = `PROXY TCP4 192.0.2.7 198.51.100.2 12345 8443\r\n${lastQuestion}`;
    expect((await rawTalk({ port }, bytes)).text).toContain('200 OK');
    const slow = net.connect({ port, host: '127.0.0.1', noDelay: true });
    let answer = '';
    slow.on('data', (chunk) => {
      answer += chunk;
    });
    for (const byte of bytes) {
      slow.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => slow.on('close', resolve));
    expect(answer).toContain('200 OK');
    for (const head of upstream.heads) {
      expect(head).toContain('X-Forwarded-For: 192.0.2.7\r\n');
      expect(head).toContain('X-Forwarded-Port: 8443\r\n');
    }
    expect(upstream.heads).toHaveLength(2);
  });

  test('one that speaks for itself is known by its socket', async () => {
    const { upstream, port } = await front();
    await rawTalk({ port }, `PROXY UNKNOWN\r\n${lastQuestion}`);
    expect(upstream.heads[0]).toContain('X-Forwarded-For: 127.0.0.1\r\n');
    expect(upstream.heads[0]).toContain(`X-Forwarded-Port: ${port}\r\n`);
  });

  test('without a good header nothing is answered and nothing goes upstream', async () => {
    const { upstream, port, gauge } = await front();
    for (const start of ['', 'PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n', 'PROXY TCP4 1.2']) {
      const answer = await rawTalk({ port, end: true }, start === '' ? lastQuestion : start);
      expect(answer.text).toBe('');
    }
    expect(upstream.heads).toEqual([]);
    expect(gauge('activeDownstream')).toBe(0);
  });

  test('a header that does not come is given up after client_header_timeout', async () => {
    const { port, gauge } = await front({ clientHeaderTimeoutMs: 100 });
    const answer = await rawTalk({ port }, 'PROXY TCP4 ');
    expect(answer.text).toBe('');
    expect(gauge('activeDownstream')).toBe(0);
  });
});
