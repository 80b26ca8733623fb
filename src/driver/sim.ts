/**
 * The deterministic simulator: the same core behind the same contract, but time, network and faults
 * come from a seed. Clients and upstreams are objects that get bytes and write bytes.
 */
import { ErrorCause, Event } from '../core/layout.js';
import type { AcceptFacts } from '../core/port.js';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { BoundListener, Driver, DriverOptions, ListenSpec } from './contract.js';
import { EventPump, type PumpOwner } from './pump.js';
import { Pipe, type PipeOptions } from './sim-pipe.js';
import type { World } from './sim-world.js';

/** The far end of a simulated connection: a client or an upstream. */
export interface SimPeer {
  /** The connection stands. */
  opened?(socket: SimSocket): void;
  data(bytes: Buffer, socket: SimSocket): void;
  /** The gateway's FIN. */
  ended?(socket: SimSocket): void;
  /** The connection is gone; `reset`: not in order. */
  closed?(reset: boolean, socket: SimSocket): void;
}

/** How one simulated connection behaves. */
export interface SimLink {
  /** Toward the gateway. */
  readonly inbound: PipeOptions;
  /** Toward the peer: small and slow is a slow reader. */
  readonly outbound: PipeOptions;
}

export interface SimOptions extends DriverOptions {
  readonly clock: World;
  /** Who answers at a target; an ErrorCause code refuses the connection. */
  readonly upstream: (target: number) => SimPeer | number;
  /** Behaviour of the next connection. */
  readonly link: () => SimLink;
}

/** What a peer holds. */
export interface SimSocket {
  write(bytes: Buffer | string): void;
  /** Sends a FIN behind what was written. */
  end(): void;
  reset(): void;
  readonly open: boolean;
}

class SimConnection implements SimSocket {
  readonly id: number;
  readonly peer: SimPeer;
  readonly toGateway: Pipe;
  readonly toPeer: Pipe;
  /** The core has dropped it. */
  gone = false;
  paused = false;
  blocked = false;
  open = true;
  readonly #network: SimNetwork;

  constructor(network: SimNetwork, world: World, id: number, peer: SimPeer, link: SimLink) {
    this.#network = network;
    this.id = id;
    this.peer = peer;
    this.toGateway = new Pipe(world, link.inbound, {
      ready: () => !this.paused || this.gone,
      take: (bytes) => network.received(this, bytes),
      finish: () => network.ended(this),
    });
    this.toPeer = new Pipe(world, link.outbound, {
      ready: () => true,
      take: (bytes) => peer.data(bytes, this),
      finish: () => {
        peer.ended?.(this);
        this.settle();
      },
    });
    this.toPeer.onDrain = () => network.drained(this);
  }

  write(bytes: Buffer | string): void {
    this.toGateway.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  end(): void {
    this.toGateway.end();
  }

  /** The peer resets. */
  reset(): void {
    if (!this.open) return;
    this.destroy(true);
    this.#network.failed(this, ErrorCause.RESET);
  }

  /** Takes the connection down on both sides. */
  destroy(reset: boolean): void {
    if (!this.open) return;
    this.open = false;
    this.toGateway.cut();
    this.toPeer.cut();
    this.#network.closedCount++;
    this.peer.closed?.(reset, this);
  }

  /** Both FINs have arrived: over. */
  settle(): void {
    if (this.toGateway.finished && this.toPeer.finished) this.destroy(false);
  }
}

/** Makes the simulator; `connectClient` is its front door. */
export function createSimDriver(options: SimOptions): SimDriver {
  return new SimDriver(options);
}

export class SimDriver implements Driver {
  readonly name = 'sim';
  /** A simulated connection that is closed delivers what it holds without the driver. */
  readonly closingCount = 0;
  readonly network: SimNetwork;

  constructor(options: SimOptions) {
    this.network = new SimNetwork(options);
  }

  /** Clients come through `connectClient`: there is no address to bind. */
  async listen(_spec: ListenSpec): Promise<BoundListener> {
    throw new GatewayError('GW_E_STATE', 'the simulator has no listeners');
  }

  async stopListening(): Promise<void> {}

  post(event: number, connection: number, a: number, b: number): void {
    this.network.pump.post(event, connection, a, b);
  }

  /** A client connects; false at the connection limit, or after the end. */
  connectClient(peer: SimPeer, from: Partial<AcceptFacts> = {}): boolean {
    return this.network.accept(peer, from);
  }

  async close(): Promise<void> {
    this.network.pump.stop();
    this.network.halted();
  }
}

/** Connections by id, and what the core asks of them. */
class SimNetwork implements PumpOwner {
  readonly pump: EventPump;
  openedCount = 0;
  closedCount = 0;
  readonly #options: SimOptions;
  readonly #connections = new Map<number, SimConnection>();
  #stopped = false;

