/** Bytes of an exchange in both directions, known when it has ended. */
import type { Core } from './instance.js';
import { PhaseView, Region } from './layout.js';

const base = Region.phaseView.offset;

export class Traffic {
  /** Head and body of the request as received; -1: not known yet, as below. */
  received = -1;
  /** Head and body of the answer as sent. */
  sent = -1;
  /** Of them the body, framing left out. */
  bodySent = -1;

  /** Reads what the core shows in phase ENDED. */
  read({ f64 }: Core): void {
    this.received = f64[(base + PhaseView.requestBytes) >> 3];
    this.sent = f64[(base + PhaseView.responseBytes) >> 3];
    this.bodySent = f64[(base + PhaseView.bodyBytesSent) >> 3];
  }

  forget(): void {
    this.received = this.sent = this.bodySent = -1;
  }
}
