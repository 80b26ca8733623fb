/**
 * A network in memory: the gateway's driver is the simulator with real time, clients are streams,
 * and upstreams are HTTP servers that are handed streams. Nothing of it is a socket.
 */
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { AcceptFlag, ErrorCause } from '../core/layout.js';
import type { Driver, DriverOptions } from '../driver/contract.js';
import { createSimDriver, type SimDriver, type SimLink } from '../driver/sim.js';
import { LiveWorld } from './live-world.js';
import { MemorySocket } from './memory-socket.js';

const wire = {
  cut: 'whole',
  delayMsMax: 0,
  capacityBytes: 1_048_576,
  pieceBytesMax: 65_536,
} as const;
const link: SimLink = { inbound: wire, outbound: wire };

export class MemoryNetwork {
  readonly #servers = new Map<string, Server>();
  readonly #sockets = new Set<MemorySocket>();
  #driver: SimDriver | null = null;

  /** Connections of the gateway to this host and port go to a server that does not listen. */
  serve(host: string, port: number, server: Server): void {
    this.#servers.set(`${host}:${port}`, server);
  }

  /** What the worker makes its driver with. */
  readonly makeDriver = (options: DriverOptions): Driver => {
    const upstream = (target: number) => {
      const address = options.target(target);
      const server = this.#servers.get(`${address?.host}:${address?.port}`);
      if (!server) return ErrorCause.REFUSED;
      const socket = this.#track(new MemorySocket());
      server.emit('connection', socket);
      return socket.peer;
    };
    this.#driver = createSimDriver({
      ...options,
      clock: new LiveWorld(1),
      upstream,
      link: () => link,
    });
    return this.#driver;
  };

  /** A connection to the gateway of a client with an address, over TLS or not. */
  connect(address: string, tls: boolean): Duplex {
    const socket = this.#track(new MemorySocket());
    const from = {
      peerAddress: address,
      localAddress: '127.0.0.1',
      localPort: tls ? 8443 : 8000,
      flags: tls ? AcceptFlag.TLS : 0,
    };
    if (!this.#driver?.connectClient(socket.peer, from)) {
      socket.destroy(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    }
    return socket;
  }

  /** Ends every connection that is left. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #track(socket: MemorySocket): MemorySocket {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
