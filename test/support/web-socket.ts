/** Ends of WebSockets for tests: an upstream and clients that keep what they get, in order. */
import { createServer, type IncomingMessage } from 'node:http';
import type { Server } from 'node:net';
import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import { until } from './gateway.js';
import { listenOn } from './raw.js';

/** One end with what it has got: `text:hello`, `binary:...`, `ping:...`, `close:1000 reason`. */
export class SocketEnd {
  readonly socket: WebSocket;
  readonly got: string[] = [];
  failed = '';

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer, binary) => {
      this.got.push(`${binary ? 'binary' : 'text'}:${shown(data)}`);
    });
    socket.on('ping', (data) => this.got.push(`ping:${data}`));
    socket.on('pong', (data) => this.got.push(`pong:${data}`));
    socket.on('close', (status, reason) => this.got.push(`close:${status} ${reason}`));
    socket.on('error', (error) => {
      this.failed = error.message;
    });
  }

  /** Resolves when so much has come, with all of it. */
  async has(count: number): Promise<string[]> {
    await until(() => this.got.length >= count, 20_000);
    return this.got;
  }
}

const shown = (data: Buffer): string =>
  data.length > 200 ? `${data.length} bytes of ${data.subarray(0, 1)}` : data.toString();

export interface SocketUpstream {
  readonly port: number;
  /** Ends of the WebSockets that came, in order. */
  readonly ends: readonly SocketEnd[];
  readonly handshakes: readonly IncomingMessage[];
}

/** A server that takes every WebSocket. `server`: listens instead of a plain one. */
export async function socketUpstream(
  server: Server = createServer(),
  perMessageDeflate = true,
): Promise<SocketUpstream> {
  const ends: SocketEnd[] = [];
  const handshakes: IncomingMessage[] = [];
  const sockets = new WebSocketServer({
    server: server as ReturnType<typeof createServer>,
    perMessageDeflate,
    autoPong: false,
  });
  sockets.on('connection', (socket, request) => {
    handshakes.push(request);
    ends.push(new SocketEnd(socket));
  });
  return { port: await listenOn(server), ends, handshakes };
}

/** A client whose WebSocket is open, and the upstream's end of it. */
export async function openSocket(
  url: string,
  upstream: SocketUpstream,
  options: ClientOptions = {},
): Promise<{ client: SocketEnd; server: SocketEnd }> {
  const known = upstream.ends.length;
  const socket = new WebSocket(url, { autoPong: false, ...options });
  const client = new SocketEnd(socket);
  onTestFinished(() => socket.terminate());
  await until(() => socket.readyState === WebSocket.OPEN || client.failed !== '');
  if (client.failed !== '') throw new Error(client.failed);
  await until(() => upstream.ends.length > known);
  return { client, server: upstream.ends[known] };
}
