/** The core's calls for WebSockets whose frames plugins see; other tunnels never get here. */
import type { BodyPort } from '../../core/body-port.js';
import { Phase, PhaseVerdict, VerdictFlag } from '../../core/layout.js';
import type { Clock } from '../../time.js';
import type { Exchange } from '../exchange.js';
import type { StepFaults } from '../step-faults.js';
import { SocketRelay, type SocketSide } from './relay.js';

export interface SocketPhasesOptions {
  readonly port: BodyPort;
  readonly faults: StepFaults;
  readonly clock: Clock;
  /** Makes the core ask for news of the exchange. */
  readonly wake: (exchange: Exchange) => void;
}

export class SocketPhases {
  readonly #options: SocketPhasesOptions;

  constructor(options: SocketPhasesOptions) {
    this.#options = options;
  }

  /** The upstream has agreed to the upgrade. */
  open(exchange: Exchange): number {
    const { answer } = exchange;
    answer.keepHead();
    // Nothing was offered: frames in an extension's form could not be read (RFC 6455 9.1).
    if (answer.view.header('sec-websocket-extensions', 'response') !== null) {
      return PhaseVerdict.CUT;
    }
    exchange.socket = new SocketRelay(exchange, this.#options);
    return PhaseVerdict.CONTINUE | VerdictFlag.RESPONSE_BODY;
  }

  /** A phase of an exchange with an open WebSocket. */
  call(exchange: Exchange, socket: SocketRelay, phase: number): number {
    switch (phase) {
      case Phase.RESUMED:
        exchange.woken = false;
        break;
      case Phase.REQUEST_BODY:
        this.#take(socket, 'client');
        break;
      case Phase.RESPONSE_BODY:
        this.#take(socket, 'upstream');
        break;
      case Phase.REQUEST_PULL:
        return this.#pull(exchange, socket, 'upstream');
      case Phase.RESPONSE_PULL:
        return this.#pull(exchange, socket, 'client');
      default:
        exchange.end();
        return PhaseVerdict.CONTINUE;
    }
    return PhaseVerdict.CONTINUE | holdsOf(socket);
  }

  #take(socket: SocketRelay, side: SocketSide): void {
    const { port } = this.#options;
    socket.take(side, port.chunk(), port.last);
  }

  #pull(exchange: Exchange, socket: SocketRelay, side: SocketSide): number {
    const { output } = socket[side];
    this.#options.port.give(output);
    if (output.drained) return PhaseVerdict.CONTINUE | VerdictFlag.END | holdsOf(socket);
    if (output.waiting > 0) this.#options.wake(exchange);
    return PhaseVerdict.CONTINUE | holdsOf(socket);
  }
}

const holdsOf = (socket: SocketRelay): number =>
  (socket.isFull('client') ? VerdictFlag.HOLD_REQUEST : 0) |
  (socket.isFull('upstream') ? VerdictFlag.HOLD_RESPONSE : 0);
