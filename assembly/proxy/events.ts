/** What each event record does. Events for connections that are gone are counted and ignored. */
import { copy16 } from '../bytes';
import {
  ACCEPT_INFO_LOCAL_ADDRESS,
  ACCEPT_INFO_PEER_ADDRESS,
  ACCEPT_INFO_SNI,
  AcceptInfo,
  CONTROL,
  Control,
  ERROR_CAUSE_TIMEOUT,
  EVENT_ACCEPT,
  EVENT_BLOCKED,
  EVENT_CONNECTED,
  EVENT_DATA,
  EVENT_DRAIN,
  EVENT_DRAINED,
  EVENT_DROP_IDLE,
  EVENT_END,
  EVENT_ERROR,
  EVENT_RESUME,
  EVENT_TICK,
  LIMIT_DOWNSTREAM_CONNECTIONS,
  Record,
  SETTINGS,
  Settings,
} from '../layout';
import { resumeExchange } from './access';
import { answerEnds, takeResponseBody } from './answer';
import { clientData, isFull } from './client';
import { pause, resume, sendClose } from './commands';
import {
  Connection,
  FLAG_BLOCKED,
  FLAG_ENDED,
  KIND_DOWNSTREAM,
  KIND_FREE,
  LOCAL_ADDRESS,
  PEER_ADDRESS,
  STATE_BODY,
  STATE_CONNECTING,
  STATE_DRAIN,
  STATE_HEAD,
  STATE_IDLE,
  STATE_RESPONSE_BODY,
  STATE_RESPONSE_HEAD,
  STATE_TUNNEL,
  at,
  closeConnection,
  connectionAt,
  find,
  openDownstream,
} from './connection';
import {
  Exchange,
  X_REQUEST_DONE,
  X_REQUEST_HOLD,
  X_REQUEST_SHELL,
  X_RESPONSE_HOLD,
  X_RESPONSE_SHELL,
  X_SENT,
  X_TUNNEL,
  copyToSlot,
  exchangeOf,
  requestIsOut,
} from './exchange';
import { abandon, hangUp, setDraining } from './finish';
import { startBodyRate } from './body-rate';
import { consume, keep } from './held';
import { dropTarget } from './pool';
import { markReady } from './ready';
import { pumpAnswer } from './shell-answer';
import { pumpRequest } from './shell-request';
import {
  TIMER_HEADER,
  TIMER_KEEPALIVE,
  TIMER_READ,
  TIMER_SEND,
  TIMER_TUNNEL,
  TIMER_WRITE,
  arm,
  disarm,
} from './timers';
import { breakTunnel, endTunnel, pumpTunnel, tunnelDown } from './tunnel';
import { dropIdle, takeResponseHead, upstreamConnected, upstreamFailed } from './upstream';

/** Handles one event. */
export function handleEvent(event: Record): void {
  const type = event.type;
  if (type == EVENT_ACCEPT) return accept(event.connection, event.a);
  if (type == EVENT_DRAIN) return drain();
  if (type == EVENT_TICK) return;
  if (type == EVENT_DROP_IDLE) return dropTarget(event.a);
  const c = find(event.connection);
  if (!c) {
    changetype<Control>(CONTROL).lateEvents += 1;
    return;
  }
  const downstream = c.kind == KIND_DOWNSTREAM;
  switch (type) {
    case EVENT_DATA:
      if (downstream) clientData(c, event.a, event.b);
      else upstreamData(c, event.a, event.b);
      break;
    case EVENT_END:
      if (downstream) clientEnd(c);
      else upstreamEnd(c);
      break;
    case EVENT_ERROR:
      if (downstream) clientGone(c);
      else upstreamError(c, event.a);
      break;
    case EVENT_BLOCKED: blocked(c, downstream); break;
    case EVENT_DRAINED: drained(c, downstream); break;
    case EVENT_CONNECTED: upstreamConnected(c); break;
    case EVENT_RESUME:
      if (c.exchange && downstream) resumeExchange(c, exchangeOf(c), event.b);
      break;
  }
}

function accept(id: u32, from: usize): void {
  const c = openDownstream(id);
  const info = changetype<AcceptInfo>(from);
  c.peerPort = info.peerPort;
  c.localPort = info.localPort;
  c.listener = info.listener;
  c.acceptFlags = info.flags;
  c.tls = info.tls;
  const self = changetype<usize>(c);
  copy16(self + PEER_ADDRESS, from + ACCEPT_INFO_PEER_ADDRESS);
  copy16(self + LOCAL_ADDRESS, from + ACCEPT_INFO_LOCAL_ADDRESS);
  if (info.sniLength) {
    c.sni = copyToSlot(from + ACCEPT_INFO_SNI, info.sniLength);
    c.sniLength = c.sni ? info.sniLength : 0;
  }
  changetype<Control>(CONTROL).acceptedConnections += 1;
  arm(c, TIMER_HEADER, changetype<Settings>(SETTINGS).clientHeaderTimeoutMs);
}

/** Closes clients that wait between two requests; the others are told with their next answer. */
function drain(): void {
  setDraining();
  for (let i: u32 = 0; i < LIMIT_DOWNSTREAM_CONNECTIONS; i++) {
    const c = at(i);
    if (c.kind == KIND_DOWNSTREAM && c.state == STATE_HEAD && c.requests && !c.held) hangUp(c);
  }
}

