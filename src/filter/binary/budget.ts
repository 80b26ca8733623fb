/** The running end of the watchdog: the counter that an instrumented module counts down. */
import type { ForeignExports } from '../../core/foreign-module.js';

/** Name that the counter is exported under; no compiler makes such a name. */
export const budgetExport = 'headgate:budget';

/** Units (turns of a loop, entries of a function) for start functions and configuration. */
const startBudget = 0x7fffffff;
/** The same for callbacks, filled up on every 4th: some tenths of a second of work. */
const callBudget = 0x04000000;

export class Budget {
  readonly #counter: { value: number };

  constructor(counter: { value: number }) {
    this.#counter = counter;
    counter.value = startBudget;
  }

  refill(): void {
    this.#counter.value = callBudget;
  }

  /** Before work that may take long: starting and configuring. */
  extend(): void {
    this.#counter.value = startBudget;
  }

  /** Work of the host on behalf of the module, such as a copy of many bytes. */
  charge(units: number): void {
    this.#counter.value -= units;
  }

  exhausted(): boolean {
    return this.#counter.value <= 0;
  }
}

/** Null where the module was not instrumented. */
export function loadedBudget(exports: ForeignExports): Budget | null {
  const counter = exports[budgetExport] as { value: number } | undefined;
  return counter ? new Budget(counter) : null;
}
