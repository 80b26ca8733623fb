/**
 * Hands events to the core one at a time. What happens while the core runs (a plugin posts, a
 * socket reports from within a write) waits and is handed over in order. It also keeps the one
 * timer of a driver: it ticks only while the core has deadlines or the driver has connections to
 * cut.
 */
import type { Core } from '../core/instance.js';
import { Event } from '../core/layout.js';
import { type AcceptFacts, type CommandSink, CorePort, readBytes } from '../core/port.js';
import { limits } from '../limits.js';
import type { Clock } from '../time.js';

export interface PumpOptions {
  readonly core: Core;
  readonly clock: Clock;
  readonly onFault: (error: Error) => void;
}

/** The driver behind a pump. */
export interface PumpOwner extends CommandSink {
  /** Called at each tick. */
  ticked(nowMs: number): void;
  /** True while the driver itself needs ticks. */
  needsTick(): boolean;
  /** The ERROR of this id has been handed over; the core knows it no more. */
  forget(id: number): void;
  /** The core failed: end everything. */
  halted(): void;
}

export class EventPump {
  readonly port: CorePort;
  readonly #options: PumpOptions;
  readonly #owner: PumpOwner;
  readonly #pending: (() => void)[] = [];
  #running = false;
  #stopped = false;
  #tick: unknown;

  constructor(options: PumpOptions, owner: PumpOwner) {
    this.#options = options;
    this.#owner = owner;
    this.port = new CorePort(options.core, options.clock, owner);
  }

  /** Hands one event over, now or after the one that is running. */
  post(event: number, connection: number, a: number, b: number): void {
    if (this.#running) {
      this.#pending.push(() => this.#hand(event, connection, a, b));
      return;
    }
    this.#running = true;
    this.#hand(event, connection, a, b);
    this.#settle();
  }

  accept(id: number, facts: AcceptFacts): void {
    this.#whenFree(() => {
      if (!this.#stopped) this.#guard(() => this.port.accept(id, facts));
    });
  }

  /** `bytes` lie at the start of the read region. */
  data(id: number, bytes: number): void {
    if (this.#running) {
      this.dataFrom(id, this.port.readView.slice(0, bytes));
      return;
    }
    this.#running = true;
    this.#hand(Event.DATA, id, this.port.readPointer, bytes);
    this.#settle();
  }

  /** Bytes from elsewhere; kept until the core is free, so they must not be written to again. */
  dataFrom(id: number, bytes: Uint8Array): void {
    this.#whenFree(() => {
      for (let at = 0; at < bytes.length && this.port.isLive(id); at += readBytes) {
        const part = bytes.subarray(at, at + readBytes);
        this.port.readView.set(part);
        this.#hand(Event.DATA, id, this.port.readPointer, part.length);
      }
    });
  }

  /** The last event of an id that the core has not closed itself. */
  fail(id: number, cause: number): void {
    this.#whenFree(() => {
      if (!this.port.isLive(id)) return;
      this.#hand(Event.ERROR, id, cause, 0);
      this.port.release(id);
      this.#owner.forget(id);
    });
  }

  /** No event reaches the core from here on. */
  stop(): void {
    this.#stopped = true;
    this.#pending.length = 0;
    this.#options.clock.clearTimeout(this.#tick);
  }

  #whenFree(work: () => void): void {
    if (this.#running) {
      this.#pending.push(work);
      return;
    }
    this.#running = true;
    work();
    this.#settle();
  }

  #settle(): void {
    this.#handPending();
    while (this.port.more && !this.#stopped) {
      this.#hand(Event.TICK, 0, 0, 0);
      this.#handPending();
    }
    this.#running = false;
    if (this.#tick === undefined && (this.port.timers > 0 || this.#owner.needsTick())) this.#arm();
  }

  #handPending(): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    // Grows while it is walked: what these events cause comes behind them.
    for (let i = 0; i < pending.length; i++) pending[i]();
    pending.length = 0;
  }

  #hand(event: number, connection: number, a: number, b: number): void {
    if (this.#stopped) return;
    try {
      this.port.deliver(event, connection, a, b);
    } catch (error) {
      this.#fault(error as Error);
    }
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fault(error as Error);
    }
  }

  #fault(error: Error): void {
    this.stop();
    this.#owner.halted();
    this.#options.onFault(error);
  }

  #arm(): void {
    if (this.#stopped) return;
    const { clock } = this.#options;
    this.#tick = clock.setTimeout(() => {
      this.#tick = undefined;
      this.#guard(() => this.#owner.ticked(clock.now()));
      this.post(Event.TICK, 0, 0, 0);
    }, limits.timerTickMs.value);
    // Listeners and sockets keep a process alive, deadlines do not.
    (this.#tick as { unref?: () => void }).unref?.();
  }
}
