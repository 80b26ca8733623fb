/** What the handlers of a WebSocket's frames are given. */

import { StepContext } from '../context.js';
import type { FrameContext, SocketCloseContext, SocketSession } from '../context-types.js';
import type { Exchange } from '../exchange.js';
import { requirePhase } from '../pdk/phase-guard.js';
import type { PlanStep } from '../plan.js';

type FramePhase = 'ws_client_frame' | 'ws_upstream_frame' | 'ws_close';

export class FrameStep extends StepContext implements FrameContext, SocketCloseContext {
  constructor(exchange: Exchange, step: PlanStep, phase: FramePhase) {
    super(exchange, step, phase, exchange.answer.view);
  }

  close(status?: number, reason?: string): void {
    requirePhase(this.phase, 'close', ['ws_client_frame', 'ws_upstream_frame']);
    this.websocket[this.phase === 'ws_client_frame' ? 'client' : 'upstream'].close(status, reason);
  }

  get session(): SocketSession {
    requirePhase(this.phase, 'session', ['ws_close']);
    return (this.exchange.socket as NonNullable<Exchange['socket']>).session;
  }
}
