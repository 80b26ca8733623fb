/** How a connection over a bare handle ends, whatever its peer does; peers are sockets of node. */
import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ErrorCause } from '../../../src/core/layout.js';
import { BareConnection } from '../../../src/driver/bare/connection.js';
import { BareDialer } from '../../../src/driver/bare/dialer.js';
import { loadBareBindings } from '../../../src/driver/bare/handles.js';
import type { ConnectionOwner } from '../../../src/driver/connection.js';
import { systemClock } from '../../../src/time.js';
import { until } from '../../support/gateway.js';
import { listenOn } from '../../support/raw.js';

const bindings = loadBareBindings();
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A connection without handle, and the words of all it tells, in order. */
function fresh() {
  const view = new Uint8Array(65536);
  const heard: string[] = [];
  let text = '';
  const owner: ConnectionOwner = {
    received: (_, bytes) => {
      text += Buffer.from(view.buffer, 0, bytes).latin1Slice();
    },
    connected: () => heard.push('connected'),
    ended: () => heard.push('ended'),
    failed: (_, cause) => heard.push(`failed ${cause}`),
    drained: () => heard.push('drained'),
    closed: () => heard.push('closed'),
  };
  const context = { bindings, owner, view, spareWrite: new bindings.Write() };
  const connection = new BareConnection(context, 7);
  onTestFinished(() => connection.destroy());
  return { connection, heard, text: () => text };
}

/** A connection to a peer that ends its side only when told to. */
async function connected() {
  const peers: net.Socket[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => peers.push(socket));
  const port = await listenOn(server);
  const side = fresh();
  new BareDialer(bindings, systemClock).dial(side.connection, { host: '127.0.0.1', port });
  await until(() => peers.length === 1 && side.heard.includes('connected'));
  const [peer] = peers;
  const seen = { text: '', ended: false, reset: false };
  peer.on('error', () => {
    seen.reset = true;
  });
  peer.on('end', () => {
    seen.ended = true;
  });
  return { ...side, peer, seen, port };
}

/** Writes until the kernel takes no more; returns the bytes written. */
function fill(connection: BareConnection): number {
  const block = Buffer.alloc(262144, 'x');
  let bytes = block.length;
  while (connection.write(block)) bytes += block.length;
  return bytes;
}

describe('ends', () => {
  test('a FIN each way, ours first', async () => {
    const { connection, heard, peer, seen } = await connected();
    peer.resume();
    connection.end();
    await until(() => seen.ended && connection.finished);
    expect(connection.closed).toBe(false);
    peer.end('late');
    await until(() => connection.closed);
    expect(heard).toEqual(['connected', 'ended', 'closed']);
  });

  test('the peer first: our FIN follows what is written', async () => {
    const { connection, heard, peer, seen, text } = await connected();
    peer.on('data', (chunk) => {
      seen.text += chunk;
    });
    peer.end('bye');
    await until(() => heard.includes('ended'));
    expect(text()).toBe('bye');
    connection.write('so long');
    connection.end();
    await until(() => seen.ended);
    expect(seen).toEqual({ text: 'so long', ended: true, reset: false });
    expect(heard).toEqual(['connected', 'ended', 'closed']);
  });

  test('the FIN waits for a write that is left over', async () => {
    const { connection, heard, peer, seen } = await connected();
    const bytes = fill(connection);
    connection.blocked = true;
    connection.end();
    await turn();
    expect(connection.finished).toBe(false);
    expect(connection.unsentBytes).toBeGreaterThan(0);
    let count = 0;
    peer.on('data', (chunk) => {
      count += chunk.length;
    });
    await until(() => seen.ended);
    expect(count).toBe(bytes);
    expect(connection.unsentBytes).toBe(0);
    peer.end();
    await until(() => connection.closed);
    expect(heard).toEqual(['connected', 'drained', 'ended', 'closed']);
  });
});

