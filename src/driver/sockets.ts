/**
 * The sockets of the net driver by connection id: carries out the core's commands and turns what
 * happens to sockets into events.
 */
import net from 'node:net';
import tls from 'node:tls';
import { AcceptFlag, ErrorCause, Event } from '../core/layout.js';
import { limits } from '../limits.js';
import { BareConnection, type BareContext } from './bare/connection.js';
import { BareDialer } from './bare/dialer.js';
import type { BareAddress, BareBindings, BareHandle } from './bare/handles.js';
import { ClosingConnections } from './closing.js';
import type { Connection, ConnectionOwner } from './connection.js';
import type { DriverOptions, TargetAddress } from './contract.js';
import type { AcceptOwner, BareListener, TlsFacts } from './listener.js';
import { ProxiedSockets } from './proxied-sockets.js';
import type { ProxiedAddresses } from './proxy-protocol.js';
import { EventPump, type PumpOwner } from './pump.js';
import { SocketConnection } from './socket-connection.js';

const unsentBytesMax = limits.unsentBytesPerConnection.value;
const connectionCount = limits.downstreamConnections.value + limits.upstreamConnections.value;

export class Sockets implements PumpOwner, ConnectionOwner, AcceptOwner {
  readonly pump: EventPump;
  readonly #options: DriverOptions;
  /** By the low 16 bits of the id; null where the core knows no connection. */
  readonly #connections: (Connection | null)[];
  readonly #closing = new ClosingConnections();
  readonly #proxied: ProxiedSockets;
  /** Filled for each accepted handle: an object that has its fields costs node less to fill. */
  readonly #peer: BareAddress = { address: '', family: '', port: 0 };
  /** Null: connections are sockets of node:net. */
  #bare: { readonly context: BareContext; readonly dialer: BareDialer } | null = null;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#connections = new Array<Connection | null>(connectionCount).fill(null);
    this.pump = new EventPump(options, this);
    this.#proxied = new ProxiedSockets({
      clock: options.clock,
      headerTimeoutMs: () => this.pump.port.clientHeaderTimeoutMs,
      accept: (socket, listener, addresses, rest) => {
        const connection = this.acceptSocket(socket, listener, addresses);
        if (connection && rest.length > 0) this.pump.dataFrom(connection.id, rest);
      },
      refused: () => this.pump.port.countRefused(),
    });
  }

  /** From here on connections in the clear are bare handles. */
  useBare(bindings: BareBindings): void {
    if (this.#bare !== null) return;
    const spareWrite = new bindings.Write();
    const context = { bindings, owner: this, view: this.pump.port.readView, spareWrite };
    this.#bare = { context, dialer: new BareDialer(bindings, this.#options.clock) };
  }

  /** Connections on their way out. */
  get closingCount(): number {
    return this.#closing.count;
  }

  // Commands of the core.

  send(index: number, data: Buffer | string): boolean {
    const connection = this.#connections[index];
    if (connection === null) return false;
    if (connection.unsentBytes > unsentBytesMax) {
      this.failed(connection, ErrorCause.OTHER);
      connection.reset();
      return false;
    }
    if (connection.write(data)) return false;
    // TLS always holds bytes for a moment: a peer is slow where they pile up
    if (connection.blocked || connection.unsentBytes <= connection.slackBytes) return true;
    connection.blocked = true;
    this.pump.post(Event.BLOCKED, connection.id, 0, 0);
    return true;
  }

  close(index: number, last: boolean): void {
    const connection = this.#take(index);
    if (connection === null) return;
    connection.gone = true;
    if (last && connection.closeFlushed()) return;
    this.#closing.add(connection, this.#options.clock.now(), this.pump.port.sendTimeoutMs);
  }

  abort(index: number): void {
    this.#take(index)?.reset();
  }

  connect(index: number, id: number, target: number): void {
    const address = this.#options.target(target);
    if (this.#bare && address && !address.tls) {
      const connection = new BareConnection(this.#bare.context, id);
      this.#connections[index] = connection;
      this.#bare.dialer.dial(connection, address);
      return;
    }
    const connection = new SocketConnection(this, id);
    this.#connections[index] = connection;
    if (address === undefined) {
      // The core named a target that nobody interned: a socket that fails, not one that is missing.
      connection.attach(new net.Socket().destroy());
      this.failed(connection, ErrorCause.RESOLVE);
      return;
    }
    this.#connectSocket(connection, address);
  }

  pause(index: number): void {
    this.#connections[index]?.pause();
  }

  resume(index: number): void {
    this.#connections[index]?.resume();
  }

  shutdown(index: number): void {
    this.#connections[index]?.end();
  }

  // Accepted connections.

  acceptBare(handle: BareHandle, listener: BareListener): void {
    const id = this.#bare === null ? 0 : this.#openId();
    if (this.#bare === null || id === 0) {
      handle.close();
      return;
    }
    const { index, unix, noDelay, local } = listener;
    const connection = new BareConnection(this.#bare.context, id);
    this.#connections[connection.index] = connection;
    const own: BareAddress = local ?? {};
    // Unknown where the peer has gone already.
    const known = !unix && handle.getpeername(this.#peer) === 0;
    if (!unix && local === null) handle.getsockname(own);
    if (!noDelay) handle.setNoDelay(true);
    connection.accept(handle, !unix);
    const port = own.port ?? 0;
    this.pump.accept(id, {
      peerAddress: known ? this.#peer.address : undefined,
      peerPort: known ? this.#peer.port! : 0,
      localAddress: own.address,
      localPort: this.#options.portMaps?.get(port) ?? port,
      listener: index,
      flags: unix ? AcceptFlag.UNIX : 0,
    });
  }

  /** Also the way in for sockets that are not plain TCP: their bytes come as 'data' events. */
  acceptSocket(
    socket: net.Socket,
    listener: number,
    addresses: ProxiedAddresses | null = null,
    secure?: TlsFacts,
  ): SocketConnection | null {
    const id = this.#openId();
    if (id === 0) {
      socket.on('error', () => {});
      socket.destroy();
      return null;
    }
    const connection = new SocketConnection(this, id);
    this.#read(connection, socket);
    this.#adopt(connection, socket, listener, addresses, secure);
    return connection;
  }

  #connectSocket(connection: SocketConnection, address: TargetAddress): void {
    const { host, port, tls: security } = address;
    const place = host.startsWith('unix:') ? { path: host.slice(5) } : { host, port };
    const options = { ...place, allowHalfOpen: true, noDelay: true };
    const connected = () => this.connected(connection);
    if (security) {
      const socket = tls.connect({ ...options, ...security.connectOptions() });
      security.watch(socket);
      connection.attach(socket);
      this.#read(connection, socket);
      socket.once('secureConnect', connected);
      return;
    }
    const socket = net.connect({ ...options, onread: connection.onread(this.pump.port.readView) });
    connection.attach(socket);
    socket.once('connect', connected);
  }

  /** Takes bytes from a socket that cannot read into the core's memory. */
  #read(connection: SocketConnection, socket: net.Socket): void {
    socket.on('data', (chunk) => {
      if (!connection.gone) this.pump.dataFrom(connection.id, chunk);
    });
  }

  /** A socket whose first bytes must be a PROXY header. */
  acceptProxied(socket: net.Socket, listener: number): void {
    this.#proxied.add(socket, listener);
  }

  acceptFailed(): void {
    // Out of descriptors, or the peer left before accept(2): node has closed what it could not take
    // and goes on; what is established is not touched.
    this.pump.port.countRefused();
  }

  #openId(): number {
    const id = this.pump.port.open();
    if (id === 0) this.pump.port.countRefused();
    return id;
  }

  #adopt(
    connection: SocketConnection,
    socket: net.Socket,
    listener: number,
    addresses: ProxiedAddresses | null = null,
    secure?: TlsFacts,
  ): void {
    this.#connections[connection.index] = connection;
    connection.attach(socket);
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    const unix = localPort === undefined;
    const port = localPort ?? 0;
    if (addresses !== null) {
      this.pump.accept(connection.id, { ...addresses, listener, flags: 0 });
      return;
    }
    this.pump.accept(connection.id, {
      peerAddress: remoteAddress,
      peerPort: remotePort ?? 0,
      localAddress,
      localPort: this.#options.portMaps?.get(port) ?? port,
      listener,
      flags: (unix ? AcceptFlag.UNIX : 0) | (secure ? AcceptFlag.TLS : 0),
      sni: secure?.serverName,
      tls: secure?.session,
    });
  }

  // Happenings.

  received(connection: Connection, bytes: number): void {
    this.pump.data(connection.id, bytes);
  }

  connected(connection: Connection): void {
    if (!connection.gone) this.pump.post(Event.CONNECTED, connection.id, 0, 0);
  }

  ended(connection: Connection): void {
    if (!connection.gone) this.pump.post(Event.END, connection.id, 0, 0);
  }

  drained(connection: Connection): void {
    if (!connection.gone) this.pump.post(Event.DRAINED, connection.id, 0, 0);
  }

  failed(connection: Connection, cause: number): void {
    if (connection.gone) return;
    connection.gone = true;
    this.pump.fail(connection.id, cause);
  }

  closed(connection: Connection): void {
    this.#closing.delete(connection);
  }

  // The pump's driver.

  ticked(nowMs: number): void {
    if (this.#closing.count > 0) this.#closing.sweep(nowMs, this.pump.port.sendTimeoutMs);
  }

  needsTick(): boolean {
    return this.#closing.count > 0;
  }

  forget(id: number): void {
    const index = id & 0xffff;
    if (this.#connections[index]?.id === id) this.#connections[index] = null;
  }

  /** Resets everything that is open. */
  halted(): void {
    for (let i = 0; i < this.#connections.length; i++) {
      this.#connections[i]?.reset();
      this.#connections[i] = null;
    }
    this.#closing.clear();
    this.#proxied.clear();
  }

  #take(index: number): Connection | null {
    const connection = this.#connections[index];
    this.#connections[index] = null;
    return connection;
  }
}
