/**
 * Lets so many requests a minute through for each client address, counted in shared data, so that
 * all workers count together. Configuration: the number. Metrics: `limited`, `passed`.
 */
export * from './sdk';

import {
  Action,
  addHeader,
  cas,
  defineMetric,
  Filter,
  getProperty,
  getShared,
  Headers,
  increment,
  Metric,
  nowMs,
  register,
  respond,
  setShared,
} from './sdk';

const TRIES = 8;
let limited: u32 = 0;
let passed: u32 = 0;

class RateLimit extends Filter {
  onConfigure(): bool {
    limited = defineMetric(Metric.Counter, 'limited');
    passed = defineMetric(Metric.Counter, 'passed');
    return this.limit > 0;
  }

  get limit(): i32 {
    return this.config == '' ? 0 : I32.parseInt(this.config);
  }

  onRequestHeaders(endOfStream: bool): Action {
    const address = getProperty('source.address');
    const minute = nowMs() / 60000;
    const used = this.count('rate/' + (address === null ? 'unknown' : address), minute.toString());
    if (used <= this.limit) {
      increment(passed);
      addHeader(Headers.Response, 'x-ratelimit-remaining', (this.limit - used).toString());
      return Action.Continue;
    }
    increment(limited);
    respond(429, 'too many requests\n', ['retry-after', (60 - ((nowMs() / 1000) % 60)).toString()]);
    return Action.Pause;
  }

  /** Requests of this minute, this one included. The value is `minute:count`. */
  count(key: string, minute: string): i32 {
    for (let i = 0; i < TRIES; i++) {
      const known = getShared(key);
      let used = 1;
      if (known !== null && known.startsWith(minute + ':')) {
        used = I32.parseInt(known.substring(minute.length + 1)) + 1;
      }
      if (setShared(key, minute + ':' + used.toString(), known === null ? 0 : cas)) return used;
    }
    return i32.MAX_VALUE;
  }
}

register(() => new RateLimit());