describe('cuts', () => {
  test('reset() with a write left over cuts it short, and nothing follows', async () => {
    const { connection, heard, peer, seen } = await connected();
    let count = 0;
    peer.on('data', (chunk) => {
      count += chunk.length;
    });
    const bytes = fill(connection);
    connection.end();
    connection.reset();
    await until(() => seen.reset || seen.ended);
    expect(count).toBeLessThan(bytes);
    expect(heard).toEqual(['connected', 'closed']);
    connection.resume();
    connection.end();
    expect(connection.write('x')).toBe(true);
  });

  test('what a peer sent before its reset is read, though a write hears of it first', async () => {
    const { connection, heard, peer, text } = await connected();
    peer.write('an answer');
    await new Promise((resolve) => peer.write('', resolve));
    connection.write('more of a request');
    peer.resetAndDestroy();
    const until50Ms = performance.now() + 50;
    // The loop must not read before the writes below.
    while (performance.now() < until50Ms);
    for (let i = 0; i < 3; i++) connection.write('even more');
    await until(() => connection.closed);
    expect(['', 'an answer']).toContain(text());
    expect(heard).toEqual(['connected', `failed ${ErrorCause.RESET}`, 'closed']);
  });

  test('reset() is seen as a reset', async () => {
    const { connection, peer, seen } = await connected();
    peer.resume();
    connection.reset();
    await until(() => seen.reset);
  });

  test('a reset right behind bytes is no end', async () => {
    const { connection, heard, peer, text } = await connected();
    connection.pause();
    await new Promise((resolve) => peer.write('half an ans', resolve));
    peer.resetAndDestroy();
    await turn();
    connection.resume();
    await until(() => connection.closed);
    expect(text()).toBe('half an ans');
    expect(heard).toEqual(['connected', `failed ${ErrorCause.RESET}`, 'closed']);
  });

  test('a write that fails on a connection that is not read ends it', async () => {
    const { connection, heard, peer } = await connected();
    connection.pause();
    connection.write('x');
    await turn();
    peer.resetAndDestroy();
    await until(() => {
      connection.write('x');
      return connection.closed;
    });
    expect(heard).toEqual(['connected', `failed ${ErrorCause.RESET}`, 'closed']);
  });

  test('dropped while it connects: no word but that it is closed', async () => {
    const { port } = await connected();
    const { connection, heard } = fresh();
    new BareDialer(bindings, systemClock).dial(connection, { host: '127.0.0.1', port });
    connection.reset();
    await turn();
    await turn();
    expect(heard).toEqual(['closed']);
  });

  test('end() while it connects sends the FIN when it is there', async () => {
    const { port } = await connected();
    const { connection, heard } = fresh();
    new BareDialer(bindings, systemClock).dial(connection, { host: '127.0.0.1', port });
    connection.end();
    await until(() => connection.finished);
    expect(heard).toEqual(['connected']);
  });
});

describe('names', () => {
  const named = (addresses: string[], clock = systemClock) =>
    new BareDialer(bindings, clock, { resolve: (_host, answer) => answer(addresses) });

  test('the addresses of a name are tried one after the other', async () => {
    const { port } = await connected();
    const { connection, heard } = fresh();
    named(['::1', '127.0.0.9', '127.0.0.1']).dial(connection, { host: 'a.test', port });
    await until(() => heard.length > 0);
    expect(heard).toEqual(['connected']);
  });

  test('one that does not answer is given up where there is another', async () => {
    const { port } = await connected();
    const { connection, heard } = fresh();
    const hasty = { ...systemClock, setTimeout: (fn: () => void) => setImmediate(fn) };
    named(['192.0.2.1', '127.0.0.1'], hasty).dial(connection, { host: 'a.test', port });
    await until(() => heard.length > 0);
    expect(heard).toEqual(['connected']);
  });

  test('the failure of the last one counts; without any it is the name', async () => {
    const { connection, heard } = fresh();
    named(['127.0.0.1']).dial(connection, { host: 'a.test', port: 1 });
    await until(() => heard.length === 2);
    expect(heard).toEqual([`failed ${ErrorCause.REFUSED}`, 'closed']);
    const other = fresh();
    named([]).dial(other.connection, { host: 'a.test', port: 1 });
    expect(other.heard).toEqual([`failed ${ErrorCause.RESOLVE}`, 'closed']);
  });
});
