/** Sends datagrams: one socket per address family, names looked up once per batch. */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { GatewayError } from '../../errors.js';

type Family = 4 | 6;

export class UdpSink {
  readonly #sockets = new Map<Family, Socket>();

  /**
   * Sends each text as a datagram of its own, in order; one that cannot be sent does not keep the
   * others back.
   * @param timeoutMs for the look-up of the name and for each datagram
   * @throws GatewayError GW_E_SUBMIT with the first reason, after all were tried
   */
  async send(
    host: string,
    port: number,
    datagrams: readonly string[],
    timeoutMs: number,
  ): Promise<void> {
    let failure: Error | null = null;
    let failed = 0;
    try {
      const { address, family } = await within(lookup(host), timeoutMs);
      const socket = this.#socketFor(family as Family);
      for (const datagram of datagrams) {
        try {
          await within(sendOne(socket, datagram, port, address), timeoutMs);
        } catch (error) {
          failure ??= error as Error;
          failed++;
        }
      }
    } catch (error) {
      failure = error as Error;
      failed = datagrams.length;
    }
    if (!failure) return;
    const message =
      `could not send data to ${host}:${port}: ${failure.message} ` +
      `(${failed} of ${datagrams.length} datagrams)`;
    throw new GatewayError('GW_E_SUBMIT', message, { cause: failure });
  }

  /** Closes the sockets. The sink can be used again. */
  async close(): Promise<void> {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #socketFor(family: Family): Socket {
    let socket = this.#sockets.get(family);
    if (!socket) {
      socket = createSocket(family === 6 ? 'udp6' : 'udp4');
      // Refusals of receivers belong to datagrams sent long ago; there is nobody to tell.
      socket.on('error', () => {});
      // A gateway that has closed everything else ends.
      socket.unref();
      this.#sockets.set(family, socket);
    }
    return socket;
  }
}

function sendOne(socket: Socket, datagram: string, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(datagram, port, address, (error) => (error ? reject(error) : resolve()));
  });
}

/** The promise, or a rejection after `ms`. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
