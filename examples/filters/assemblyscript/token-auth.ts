/**
 * Lets requests through that carry a known token as `Authorization: Bearer <token>`.
 * Configuration: tokens, one a line.
 */
export * from './sdk';

import {
  Action,
  Filter,
  getHeader,
  Headers,
  Level,
  log,
  register,
  removeHeader,
  respond,
} from './sdk';

const PREFIX = 'Bearer ';

class TokenAuth extends Filter {
  /** A root without tokens would let nobody in: that is a mistake worth refusing. */
  onConfigure(): bool {
    if (this.config.trim() != '') return true;
    log(Level.Error, 'no tokens are configured');
    return false;
  }

  onRequestHeaders(endOfStream: bool): Action {
    const given = getHeader(Headers.Request, 'authorization');
    if (given !== null && given.startsWith(PREFIX)) {
      const token = given.substring(PREFIX.length);
      if (token != '' && this.config.split('\n').includes(token)) {
        removeHeader(Headers.Request, 'authorization');
        return Action.Continue;
      }
    }
    respond(401, '{"message":"Unauthorized"}', [
      'content-type',
      'application/json',
      'www-authenticate',
      'Bearer',
    ]);
    return Action.Pause;
  }
}

register(() => new TokenAuth());