function upstreamData(u: Connection, from: usize, bytes: usize): void {
  if (u.state == STATE_IDLE) return dropIdle(u);
  let p = from;
  let end = from + bytes;
  const id = u.id;
  if (u.held) {
    if (!keep(u, from, bytes)) return upstreamFailed(u, 502);
    p = <usize>u.held + u.heldStart;
    end = <usize>u.held + u.heldEnd;
  }
  const held = u.held != 0;
  while (p < end) {
    const state = u.state;
    if (state == STATE_RESPONSE_HEAD) {
      const next = takeResponseHead(u, p, end);
      if (next == p && u.state == state) break;
      p = next;
    } else if (state == STATE_RESPONSE_BODY) p = takeResponseBody(u, p, end);
    else if (state == STATE_TUNNEL) {
      tunnelDown(u, p, end);
      p = end;
    } else {
      // Bytes behind a complete answer: the connection cannot be trusted any more.
      if (state == STATE_IDLE) dropIdle(u);
      return;
    }
    if (u.kind == KIND_FREE || u.id != id) return;
  }
  if (held) consume(u, p);
  else if (p < end && !keep(u, p, end - p)) upstreamFailed(u, 502);
}

/** The client's FIN: it may still read. Only a request that is not complete cannot go on. */
function clientEnd(c: Connection): void {
  c.flags |= FLAG_ENDED;
  if (c.state == STATE_TUNNEL) return endTunnel(c, exchangeOf(c), true);
  if (c.state == STATE_HEAD || c.state == STATE_DRAIN) return hangUp(c);
  const x = exchangeOf(c);
  if (!(x.flags & X_REQUEST_DONE) && !c.held) clientGone(c);
}

/** The client is gone for good. */
function clientGone(c: Connection): void {
  abandon(c);
  sendClose(c);
  closeConnection(c);
}

function upstreamEnd(u: Connection): void {
  if (u.state == STATE_IDLE) return dropIdle(u);
  u.flags |= FLAG_ENDED;
  if (u.state == STATE_TUNNEL) return endTunnel(u, exchangeOf(u), false);
  if (u.state == STATE_RESPONSE_BODY) return answerEnds(u, exchangeOf(u));
  upstreamFailed(u, 502);
}

function upstreamError(u: Connection, cause: u32): void {
  if (u.state == STATE_TUNNEL) return breakTunnel(u);
  const late = cause == ERROR_CAUSE_TIMEOUT && u.state == STATE_CONNECTING;
  upstreamFailed(u, late ? 504 : 502);
}

/** Our own back-pressure: the peer stops, and no time-out runs against it meanwhile. */
function blocked(c: Connection, downstream: bool): void {
  c.flags |= FLAG_BLOCKED;
  const settings = changetype<Settings>(SETTINGS);
  if (c.peer) {
    const peer = connectionAt(c.peer);
    pause(peer);
    disarm(peer);
  }
  if (downstream) arm(c, TIMER_SEND, settings.sendTimeoutMs);
  else if (c.exchange) arm(c, TIMER_WRITE, exchangeOf(c).writeTimeoutMs);
}

function drained(c: Connection, downstream: bool): void {
  c.flags &= ~FLAG_BLOCKED;
  disarm(c);
  const settings = changetype<Settings>(SETTINGS);
  if (!c.exchange) {
    if (downstream && c.state == STATE_HEAD) {
      resume(c);
      arm(c, TIMER_KEEPALIVE, settings.keepaliveTimeoutMs);
      if (c.held) markReady(c);
    }
    return;
  }
  const x = exchangeOf(c);
  if (x.flags & (X_REQUEST_SHELL | X_RESPONSE_SHELL) && !pumpDrained(c, x, downstream)) return;
  if (!c.peer || c.flags & FLAG_BLOCKED) return;
  const peer = connectionAt(c.peer);
  const hold = x.flags & (downstream ? X_RESPONSE_HOLD : X_REQUEST_HOLD);
  if (!hold && (downstream || !isFull(peer))) resume(peer);
  if (downstream) armUpstream(peer, x);
  else {
    armUpstream(c, x);
    if (peer.state == STATE_BODY && !hold) startBodyRate(peer, x);
  }
}

/** There is room for more of what the shell makes of a body; false: the exchange is over. */
function pumpDrained(c: Connection, x: Exchange, downstream: bool): bool {
  const id = c.id;
  const sequence = x.sequence;
  const client = connectionAt(x.client);
  if (x.flags & X_TUNNEL) pumpTunnel(client, x);
  else if (downstream) pumpAnswer(c, x);
  else pumpRequest(client, x);
  if (c.kind == KIND_FREE || c.id != id || !c.exchange) return false;
  return c.exchange == <u32>changetype<usize>(x) && x.sequence == sequence;
}

/** The upstream's time runs again, if it is the upstream's turn. */
function armUpstream(u: Connection, x: Exchange): void {
  if (u.flags & FLAG_BLOCKED || x.flags & X_RESPONSE_HOLD) return;
  if (u.state == STATE_TUNNEL) arm(u, TIMER_TUNNEL, x.readTimeoutMs);
  else if (requestIsOut(x) && x.flags & X_SENT) arm(u, TIMER_READ, x.readTimeoutMs);
}
