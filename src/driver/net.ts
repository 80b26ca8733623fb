/**
 * The driver over `node:net`: works everywhere. One `process` call per readable event: a socket
 * reads into the core's memory, the core rewrites in place, what comes back is written at once. It
 * never looks at a byte.
 */

import { bareHandles } from './bare/check.js';
import type { BoundListener, Driver, DriverOptions, ListenSpec } from './contract.js';
import { type Listener, openListener } from './listener.js';
import { Sockets } from './sockets.js';
import { openTlsListener } from './tls-listener.js';

/** `auto`: bare handles where their check passes; `off`: the public API of node. */
export type NetHandles = 'auto' | 'off';

/** Makes a `net` driver. It owns the core's events and commands from here on. */
export function createNetDriver(options: DriverOptions, handles: NetHandles = 'auto'): Driver {
  return new NetDriver(options, handles);
}

class NetDriver implements Driver {
  readonly name = 'net';
  readonly #options: DriverOptions;
  readonly #sockets: Sockets;
  readonly #listeners: Listener[] = [];
  readonly #handles: NetHandles;

  constructor(options: DriverOptions, handles: NetHandles) {
    this.#options = options;
    this.#handles = handles;
    this.#sockets = new Sockets(options);
  }

  async listen(spec: ListenSpec): Promise<BoundListener> {
    const bare = await this.#prepare();
    const index = this.#listeners.length;
    const { serverContexts } = this.#options;
    const listener = spec.ssl
      ? await openTlsListener(spec, index, this.#sockets, serverContexts)
      : await openListener(spec, index, this.#sockets, bare);
    this.#listeners.push(listener);
    return { spec: listener.spec, address: listener.address, port: listener.port };
  }

  /** True where connections in the clear are bare handles. */
  async #prepare(): Promise<boolean> {
    const found = this.#handles === 'auto' ? await bareHandles() : null;
    if (found === null || !('bindings' in found)) return false;
    this.#sockets.useBare(found.bindings);
    return true;
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
