/** A raw keep-alive client and a raw upstream for the figures that wrk cannot show. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { answerReader } from './load.mjs';

/** Opens one connection. `request(path)` resolves with the status, or 0 where it was cut. */
export async function openClient(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let waiting;
  const settle = (status) => {
    const resolve = waiting;
    waiting = undefined;
    resolve?.(status);
  };
  socket.on('data', answerReader(settle));
  socket.on('error', () => {});
  socket.on('close', () => settle(0));
  await once(socket, 'connect');
  const request = (path = '/bench') => {
    if (socket.destroyed) return Promise.resolve(0);
    return new Promise((resolve) => {
      waiting = resolve;
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    });
  };
  return { socket, request };
}

/** Opens `count` connections, `step` at a time. */
export async function openClients(port, count, step = 100) {
  const clients = [];
  while (clients.length < count) {
    const size = Math.min(step, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: size }, () => openClient(port)))));
  }
  return clients;
}

export function closeClients(clients) {
  for (const { socket } of clients) socket.destroy();
}

/** Starts an upstream: `answer(socket, head)` is called for each request head (without body). */
export async function rawUpstream(answer) {
  const sockets = new Set();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let tail = '';
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      const heads = (tail + chunk.toString('latin1')).split('\r\n\r\n');
      tail = heads.pop();
      for (const head of heads) answer(socket, head);
    });
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: server.address().port, sockets, close };
}

/** The bytes of a 200 with this body. */
export function okAnswer(body) {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Value below which `share` of the list lies. */
export function quantile(list, share) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
