/** The stages of one chain: each takes part in one exchange after the other. */
import type { Core } from '../core/instance.js';
import type { Exchange } from '../plugin/exchange.js';
import type { FilterChain } from './chain.js';
import type { PropertyFacts } from './exchange-properties.js';
import { FilterStage } from './stage.js';

/** Stages kept for the next exchange. */
const keptStages = 64;

export class StagePool {
  readonly chain: FilterChain;
  readonly #core: Core;
  readonly #facts: PropertyFacts;
  readonly #free: FilterStage[] = [];

  constructor(chain: FilterChain, core: Core, facts: PropertyFacts) {
    this.chain = chain;
    this.#core = core;
    this.#facts = facts;
  }

  take(exchange: Exchange): FilterStage {
    const stage = this.#free.pop();
    if (!stage) return new FilterStage(this, exchange, this.#core, this.#facts);
    stage.again(exchange);
    return stage;
  }

  /** Nobody asks the stage for anything any more. */
  give(stage: FilterStage): void {
    if (this.#free.length < keptStages) this.#free.push(stage);
  }
}
