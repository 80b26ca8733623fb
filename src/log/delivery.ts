/**
 * Hands one batch to the handler until it succeeds, is given up or is aborted: Kong's attempts,
 * doubling pauses and log lines. Calls back in the same turn where the handler is synchronous.
 */
import type { QueueParameters } from './params.js';
import type { QueueClock } from './queue-clock.js';

/**
 * Delivers one batch, oldest entry first. Success is exactly `true`, returned or resolved. Anything
 * else is a failure: `[false, reason]` and an Error carry their reason, a throw counts as one.
 */
export type BatchHandler<T> = (batch: readonly T[], signal: AbortSignal) => unknown;

/** `trace` lines are made only where somebody listens. */
export interface QueueLines {
  log(level: 'info' | 'warn' | 'error', message: string): void;
  trace: ((message: string) => void) | null;
}

export interface DeliveryOptions<T> {
  readonly batch: readonly T[];
  /** Read before each attempt, so that the newest one is used for repetitions as well. */
  readonly handler: () => BatchHandler<T>;
  readonly parameters: QueueParameters;
  readonly clock: QueueClock;
  readonly lines: QueueLines;
  readonly signal: AbortSignal;
  /** Called once, unless the delivery is aborted. */
  readonly onEnd: (outcome: 'delivered' | 'lost') => void;
  readonly onRetry: () => void;
}

const noReason = 'no error details returned by handler';

export class Delivery<T> {
  readonly #options: DeliveryOptions<T>;
  readonly #startS: number;
  #attempts = 0;
  #timer: unknown = null;

  constructor(options: DeliveryOptions<T>) {
    this.#options = options;
    this.#startS = options.clock.now();
  }

  /** Makes the next attempt. */
  attempt(): void {
    const { batch, handler, signal, lines } = this.#options;
    lines.trace?.(`passing ${batch.length} entries to handler`);
    let result: unknown;
    try {
      result = handler()(batch, signal);
    } catch (error) {
      this.#failed(textOf(error));
      return;
    }
    if (isThenable(result)) {
      result.then(
        (value) => this.#judge(value),
        (error) => this.#failed(textOf(error)),
      );
    } else {
      this.#judge(result);
    }
  }

  /** Ends a pause for good; nothing is called back afterwards. The signal must have fired. */
  stop(): void {
    this.#options.clock.clearTimeout(this.#timer);
  }

  #judge(result: unknown): void {
    const first = Array.isArray(result) ? result[0] : result;
    if (first !== true) {
      this.#failed(reasonOf(result));
      return;
    }
    const { batch, lines, signal, onEnd } = this.#options;
    if (signal.aborted) return;
    lines.trace?.(`handler processed ${batch.length} entries successfully`);
    onEnd('delivered');
  }

  #failed(reason: string | null): void {
    const { batch, clock, lines, parameters, signal, onEnd, onRetry } = this.#options;
    if (signal.aborted) return;
    lines.log('warn', `handler could not process entries: ${reason ?? noReason}`);
    if (reason === null)
      lines.log('error', 'handler returned falsy value but no error information');
    if (clock.now() - this.#startS > parameters.max_retry_time) {
      const count = batch.length;
      lines.log(
        'error',
        `could not send entries due to max_retry_time exceeded. ${count} queue entries were lost`,
      );
      onEnd('lost');
      return;
    }
    const pauseS = parameters.initial_retry_delay * 2 ** this.#attempts++;
    const waitS = Math.min(parameters.max_retry_delay, pauseS);
    this.#timer = clock.setTimeout(() => {
      if (signal.aborted) return;
      onRetry();
      this.attempt();
    }, waitS * 1000);
  }
}

function reasonOf(result: unknown): string | null {
  if (result instanceof Error) return textOf(result);
  const second = Array.isArray(result) ? result[1] : undefined;
  return second === undefined || second === null ? null : textOf(second);
}

/** Kong prints what was raised, whatever it is; only an absent value is no reason. */
function textOf(error: unknown): string | null {
  if (error === undefined || error === null) return null;
  return error instanceof Error ? error.message || error.name : String(error);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
