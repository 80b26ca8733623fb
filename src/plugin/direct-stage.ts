/**
 * Routes that have a brief stage and no plugins. The stage runs on what the core shows; mostly its
 * edits are all that comes of it, and the exchange is never made. Whatever else happens (it waits,
 * answers, calls out, asks for facts) goes the common way with an exchange that is made then.
 */
import type { ExchangeView } from '../core/exchange-view.js';
import type { Core } from '../core/instance.js';
import { PhaseVerdict, VerdictFlag } from '../core/layout.js';
import type { Exchange } from './exchange.js';
import type { Plan } from './plan.js';
import type { ExchangeMaker, ExchangeStage, StageSource } from './stage.js';

export interface DirectOptions {
  readonly core: Core;
  /** The phase that the core is in. */
  readonly live: ExchangeView;
  /** Begins an exchange behind routing. */
  readonly take: (plan: Plan, connection: number) => Exchange;
  /** Goes on with an exchange whose stage has seen the request; returns a verdict. */
  readonly goOn: (exchange: Exchange) => number;
  readonly fail: (exchange: Exchange, error: unknown) => void;
}

export class DirectStages implements ExchangeMaker {
  readonly #options: DirectOptions;
  #plan: Plan | null = null;
  #connection = -1;

  constructor(options: DirectOptions) {
    this.#options = options;
  }

  /** The access phase of a plan that `isDirect`. Returns the verdict. */
  run(plan: Plan, source: StageSource, connection: number): number {
    const { core, live, goOn, fail } = this.#options;
    this.#plan = plan;
    this.#connection = connection;
    const stage = source.direct(this, live);
    try {
      stage.requestHead();
      if (stage.exchange === null && stage.settled) {
        stage.upstreamEdits.writeTo(core);
        stage.ended();
        return PhaseVerdict.CONTINUE | VerdictFlag.SETTLED;
      }
    } catch (error) {
      fail(stage.adopt(), error);
    }
    return goOn(stage.adopt());
  }

  make(stage: ExchangeStage): Exchange {
    const exchange = this.#options.take(this.#plan as Plan, this.#connection);
    exchange.stage = stage;
    exchange.expectsEnd = true;
    return exchange;
  }
}

/** Nothing but the stage looks at exchanges of this plan. */
export const isDirect = (plan: Plan): boolean =>
  plan.rewrite.length + plan.access.length + plan.response.length === 0 &&
  plan.headerFilter.length + plan.bodyFilter.length + plan.conditional.length === 0 &&
  plan.webSocket === null &&
  plan.hashing === null;
