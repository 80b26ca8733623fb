/** What a deadline that has passed means for its connection. */
import { CONTROL, Control } from '../layout';
import { sendAbort } from './commands';
import { Connection, STATE_DRAIN, closeConnection, connectionAt } from './connection';
import { refuse } from './dispatch';
import { exchangeOf } from './exchange';
import { abandon, failExchange, hangUp } from './finish';
import { armBody, bodyIsLate } from './body-rate';
import { heldBytes } from './held';
import {
  TIMER_BODY,
  TIMER_CONNECT,
  TIMER_HEADER,
  TIMER_IDLE,
  TIMER_KEEPALIVE,
  TIMER_READ,
  TIMER_SEND,
  TIMER_TUNNEL,
  TIMER_WRITE,
} from './timers';
import { dropIdle, upstreamFailed } from './upstream';

/** Serves a connection whose deadline has passed. */
export function expire(c: Connection): void {
  const kind = c.timerKind;
  if (kind == TIMER_KEEPALIVE) return hangUp(c);
  if (kind == TIMER_IDLE) return dropIdle(c);
  changetype<Control>(CONTROL).timeouts += 1;
  switch (kind) {
    case TIMER_HEADER:
      if (heldBytes(c)) refuse(c, <usize>c.held + c.heldStart, heldBytes(c), 408);
      else hangUp(c);
      break;
    case TIMER_BODY:
      if (c.state == STATE_DRAIN || !c.exchange) hangUp(c);
      else if (bodyIsLate(c, exchangeOf(c))) failExchange(c, exchangeOf(c), 408);
      else armBody(c);
      break;
    case TIMER_SEND: giveUp(c); break;
    case TIMER_TUNNEL: giveUp(connectionAt(exchangeOf(c).client)); break;
    case TIMER_CONNECT:
    case TIMER_WRITE:
    case TIMER_READ: upstreamFailed(c, 504); break;
  }
}

/** A client that takes nothing any more, or a silent tunnel: both sides are reset. */
function giveUp(c: Connection): void {
  abandon(c);
  sendAbort(c);
  closeConnection(c);
}
