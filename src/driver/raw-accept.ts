/**
 * Accepting sockets so that they read straight into the core's memory. Node offers the `onread`
 * buffer for sockets that connect, not for those a server accepts; this builds the accepted socket
 * itself, around the handle. Per proxied request that saves the Buffer, the stream event and the
 * copy of each client read. It leans on two internals (`server._handle.onconnection`, the `handle`
 * option of `net.Socket`), so a self-check tries it once per process and the public way is kept
 * beside it.
 */
import net from 'node:net';

export interface OnRead {
  readonly buffer: Uint8Array;
  readonly callback: (bytes: number) => boolean;
}

interface Handle {
  onconnection?: (status: number, client: Handle | undefined) => void;
  close(): void;
  readStop(): number;
}

type SocketOptions = net.SocketConstructorOpts & { handle: Handle; onread: OnRead };

/** A connection that was accepted and has no socket yet. */
export interface PendingAccept {
  /** Makes the socket; it reads at once. */
  open(onread: OnRead): net.Socket;
  refuse(): void;
}

/**
 * Diverts the connections of a listening server to `accept`; false where node's internals differ.
 * `failed` hears of errors of accept(2), such as running out of file descriptors.
 */
export function divertAccepts(
  server: net.Server,
  accept: (pending: PendingAccept) => void,
  failed: (status: number) => void,
): boolean {
  const handle = (server as unknown as { _handle?: Handle })._handle;
  if (typeof handle?.onconnection !== 'function') return false;
  handle.onconnection = (status, client) => {
    if (status !== 0 || client === undefined) failed(status);
    else accept({ open: (onread) => openSocket(client, onread), refuse: () => client.close() });
  };
  return true;
}

function openSocket(handle: Handle, onread: OnRead): net.Socket {
  const options: SocketOptions = {
    handle,
    onread,
    allowHalfOpen: true,
    readable: true,
    writable: true,
  };
  return new net.Socket(options);
}

let checked: Promise<boolean> | undefined;

/** True where diverted sockets behave: reads, pause, writes, addresses, half-close. Asked once. */
export function rawAcceptWorks(): Promise<boolean> {
  checked ??= selfCheck().catch(() => false);
  return checked;
}

async function selfCheck(): Promise<boolean> {
  const server = net.createServer();
  server.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const sockets: net.Socket[] = [];
  try {
    return await exchange(server, sockets);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** Client sends "ping" and its FIN, the accepted socket answers what its buffer then holds. */
function exchange(server: net.Server, sockets: net.Socket[]): Promise<boolean> {
  return new Promise((resolve) => {
    const give = (works: boolean): void => {
      clearTimeout(timer);
      resolve(works);
    };
    const timer = setTimeout(() => resolve(false), 1000);
    const buffer = new Uint8Array(16);
    const diverted = divertAccepts(
      server,
      (pending) => {
        let received = 0;
        const socket = pending.open({
          buffer,
          callback: (bytes) => {
            received += bytes;
            return true;
          },
        });
        sockets.push(socket);
        socket.on('error', () => give(false));
        socket.on('end', () => {
          const addressed = socket.remoteAddress === '127.0.0.1' && socket.remotePort !== undefined;
          if (!addressed || received !== 4) return give(false);
          socket.pause();
          socket.resume();
          socket.end(Buffer.from(buffer.subarray(0, 4)));
        });
      },
      () => give(false),
    );
    if (!diverted) return give(false);
    const { port } = server.address() as net.AddressInfo;
    const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    sockets.push(client);
    let answer = '';
    client.on('error', () => give(false));
    client.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    client.on('end', () => give(answer === 'ping'));
    client.end('ping');
  });
}
