/** When an exchange may be left to the core for good. */
import type { Exchange } from './exchange.js';
import type { Plan } from './plan.js';

/** True where a later phase may look at the request, which is gone by then. */
export const looksBack = (plan: Plan | null): boolean =>
  plan !== null &&
  (plan.headerFilter.length + plan.bodyFilter.length + plan.response.length > 0 ||
    plan.webSocket?.decodes === true);

/** So much text the core keeps of edits for the answer, well within one of its slots. */
const keptEditText = 16_384;

/** Nobody will look at the answer, and the bodies pass by: edits of it are all that is left. */
export const isSettled = (exchange: Exchange): boolean =>
  !looksBack(exchange.plan) &&
  !exchange.buffered &&
  (exchange.stage === null || exchange.stage.settled) &&
  !exchange.requestBody.inUse &&
  exchange.clientEdits.text <= keptEditText;
