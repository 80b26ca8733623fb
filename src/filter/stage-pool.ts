/** The stages of one chain: each takes part in one exchange after the other. */
import type { ExchangeView } from '../core/exchange-view.js';
import type { Core } from '../core/instance.js';
import type { Exchange } from '../plugin/exchange.js';
import type { ExchangeMaker, StageSource } from '../plugin/stage.js';
import type { FilterChain } from './chain.js';
import type { PropertyFacts } from './exchange-properties.js';
import { FilterStage } from './stage.js';

/** Stages kept for the next exchange. */
const keptStages = 64;

export class StagePool implements StageSource {
  readonly chain: FilterChain;
  readonly brief: boolean;
  readonly #core: Core;
  readonly #facts: PropertyFacts;
  /** The first `#freeCount` of them are free; an array that shrinks and grows is made anew. */
  readonly #free: (FilterStage | null)[] = new Array<FilterStage | null>(keptStages).fill(null);
  #freeCount = 0;

  constructor(chain: FilterChain, core: Core, facts: PropertyFacts) {
    this.chain = chain;
    this.brief = chain.isBrief;
    this.#core = core;
    this.#facts = facts;
  }

  take(exchange: Exchange): FilterStage {
    const stage = this.#next();
    stage.begin(exchange, null, exchange.view);
    return stage;
  }

  direct(maker: ExchangeMaker, view: ExchangeView): FilterStage {
    const stage = this.#next();
    stage.begin(null, maker, view);
    return stage;
  }

  /** Nobody asks the stage for anything any more. */
  give(stage: FilterStage): void {
    if (this.#freeCount < keptStages) this.#free[this.#freeCount++] = stage;
  }

  #next(): FilterStage {
    const stage = this.#freeCount > 0 ? this.#free[--this.#freeCount] : null;
    return stage ?? new FilterStage(this, this.#core, this.#facts);
  }
}
