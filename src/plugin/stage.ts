/**
 * Something beside plugins that takes part in an exchange: a chain of filters. It comes behind the
 * plugins of each phase and works on the `Exchange` that it was made for: edits go to
 * `upstreamEdits` and `clientEdits`, an answer of its own to `reply`, the end to `cut`. After any
 * of these, or when it waits no more, `Exchange.wake` makes the core look.
 */
import type { BodyQueue } from './body-queue.js';
import type { Exchange } from './exchange.js';
import type { Plan } from './plan.js';

export interface ExchangeStage {
  /** While true the request, or the head of the answer, goes no further. */
  readonly waits: boolean;
  /** Behind the access plugins; the request may be read through the exchange's view. */
  requestHead(): void;
  /**
   * Nothing of it comes behind the request's head unless it waits: it runs before the head is
   * copied, and `keep` follows where the exchange lives on.
   */
  readonly brief: boolean;
  /** The memory that the head was read from is about to change. */
  keep(): void;
  /** True where it is through with the exchange, which may end now. */
  readonly settled: boolean;
  /** The body of the request; null: not of interest. */
  readonly request: BodyStage | null;
  /**
   * Behind the header filters; `ends`: no body follows. Called for answers of the gateway, too.
   * While it waits, body bytes come already.
   */
  responseHead(ends: boolean): void;
  readonly response: BodyStage | null;
  /** The exchange is over, however it ended; called once. */
  ended(): void;
}

/** One direction of a body through a stage. */
export interface BodyStage {
  /**
   * Takes all of the bytes; what goes on is put into `out`, now or later. `out.end()` follows the
   * last of it, once `last` was seen. The bytes may be kept. `trailers`: the whole trailer section
   * as it came, with `last` only; empty where there is none.
   */
  take(chunk: Uint8Array, last: boolean, out: BodyQueue, trailers: string): void;
  /** No more should come for now; looked at after each `take` and each wake. */
  readonly full: boolean;
  /** Bytes that `out` will have got in the end, -1 where that is not known. */
  readonly length: number;
}

/** Makes the stage of an exchange, or null where its plan has none. */
export type StageMaker = (plan: Plan, exchange: Exchange) => ExchangeStage | null;
