/**
 * Sockets of a proxy_protocol listener over node:net, until their header has come. The core hears
 * of a connection only then; one whose header is bad, or does not come within
 * client_header_timeout, is reset.
 */
import type { Socket } from 'node:net';
import { limits } from '../limits.js';
import type { Clock } from '../time.js';
import { type ProxiedAddresses, parseProxyHeader } from './proxy-protocol.js';

export interface ProxiedOwner {
  readonly clock: Clock;
  /** How long a header may take, in milliseconds; 0: no limit. */
  headerTimeoutMs(): number;
  /** The header is there; `rest` came behind it. */
  accept(socket: Socket, listener: number, addresses: ProxiedAddresses | null, rest: Buffer): void;
  refused(): void;
}

export class ProxiedSockets {
  readonly #owner: ProxiedOwner;
  readonly #waiting = new Set<Socket>();

  constructor(owner: ProxiedOwner) {
    this.#owner = owner;
  }

  /** Takes an accepted socket; must run in the turn of the event loop in which it was made. */
  add(socket: Socket, listener: number): void {
    const { clock } = this.#owner;
    if (this.#waiting.size >= limits.downstreamConnections.value) {
      socket.on('error', () => {});
      this.#drop(socket);
      return;
    }
    this.#waiting.add(socket);
    const waitMs = this.#owner.headerTimeoutMs();
    const timer = waitMs > 0 ? clock.setTimeout(() => this.#drop(socket), waitMs) : undefined;
    let bytes: Buffer = Buffer.alloc(0);
    const leave = (): void => {
      clock.clearTimeout(timer);
      this.#waiting.delete(socket);
      socket.off('data', take).off('end', drop).off('close', leave);
    };
    const drop = (): void => this.#drop(socket);
    const take = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const header = parseProxyHeader(bytes);
      if (header.kind === 'bad') drop();
      if (header.kind !== 'whole') return;
      leave();
      socket.off('error', ignore);
      this.#owner.accept(socket, listener, header.addresses, bytes.subarray(header.bytes));
    };
    const ignore = (): void => {};
    socket.on('error', ignore).on('data', take).on('end', drop).on('close', leave);
  }

  /** Resets all of them. */
  clear(): void {
    for (const socket of this.#waiting) socket.resetAndDestroy();
  }

  #drop(socket: Socket): void {
    this.#owner.refused();
    if (socket.remotePort === undefined) socket.destroy();
    else socket.resetAndDestroy();
  }
}
