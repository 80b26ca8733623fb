/**
 * Something beside plugins that takes part in an exchange: a chain of filters. It comes behind the
 * plugins of each phase and works on the `Exchange` that it was made for: edits go to
 * `upstreamEdits` and `clientEdits`, an answer of its own to `reply`, the end to `cut`. After any
 * of these, or when it waits no more, `Exchange.wake` makes the core look.
 */
import type { EditBytes } from '../core/edit-bytes.js';
import type { ExchangeView } from '../core/exchange-view.js';
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

/** Where a plan's stages come from. */
export interface StageSource {
  /** A stage for an exchange; null: it does without. */
  take(exchange: Exchange): ExchangeStage | null;
  /** All of them are brief: `direct` may be asked instead. */
  readonly brief: boolean;
  /** A stage that reads the request where the core shows it, `view`. */
  direct(maker: ExchangeMaker, view: ExchangeView): DirectStage;
}

/** Makes the exchange of a stage that began without one. */
export interface ExchangeMaker {
  /** Called at most once, before `requestHead` of the stage returns or right behind it. */
  make(stage: ExchangeStage): Exchange;
}

/** A brief stage that has an exchange only where it needs one. */
export interface DirectStage extends ExchangeStage {
  /** Null as long as none was needed. */
  readonly exchange: Exchange | null;
  /** What it wants changed about the request; in those of the exchange, where there is one. */
  readonly upstreamEdits: EditBytes;
  /** The exchange, which is made where there is none. */
  adopt(): Exchange;
}

/** Finds where the stages of a plan come from; null: it has none. Asked once for each plan. */
export type StagesOf = (plan: Plan) => StageSource | null;
