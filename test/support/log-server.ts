/** A log server: remembers what it was sent and answers what the test says. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface LogRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface LogServer extends AsyncDisposable {
  readonly port: number;
  readonly requests: LogRequest[];
  /** Connections accepted so far. */
  readonly connections: () => number;
  /** Answers one request; by default 200 with an empty body. */
  answer: (response: ServerResponse, count: number) => void;
  /** Resolves when so many requests have come in full. */
  received(count: number): Promise<void>;
}

export async function startLogServer(port = 0): Promise<LogServer> {
  const requests: LogRequest[] = [];
  const sockets = new Set<Socket>();
  let accepted = 0;
  let waiters: { count: number; resolve: () => void }[] = [];
  const http = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      requests.push({ method, url, headers, body });
      server.answer(response, requests.length);
      for (const { count, resolve } of waiters) if (requests.length >= count) resolve();
      waiters = waiters.filter(({ count }) => requests.length < count);
    });
  });
  http.on('connection', (socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  const server: LogServer = {
    port: (http.address() as AddressInfo).port,
    requests,
    connections: () => accepted,
    answer: (response) => void response.end(),
    received: (count) =>
      requests.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => waiters.push({ count, resolve })),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}
