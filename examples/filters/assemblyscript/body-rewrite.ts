/** Replaces a word in answers of type text. Configuration: `old=new`. */
export * from './sdk';

import {
  Action,
  Body,
  Filter,
  getHeader,
  Headers,
  readBuffer,
  register,
  removeHeader,
  writeBody,
} from './sdk';

class BodyRewrite extends Filter {
  applies: bool = false;

  onConfigure(): bool {
    return this.config.indexOf('=') > 0;
  }

  onResponseHeaders(endOfStream: bool): Action {
    const type = getHeader(Headers.Response, 'content-type');
    this.applies = !endOfStream && type !== null && type.startsWith('text/');
    // Its length is about to change.
    if (this.applies) removeHeader(Headers.Response, 'content-length');
    return Action.Continue;
  }

  onResponseBody(size: u32, endOfStream: bool): Action {
    if (!this.applies) return Action.Continue;
    // A word may lie across two chunks: wait for all of them.
    if (!endOfStream) return Action.Pause;
    const at = this.config.indexOf('=');
    const old = this.config.substring(0, at);
    writeBody(
      Body.Response,
      readBuffer(Body.Response).replaceAll(old, this.config.substring(at + 1)),
    );
    return Action.Continue;
  }
}

register(() => new BodyRewrite());
