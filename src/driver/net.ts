/**
 * The driver over `node:net`: works everywhere. One `process` call per readable event: a socket
 * reads into the core's memory, the core rewrites in place, what comes back is written at once. It
 * never looks at a byte.
 */
import type { BoundListener, Driver, DriverOptions, ListenSpec } from './contract.js';
import { type Listener, openListener } from './listener.js';
import { Sockets } from './sockets.js';
import { openTlsListener } from './tls-listener.js';

/** Makes a `net` driver. It owns the core's events and commands from here on. */
export function createNetDriver(options: DriverOptions): Driver {
  return new NetDriver(options);
}

class NetDriver implements Driver {
  readonly name = 'net';
  readonly #options: DriverOptions;
  readonly #sockets: Sockets;
  readonly #listeners: Listener[] = [];

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#sockets = new Sockets(options);
  }

  async listen(spec: ListenSpec): Promise<BoundListener> {
    const index = this.#listeners.length;
    const { serverContexts } = this.#options;
    const listener = spec.ssl
      ? await openTlsListener(spec, index, this.#sockets, serverContexts)
      : await openListener(spec, index, this.#sockets);
    this.#listeners.push(listener);
    return { spec: listener.spec, address: listener.address, port: listener.port };
  }

  async stopListening(): Promise<void> {
    for (const { server } of this.#listeners) if (server.listening) server.close();
    // The descriptor is closed at once, node tells its own loop in the next turn.
    await new Promise((resolve) => setImmediate(resolve));
  }

  post(event: number, connection: number, a: number, b: number): void {
    this.#sockets.pump.post(event, connection, a, b);
  }

  get closingCount(): number {
    return this.#sockets.closingCount;
  }

  async close(): Promise<void> {
    await this.stopListening();
    for (const { halt } of this.#listeners) halt?.();
    this.#sockets.pump.stop();
    this.#sockets.halted();
  }
}
