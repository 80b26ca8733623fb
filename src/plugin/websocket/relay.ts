/**
 * One WebSocket whose frames plugins see. Each side's bytes are taken apart, every message goes
 * through the plugins of its direction, and what is left of it is queued for the other side. The
 * relay ends both queues when both sides have said that they close, or have had the time to.
 */
import { limits } from '../../limits.js';
import type { Clock } from '../../time.js';
import { BodyQueue } from '../body-queue.js';
import type { SocketSession, WebSocketFrame } from '../context-types.js';
import type { Exchange } from '../exchange.js';
import type { PlanStep } from '../plan.js';
import { isPromise, refusePromise, type StepFaults } from '../step-faults.js';
import { FrameReader } from './frame-reader.js';
import { FrameState } from './frame-state.js';
import { FrameStep } from './frame-step.js';
import { putFrame } from './frame-writer.js';
import { SocketFault, Status } from './protocol.js';

export type SocketSide = 'client' | 'upstream';

export interface RelayOptions {
  readonly faults: StepFaults;
  readonly clock: Clock;
}

/** So much may wait for a side that takes it slowly. */
const holdBytes = 262_144;

export class SocketRelay {
  readonly client: Side;
  readonly upstream: Side;
  /** The frame that plugins look at. */
  current: FrameState | null = null;
  readonly #exchange: Exchange;
  readonly #options: RelayOptions;
  readonly #startMs: number;
  #timer: unknown = null;
  /** Nothing but close frames counts any more. */
  #failed = false;

  constructor(exchange: Exchange, options: RelayOptions) {
    this.#exchange = exchange;
    this.#options = options;
    this.#startMs = options.clock.now();
    const { client, upstream } = exchange.payloadLimits;
    const limit = client || limits.webSocketClientBytes.value;
    this.client = this.#side('client', limit);
    this.upstream = this.#side('upstream', upstream || limits.webSocketUpstreamBytes.value);
  }

  /** Bytes of a side; `last`: it sends nothing more. */
  take(side: SocketSide, bytes: Uint8Array, last: boolean): void {
    const from = this[side];
    const to = this.#peerOf(from);
    try {
      if (!from.done) from.reader.push(bytes);
    } catch (error) {
      this.#refuse(from, error);
    }
    if (!last) return;
    // Who is gone cannot be told anything; the other side learns that (RFC 6455 7.4.1).
    from.told = from.done = true;
    this.#tell(to, Status.GOING_AWAY, '');
    this.#settle();
  }

  /** Ends the WebSocket: both sides are told, and what they still send is dropped. */
  close(side: SocketSide, own: CloseFrame, peer: CloseFrame): void {
    this.#failed = true;
    this.#tell(this[side], own.status, own.reason);
    this.#tell(this.#peerOf(this[side]), peer.status, peer.reason);
    this.#settle();
  }

  /** A side should send no more for now: what it sent waits for the other. */
  isFull(side: SocketSide): boolean {
    return this.#peerOf(this[side]).output.waiting > holdBytes;
  }

  get session(): SocketSession {
    const durationMs = this.#options.clock.now() - this.#startMs;
    return { durationMs, client: countsOf(this.client), upstream: countsOf(this.upstream) };
  }

  /** The connections are gone. Runs the handlers of `ws_close`. */
  ended(): void {
    this.#options.clock.clearTimeout(this.#timer);
    for (const step of this.#exchange.plan?.webSocket?.close ?? []) {
      try {
        const context = new FrameStep(this.#exchange, step, 'ws_close');
        const result: unknown = step.plugin.wsClose?.(context);
        if (isPromise(result)) refusePromise(step, 'wsClose', result);
      } catch (error) {
        this.#options.faults.report(this.#exchange, step, error);
      }
    }
  }

  #side(name: SocketSide, limit: number): Side {
    const deliver = (frame: WebSocketFrame) => this.#deliver(name, frame);
    return {
      name,
      output: new BodyQueue(),
      reader: new FrameReader({ masked: name === 'client', limit, deliver }),
      done: false,
      told: false,
      messages: 0,
      bytes: 0,
      status: null,
    };
  }

  readonly #peerOf = (side: Side): Side => (side === this.client ? this.upstream : this.client);

  /** A whole frame of a side. */
  #deliver(name: SocketSide, frame: WebSocketFrame): void {
    const from = this[name];
    const to = this.#peerOf(from);
    const closes = frame.type === 'close';
    if (closes) {
      from.done = true;
      from.status = frame.status;
    } else {
      from.messages++;
      from.bytes += frame.data.length;
    }
    const result = this.#failed ? null : this.#filter(name, frame);
    if (result && !to.told) {
      to.told = closes;
      putFrame(to.output, result, to === this.upstream);
    }
    if (closes) this.#settle();
  }

  /** What the plugins of its direction make of a frame; null: it does not go on. */
  #filter(side: SocketSide, frame: WebSocketFrame): WebSocketFrame | null {
    const exchange = this.#exchange;
    const client = side === 'client';
    const steps = exchange.plan?.webSocket?.[client ? 'clientFrame' : 'upstreamFrame'] ?? [];
    const state = new FrameState(frame);
    this.current = state;
    let step: PlanStep | undefined;
    try {
      for (step of steps) {
        const phase = client ? 'ws_client_frame' : 'ws_upstream_frame';
        const context = new FrameStep(exchange, step, phase) as never;
        const handler = client ? 'wsClientFrame' : 'wsUpstreamFrame';
        const result: unknown = step.plugin[handler]?.(context, state.frame);
        if (isPromise(result)) refusePromise(step, handler, result);
        state.apply(result);
        if (state.dropped) return null;
      }
      return state.frame;
    } catch (error) {
      this.#options.faults.report(exchange, step, error);
      const told = { status: Status.INTERNAL_ERROR, reason: 'Internal Error' };
      this.close(side, told, told);
      return null;
    } finally {
      this.current = null;
    }
  }

  /** A side broke the protocol: it is told how, and the other that it is gone. */
  #refuse(from: Side, error: unknown): void {
    if (!(error instanceof SocketFault)) throw error;
    from.done = true;
    const { status, message } = error;
    this.close(from.name, { status, reason: message }, { status: Status.GOING_AWAY, reason: '' });
  }

  #tell(side: Side, status: number, reason: string): void {
    if (side.told) return;
    side.told = true;
    const frame = { type: 'close', data: Buffer.from(reason), status } as const;
    putFrame(side.output, frame, side === this.upstream);
  }

  /** Ends what is over, and sees to it that the rest will be. */
  #settle(): void {
    if (this.client.done && this.upstream.done) return this.#end();
    const { clock } = this.#options;
    this.#timer ??= clock.setTimeout(() => {
      this.#tell(this.client, Status.GOING_AWAY, '');
      this.#tell(this.upstream, Status.GOING_AWAY, '');
      this.#end();
      this.#exchange.wake();
    }, limits.webSocketCloseMs.value);
  }

  #end(): void {
    this.client.output.end();
    this.upstream.output.end();
  }
}

/** What one side is told when a WebSocket is closed. */
export interface CloseFrame {
  readonly status: number;
  readonly reason: string;
}

interface Side {
  readonly name: SocketSide;
  readonly reader: FrameReader;
  /** What goes to this side. */
  readonly output: BodyQueue;
  /** It has sent its close frame, is gone, or is not listened to any more. */
  done: boolean;
  /** A close frame was sent to it. */
  told: boolean;
  messages: number;
  bytes: number;
  status: number | null;
}

const countsOf = ({ messages, bytes, status }: Side) => ({ messages, bytes, status });
