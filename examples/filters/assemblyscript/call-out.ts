/**
 * Asks another service whether a request may pass: it gets the path and must answer 200. What it
 * says in `x-user` goes on to the upstream. Configuration: the upstream's name or `host:port`.
 */
export * from './sdk';

import {
  Action,
  callFrom,
  Filter,
  getHeader,
  Headers,
  register,
  respond,
  resume,
  Side,
  setHeader,
} from './sdk';

const TIMEOUT_MS = 2000;

class CallOut extends Filter {
  onRequestHeaders(endOfStream: bool): Action {
    const path = getHeader(Headers.Request, ':path');
    const sent = callFrom(
      this,
      this.config,
      [':method', 'GET', ':path', '/check', 'x-path', path === null ? '/' : path],
      '',
      TIMEOUT_MS,
    );
    if (!sent) respond(503, 'the check cannot be made\n');
    return Action.Pause;
  }

  onCallResponse(call: u32, headers: u32, bodySize: u32): void {
    const status = headers > 0 ? getHeader(Headers.CallResponse, ':status') : null;
    if (status === null) return respond(503, 'the check did not answer\n');
    if (status != '200') return respond(403, 'not allowed\n');
    const user = getHeader(Headers.CallResponse, 'x-user');
    if (user !== null) setHeader(Headers.Request, 'x-user', user);
    resume(Side.Request);
  }
}

register(() => new CallOut());
