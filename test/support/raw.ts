/** Raw clients and upstreams for tests that look at bytes and at how a connection ends. */
import net, { type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface RawUpstream {
  readonly port: number;
  readonly path: string;
  /** Heads of the requests, in order. */
  readonly heads: readonly string[];
}

/** Calls `answer` for each request head; bodies are ignored. `where`: address or socket path. */
export async function rawUpstream(
  answer: (socket: net.Socket, head: string) => void,
  where = '127.0.0.1',
): Promise<RawUpstream> {
  const heads: string[] = [];
  const server = net.createServer((socket) => {
    let tail = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      const parts = (tail + chunk.toString('latin1')).split('\r\n\r\n');
      tail = parts.pop() ?? '';
      for (const head of parts) {
        heads.push(`${head}\r\n`);
        answer(socket, head);
      }
    });
  });
  const port = await listenOn(server, where);
  return { port, path: where, heads };
}

/** Listens until the test ends; resolves with the port, 0 for a socket path. */
export async function listenOn(server: net.Server, where = '127.0.0.1'): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    if (net.isIP(where) === 0) server.listen(where, resolve);
    else server.listen(0, where, resolve);
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  const bound = server.address();
  return typeof bound === 'string' ? 0 : (bound as AddressInfo).port;
}

export interface RawAnswer {
  readonly text: string;
  readonly reset: boolean;
}

/** Sends bytes and resolves with everything that comes until the gateway closes. */
export function rawTalk(
  where: { port?: number; host?: string; path?: string; end?: boolean },
  bytes: string | Buffer,
): Promise<RawAnswer> {
  const { end, ...address } = where;
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', ...address } as net.NetConnectOpts);
    let text = '';
    let reset = false;
    let connected = false;
    socket.on('connect', () => {
      connected = true;
    });
    socket.on('data', (chunk) => {
      text += chunk.latin1Slice();
    });
    socket.on('error', (error) => {
      if (connected) reset = true;
      else reject(error);
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve({ text, reset }));
    socket.write(bytes, 'latin1');
    if (end) socket.end();
  });
}
