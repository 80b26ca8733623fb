/**
 * Decides whether this Node's bare handles do what the driver needs: once per process it exchanges
 * bytes with itself over loopback, by the very code that will serve. Where anything differs the
 * driver keeps to the public API, and says why.
 */
import net from 'node:net';
import { ErrorCause } from '../../core/layout.js';
import { systemClock } from '../../time.js';
import type { ConnectionOwner } from '../connection.js';
import { divertAccepts } from './accept.js';
import { BareConnection, type BareContext } from './connection.js';
import { BareDialer } from './dialer.js';
import { type BareBindings, type BareHandle, loadBareBindings } from './handles.js';

/** The bindings, or why they cannot be used. */
export type BareFinding = { readonly bindings: BareBindings } | { readonly reason: string };

/** More than the kernel holds for a connection that is not read. */
const writesMax = 512;
const block = Buffer.alloc(262144, 'x');

let found: Promise<BareFinding> | undefined;

/** What the check finds; it runs at the first call only. */
export function bareHandles(): Promise<BareFinding> {
  found ??= checkHandles(loadBareBindings);
  return found;
}

/** The check itself; takes `waitMs` at most. Never rejects. */
export async function checkHandles(load: () => BareBindings, waitMs = 5000): Promise<BareFinding> {
  try {
    const bindings = load();
    await new Trial(bindings).run(waitMs);
    return { bindings };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

/** What one end of the trial has heard. */
interface Heard {
  bytes: number;
  connected: boolean;
  ended: boolean;
  drained: boolean;
  closed: boolean;
  /** An ErrorCause, or 0. */
  failed: number;
}

class Trial implements ConnectionOwner {
  readonly #context: BareContext;
  readonly #dialer: BareDialer;
  readonly #server = net.createServer();
  readonly #view = new Uint8Array(65536);
  readonly #ends: BareConnection[] = [];
  readonly #heard: Heard[] = [];
  #accepted: { end: BareConnection; handle: BareHandle } | null = null;
  #look: () => void = () => {};

  constructor(bindings: BareBindings) {
    const spareWrite = new bindings.Write();
    this.#context = { bindings, owner: this, view: this.#view, spareWrite };
    this.#dialer = new BareDialer(bindings, systemClock);
  }

  /** @throws Error naming the step at which handles are not what they should be */
  async run(waitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let step = 'listening';
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer')), waitMs);
    });
    try {
      for (const [name, act] of this.#steps()) {
        step = name;
        await Promise.race([act(), late]);
      }
    } catch (error) {
      throw new Error(`the check of handles failed at ${step}: ${(error as Error).message}`);
    } finally {
      clearTimeout(timer);
      late.catch(() => {});
      for (const end of this.#ends) end.reset();
      if (this.#server.listening) this.#server.close();
    }
  }

  #steps(): [string, () => Promise<void>][] {
    return [
      ['listening', () => this.#listen()],
      ['connecting', () => this.#connect()],
      ['a short write', () => this.#short()],
      ['a long write', () => this.#long()],
      ['the ends', () => this.#finish()],
      ['a reset', () => this.#cut()],
      ['a refused connection', () => this.#refused()],
    ];
  }

  async #listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    const diverted = divertAccepts(this.#server, {
      accept: (handle) => {
        const end = this.#newEnd();
        this.#accepted = { end, handle };
        end.accept(handle, true);
        this.#look();
      },
      failed: () => {},
    });
    must(diverted, 'accepted connections cannot be diverted');
  }

  async #connect(): Promise<void> {
    const { port } = this.#server.address() as net.AddressInfo;
    const client = this.#dial(port);
    await this.#until(() => this.#of(client).connected && this.#accepted !== null);
    const peer: { address?: string; port?: number } = {};
    const { handle } = this.#accepted!;
    const known = handle.getpeername(peer) === 0 && handle.setNoDelay(true) === 0;
    must(known && peer.address === '127.0.0.1' && peer.port! > 0, 'the address is missing');
  }

  async #short(): Promise<void> {
    const { client, server } = this.#pair();
    for (const data of ['\xffing', Buffer.from('\xffong', 'latin1')]) {
      this.#of(server).bytes = 0;
      must(client.write(data), 'it is left over');
      await this.#until(() => this.#of(server).bytes === 4);
      const same = Buffer.from(this.#view.buffer, 0, 4).latin1Slice() === data.toString('latin1');
      must(same, 'other bytes arrive');
    }
  }

  async #long(): Promise<void> {
    const { client, server } = this.#pair();
    client.pause();
    let writes = 1;
    while (writes < writesMax && server.write(block)) writes++;
    must(server.unsentBytes > 0, 'nothing is left over');
    server.write('y');
    server.blocked = true;
    // Twice: the loop looks at its sockets in between.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    must(this.#of(client).bytes === 0, 'a paused end reads');
    client.resume();
    await this.#until(() => this.#of(client).bytes === writes * block.length + 1);
    await this.#until(() => this.#of(server).drained);
    must(server.unsentBytes === 0, 'something is left over for ever');
  }

  async #finish(): Promise<void> {
    const { client, server } = this.#pair();
    client.end();
    await this.#until(() => this.#of(server).ended && client.finished);
    must(!this.#of(client).ended && !this.#of(server).closed, 'one end ends both');
    server.end();
    await this.#until(() => this.#of(client).closed && this.#of(server).closed);
    must(this.#of(client).failed + this.#of(server).failed === 0, 'an end is an error');
  }

  async #cut(): Promise<void> {
    this.#accepted = null;
    await this.#connect();
    const { client, server } = this.#pair();
    client.reset();
    await this.#until(() => this.#of(server).failed === ErrorCause.RESET);
  }

  async #refused(): Promise<void> {
    const { port } = this.#server.address() as net.AddressInfo;
    this.#server.close();
    const client = this.#dial(port);
    await this.#until(() => this.#of(client).failed === ErrorCause.REFUSED);
  }

  /** The client that dialled last, and its other end. */
  #pair(): { client: BareConnection; server: BareConnection } {
    const server = this.#accepted!.end;
    const client = this.#ends.filter((end) => end !== server).at(-1)!;
    return { client, server };
  }

  #dial(port: number): BareConnection {
    const client = this.#newEnd();
    this.#dialer.dial(client, { host: '127.0.0.1', port });
    return client;
  }

  #newEnd(): BareConnection {
    const end = new BareConnection(this.#context, this.#ends.length);
    this.#ends.push(end);
    const no = { connected: false, ended: false, drained: false, closed: false };
    this.#heard.push({ bytes: 0, failed: 0, ...no });
    return end;
  }

  #of({ index }: { readonly index: number }): Heard {
    return this.#heard[index];
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => condition() && resolve();
      this.#look();
    });
  }

  received(end: { readonly index: number }, bytes: number): void {
    this.#of(end).bytes += bytes;
    this.#look();
  }

  connected(end: { readonly index: number }): void {
    this.#of(end).connected = true;
    this.#look();
  }

  ended(end: { readonly index: number }): void {
    this.#of(end).ended = true;
    this.#look();
  }

  drained(end: { readonly index: number }): void {
    this.#of(end).drained = true;
    this.#look();
  }

  failed(end: { readonly index: number }, cause: number): void {
    this.#of(end).failed = cause;
    this.#look();
  }

  closed(end: { readonly index: number }): void {
    this.#of(end).closed = true;
    this.#look();
  }
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
