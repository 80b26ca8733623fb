/**
 * The driver over the native engine (Linux, optional): an epoll set that reads straight into the
 * core's memory and hands over one batch of events per turn of the loop. This file is its slow
 * path: listening, names, the tick, faults. No byte of a request passes through it.
 */
import { unlinkSync } from 'node:fs';
import { ErrorCause } from '../core/layout.js';
import { createNativeEngine } from '../core/native-engine.js';
import { asTrap } from '../core/port.js';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { NativeAddon, NativeEngine, NativeHost } from '../native/loader.js';
import type { BoundListener, Driver, DriverOptions, ListenSpec } from './contract.js';
import { asListenError, bindOrReplace, describeListen } from './listen-address.js';
import { parseProxyHeader } from './proxy-protocol.js';
import { NameResolver } from './resolver.js';
import { TlsBridge } from './tls-bridge.js';

/** Makes a `native` driver. It owns the core's events and commands from here on. */
export function createNativeDriver(addon: NativeAddon, options: DriverOptions): Driver {
  return new NativeDriver(addon, options);
}

/** Addresses of a connection that have not been tried. */
interface Attempt {
  readonly id: number;
  readonly rest: string[];
  readonly port: number;
}

class NativeDriver implements Driver, NativeHost {
  readonly name = 'native';
  readonly #options: DriverOptions;
  readonly #engine: NativeEngine;
  readonly #resolver: NameResolver;
  readonly #bridge = new TlsBridge();
  /** By the low 16 bits of the id; only connections to names with several addresses. */
  readonly #attempts = new Map<number, Attempt>();
  readonly #socketPaths: string[] = [];
  #tick: unknown;
  #closed = false;

  constructor(addon: NativeAddon, options: DriverOptions) {
    this.#options = options;
    this.#resolver = new NameResolver(options.clock);
    this.#engine = createNativeEngine(addon, options.core, options.clock, this);
  }

  async listen(spec: ListenSpec): Promise<BoundListener> {
    if (spec.ssl || spec.http2) {
      const text = `listener ${describeListen(spec)}: not for the native driver`;
      throw new GatewayError('GW_E_LISTEN', text);
    }
    const { unix, port, backlog, reuseport, proxyProtocol } = spec;
    const bound = await bindOrReplace(spec, (host) => {
      return this.#engine.listen(unix, host, port, backlog, reuseport, proxyProtocol);
    });
    if (typeof bound === 'number') throw asListenError(spec, bound);
    const [index, address, boundPort] = bound;
    const shown = this.#options.portMaps?.get(boundPort);
    if (shown !== undefined) this.#engine.showPort(index, shown);
    if (unix) this.#socketPaths.push(spec.host);
    return { spec, address: unix ? spec.host : address, port: boundPort };
  }

  async stopListening(): Promise<void> {
    this.#engine.stopListening();
    for (const path of this.#socketPaths.splice(0)) {
      try {
        unlinkSync(path);
      } catch {
        // somebody removed it
      }
    }
  }

  post(event: number, connection: number, a: number, b: number): void {
    this.#engine.post(event, connection, a, b);
  }

  get closingCount(): number {
    return this.#engine.closingCount;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.stopListening();
    this.#end();
  }

  // What the engine asks.

  resolve(id: number, target: number): void {
    const address = this.#options.target(target);
    if (address === undefined) {
      // The core named a target that nobody interned.
      this.#engine.refuse(id, ErrorCause.RESOLVE);
      return;
    }
    const { host, port } = address;
    if (address.tls) {
      void this.#bridge.pathTo(address).then((path) => this.#connectThrough(id, path));
      return;
    }
    if (host.startsWith('unix:')) {
      const cause = this.#engine.connect(id, host.slice(5), 0, true);
      if (cause !== 0) this.#engine.refuse(id, cause);
      return;
    }
    this.#resolver.resolve(host, (addresses) => {
      if (this.#closed) return;
      this.#attempts.delete(id & 0xffff);
      if (addresses.length > 1) {
        this.#attempts.set(id & 0xffff, { id, rest: [...addresses], port });
        this.#tryNext(id, ErrorCause.RESOLVE);
      } else if (addresses.length === 0) this.#engine.refuse(id, ErrorCause.RESOLVE);
      else this.#connectTo(id, addresses[0], port);
    });
  }

  connectFailed(id: number, cause: number): void {
    this.#tryNext(id, cause);
  }

  proxyHeader(id: number, bytes: Buffer): void {
    const header = parseProxyHeader(bytes);
    if (header.kind === 'bad') this.#engine.rejectHeader(id);
    if (header.kind !== 'whole') return;
    if (header.addresses === null) return this.#engine.announce(id, header.bytes);
    const { peerAddress, peerPort, localAddress, localPort } = header.addresses;
    this.#engine.announce(id, header.bytes, peerAddress, peerPort, localAddress, localPort);
  }

  badCommand(what: string, type: number, connection: number, a: number, b: number): void {
    this.#fault(
      new GatewayError('GW_E_CORE_COMMAND', `command ${type} ${what}`, {
        details: { type, connection, a, b },
      }),
    );
  }

  trapped(cause: unknown): void {
    this.#fault(asTrap(cause));
  }

  armTick(): void {
    const { clock } = this.#options;
    this.#tick = clock.setTimeout(() => this.#engine.tick(), limits.timerTickMs.value);
    // Listeners and sockets keep a process alive, deadlines do not.
    (this.#tick as { unref?: () => void }).unref?.();
  }

  /** To a target with TLS: `path` leads to its bridge. */
  #connectThrough(id: number, path: string | null): void {
    if (this.#closed) return;
    const cause = path === null ? ErrorCause.OTHER : this.#engine.connect(id, path, 0, true);
    if (cause !== 0) this.#engine.refuse(id, cause);
  }

  #connectTo(id: number, address: string, port: number): void {
    const cause = this.#engine.connect(id, address, port, false);
    if (cause !== 0) this.#tryNext(id, cause);
  }

  /** The next address of a name, or the failure of the last one. */
  #tryNext(id: number, cause: number): void {
    const attempt = this.#attempts.get(id & 0xffff);
    const next = attempt?.id === id ? attempt.rest.shift() : undefined;
    if (attempt && next !== undefined) this.#connectTo(id, next, attempt.port);
    else this.#engine.refuse(id, cause);
  }

  #fault(error: Error): void {
    this.#end();
    this.#options.onFault(error);
  }

  #end(): void {
    this.#closed = true;
    this.#options.clock.clearTimeout(this.#tick);
    this.#attempts.clear();
    this.#bridge.close();
    this.#engine.close();
  }
}