  constructor(options: SimOptions) {
    this.#options = options;
    this.pump = new EventPump(options, this);
  }

  accept(peer: SimPeer, from: Partial<AcceptFacts>): boolean {
    const id = this.#stopped ? 0 : this.pump.port.open();
    if (id === 0) return false;
    const connection = this.#open(id, peer);
    this.pump.accept(id, {
      peerAddress: '192.0.2.1',
      peerPort: 40000,
      localAddress: '192.0.2.2',
      localPort: 8000,
      listener: 0,
      flags: 0,
      ...from,
    });
    peer.opened?.(connection);
    return true;
  }

  #open(id: number, peer: SimPeer): SimConnection {
    const { clock, link } = this.#options;
    const connection = new SimConnection(this, clock, id, peer, link());
    this.#connections.set(id & 0xffff, connection);
    this.openedCount++;
    return connection;
  }

  // Commands of the core.

  send(index: number, data: Buffer | string): boolean {
    const connection = this.#connections.get(index);
    if (!connection?.open) return false;
    if (connection.toPeer.waitingBytes > limits.unsentBytesPerConnection.value) {
      connection.destroy(true);
      this.failed(connection, ErrorCause.OTHER);
      return false;
    }
    connection.toPeer.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    // The pipe keeps what it was given.
    if (connection.toPeer.waitingBytes === 0 || connection.blocked) return true;
    connection.blocked = true;
    this.pump.post(Event.BLOCKED, connection.id, 0, 0);
    return true;
  }

  close(index: number): void {
    const connection = this.#take(index);
    if (!connection?.open) return;
    connection.gone = true;
    connection.toPeer.end();
    // Read on and discard, then cut, as the net driver does.
    connection.toGateway.wake();
    const lingerMs = limits.lingerMs.value;
    const cut = (): void => {
      if (!connection.open) return;
      if (connection.toPeer.finished) connection.destroy(true);
      else this.#options.clock.setTimeout(cut, lingerMs);
    };
    this.#options.clock.setTimeout(cut, lingerMs);
    connection.settle();
  }

  abort(index: number): void {
    const connection = this.#take(index);
    if (connection === undefined) return;
    connection.gone = true;
    connection.destroy(true);
  }

  connect(index: number, id: number, target: number): void {
    const { clock, upstream } = this.#options;
    const answer = upstream(target);
    const peer = typeof answer === 'number' ? { data: () => {} } : answer;
    const connection = this.#open(id, peer);
    clock.setTimeout(() => {
      if (this.#connections.get(index) !== connection || !connection.open) return;
      if (typeof answer === 'number') {
        connection.destroy(true);
        this.failed(connection, answer);
        return;
      }
      this.pump.post(Event.CONNECTED, id, 0, 0);
      peer.opened?.(connection);
    }, clock.random.next() * 3);
  }

  pause(index: number): void {
    const connection = this.#connections.get(index);
    if (connection) connection.paused = true;
  }

  resume(index: number): void {
    const connection = this.#connections.get(index);
    if (!connection) return;
    connection.paused = false;
    connection.toGateway.wake();
  }

  shutdown(index: number): void {
    this.#connections.get(index)?.toPeer.end();
  }

  // Happenings.

  received(connection: SimConnection, bytes: Buffer): void {
    if (connection.gone) return;
    this.pump.dataFrom(connection.id, bytes);
  }

  ended(connection: SimConnection): void {
    if (!connection.gone) this.pump.post(Event.END, connection.id, 0, 0);
    connection.settle();
  }

  drained(connection: SimConnection): void {
    if (!connection.blocked || connection.gone) return;
    connection.blocked = false;
    this.pump.post(Event.DRAINED, connection.id, 0, 0);
  }

  failed(connection: SimConnection, cause: number): void {
    if (connection.gone) return;
    connection.gone = true;
    this.pump.fail(connection.id, cause);
  }

  // The pump's driver.

  ticked(): void {}

  needsTick(): boolean {
    return false;
  }

  forget(id: number): void {
    const index = id & 0xffff;
    if (this.#connections.get(index)?.id === id) this.#connections.delete(index);
  }

  halted(): void {
    this.#stopped = true;
    for (const connection of this.#connections.values()) {
      connection.gone = true;
      connection.destroy(true);
    }
    this.#connections.clear();
  }

  #take(index: number): SimConnection | undefined {
    const connection = this.#connections.get(index);
    this.#connections.delete(index);
    return connection;
  }
}
