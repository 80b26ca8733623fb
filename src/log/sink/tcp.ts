/**
 * Sends texts over TCP or TLS: one connection per destination, kept open between batches. A write
 * counts as done when the kernel has taken it; a receiver that stops reading runs into the
 * time-out, and its connection is given up.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { GatewayError } from '../../errors.js';
import { within } from './udp.js';

export interface TcpDestination {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Name for SNI; null: the host, where that is a name. */
  readonly sni: string | null;
  /** For connecting (with the handshake) and for each write. */
  readonly timeoutMs: number;
  /** How long an idle connection is kept. */
  readonly keepaliveMs: number;
}

interface Line {
  socket: Socket | null;
  /** The last write; writes to a destination run one after the other. */
  last: Promise<void>;
}

export class TcpSink {
  readonly #lines = new Map<string, Line>();

  /** @throws GatewayError GW_E_SUBMIT with the reason; nothing or a part of the text was sent */
  send(to: TcpDestination, text: string): Promise<void> {
    const key = `${to.host}:${to.port}:${to.tls ? `tls:${to.sni ?? ''}` : 'tcp'}`;
    let line = this.#lines.get(key);
    if (!line) {
      line = { socket: null, last: Promise.resolve() };
      this.#lines.set(key, line);
    }
    const used = line;
    const sent = used.last.then(() => sendOver(used, to, text));
    used.last = sent.catch(() => {});
    return sent;
  }

  /** Closes the connections behind what was written. The sink can be used again. */
  async close(): Promise<void> {
    const lines = [...this.#lines.values()];
    this.#lines.clear();
    await Promise.all(lines.map(({ last }) => last));
    for (const { socket } of lines) socket?.end();
  }
}

async function sendOver(line: Line, to: TcpDestination, text: string): Promise<void> {
  try {
    const usable = line.socket && !line.socket.destroyed && line.socket.writable;
    if (!usable) line.socket = await open(to);
    const { socket } = line;
    if (socket) await within(write(socket, text), to.timeoutMs);
  } catch (cause) {
    line.socket?.destroy();
    line.socket = null;
    const reason = (cause as Error).message || (cause as NodeJS.ErrnoException).code;
    const message = `failed to send data to ${to.host}:${to.port}: ${reason}`;
    throw new GatewayError('GW_E_SUBMIT', message, { cause });
  }
}

async function open(to: TcpDestination): Promise<Socket> {
  const { host, port } = to;
  const servername = to.sni ?? undefined;
  // Kong does not verify the certificates of log servers either.
  const socket = to.tls
    ? connectTls({ host, port, servername, rejectUnauthorized: false })
    : connect({ host, port });
  const ready = new Promise<void>((resolve, reject) => {
    socket.once(to.tls ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
  // Later errors end in `close`, and the next write finds the socket destroyed.
  socket.on('error', () => {});
  try {
    await within(ready, to.timeoutMs);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  // What a log server answers is of no interest, but must not fill buffers.
  socket.resume();
  socket.setTimeout(Math.max(1, to.keepaliveMs), () => {
    if (socket.writableLength === 0) socket.end();
  });
  return socket;
}

function write(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('closed'));
    socket.once('close', gone);
    socket.write(text, (error) => {
      socket.off('close', gone);
      if (error) reject(error);
      else resolve();
    });
  });
}
