/** The two ends of a WebSocket (Kong's `kong.websocket.client` and `.upstream`). */
import { isUtf8 } from 'node:buffer';
import { limits } from '../../limits.js';
import type { PhaseName } from '../define.js';
import type { Exchange } from '../exchange.js';
import type { SocketPeer, SocketPeers, WebSocketFrame } from '../socket-types.js';
import type { FrameState } from '../websocket/frame-state.js';
import { controlBytes, isCloseStatus, Status } from '../websocket/protocol.js';
import type { CloseFrame, SocketRelay, SocketSide } from '../websocket/relay.js';
import { invalidArgument, requirePhase } from './phase-guard.js';

export class StepSocket implements SocketPeers {
  readonly client: SocketPeer;
  readonly upstream: SocketPeer;

  constructor(exchange: Exchange, phase: PhaseName) {
    this.client = new StepPeer(exchange, phase, 'client');
    this.upstream = new StepPeer(exchange, phase, 'upstream');
  }
}

class StepPeer implements SocketPeer {
  readonly #exchange: Exchange;
  readonly #phase: PhaseName;
  readonly #side: SocketSide;

  constructor(exchange: Exchange, phase: PhaseName, side: SocketSide) {
    this.#exchange = exchange;
    this.#phase = phase;
    this.#side = side;
  }

  get frame(): WebSocketFrame {
    return this.#state('frame').frame;
  }

  setFrameData(data: Uint8Array | string): void {
    this.#state('setFrameData').setData(data);
  }

  setStatus(status: number): void {
    this.#state('setStatus').setStatus(status);
  }

  dropFrame(): void {
    this.#state('dropFrame').drop();
  }

  close(status?: number, reason?: string, peerStatus?: number, peerReason?: string): void {
    this.#state('close').dropped = true;
    const own = closeFrame(status ?? Status.NORMAL, reason ?? '');
    const peer = closeFrame(peerStatus ?? own.status, peerReason ?? own.reason);
    (this.#exchange.socket as SocketRelay).close(this.#side, own, peer);
  }

  setMaxPayloadSize(bytes: number): void {
    requirePhase(this.#phase, this.#name('setMaxPayloadSize'), ['ws_handshake']);
    const most = limits.webSocketPayloadBytes.value;
    if (!Number.isInteger(bytes) || bytes < 0 || bytes > most) {
      throw invalidArgument(`setMaxPayloadSize: expected 0 to ${most}, got ${bytes}`);
    }
    this.#exchange.payloadLimits[this.#side] = bytes;
  }

  #state(what: string): FrameState {
    requirePhase(this.#phase, this.#name(what), [`ws_${this.#side}_frame`]);
    const state = this.#exchange.socket?.current;
    if (!state) throw invalidArgument(`${this.#name(what)}: the frame has gone on`);
    return state;
  }

  readonly #name = (what: string): string => `websocket.${this.#side}.${what}`;
}

function closeFrame(status: number, reason: string): CloseFrame {
  if (!isCloseStatus(status)) throw invalidArgument(`close: ${status} is no close code`);
  const bytes = Buffer.from(reason);
  if (bytes.length > controlBytes - 2 || !isUtf8(bytes)) {
    throw invalidArgument(`close: a reason has at most ${controlBytes - 2} bytes`);
  }
  return { status, reason };
}
