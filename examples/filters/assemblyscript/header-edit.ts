/** Adds and removes header fields both ways. Configuration: the value of `x-gateway`. */
export * from './sdk';

import { Action, addHeader, Filter, Headers, register, removeHeader, setHeader } from './sdk';

class HeaderEdit extends Filter {
  onRequestHeaders(endOfStream: bool): Action {
    setHeader(Headers.Request, 'x-gateway', this.config == '' ? 'headgate' : this.config);
    removeHeader(Headers.Request, 'x-internal');
    return Action.Continue;
  }

  onResponseHeaders(endOfStream: bool): Action {
    removeHeader(Headers.Response, 'x-powered-by');
    addHeader(Headers.Response, 'x-filtered', 'yes');
    return Action.Continue;
  }
}

register(() => new HeaderEdit());
