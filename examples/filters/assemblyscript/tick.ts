/** Counts on a timer and shows the count in answers. Configuration: the period in ms. */
export * from './sdk';

import { Action, addHeader, Filter, Headers, Level, log, register, setTick } from './sdk';

let ticks: u32 = 0;

class Tick extends Filter {
  onConfigure(): bool {
    setTick(this.config == '' ? 1000 : I32.parseInt(this.config));
    return true;
  }

  onTick(): void {
    ticks++;
    log(Level.Debug, 'tick ' + ticks.toString());
  }

  onResponseHeaders(endOfStream: bool): Action {
    addHeader(Headers.Response, 'x-ticks', ticks.toString());
    return Action.Continue;
  }
}

register(() => new Tick());
