/** The answer of an exchange while it goes through the shell. */
import { ExchangeView } from '../core/exchange-view.js';
import type { Core } from '../core/instance.js';
import { VerdictFlag } from '../core/layout.js';
import { GatewayError } from '../errors.js';
import { BodyQueue } from './body-queue.js';

/** So much may wait for a client that takes it slowly. */
const holdBytes = 262_144;

export class AnswerState {
  /** The upstream's head, kept while it waits. */
  readonly view: ExchangeView;
  /** What goes to the client. */
  readonly output = new BodyQueue();
  /** The head is held until the whole body is here. */
  collecting = false;
  /** The filters have run, and a stage holds the head. */
  staged = false;
  /** Octets of the trailer section as far as it has come. */
  trailers = '';
  readonly #input = new BodyQueue();
  #body: Uint8Array | null = null;

  constructor(core: Core) {
    this.view = new ExchangeView(core);
  }

  /** Another answer takes the place of what there was. */
  begin(): void {
    this.output.clear();
    this.#input.clear();
    this.#body = null;
    this.collecting = this.staged = false;
    this.trailers = '';
  }

  /** Holds the head that the core shows and waits for the body. */
  collect(): void {
    this.begin();
    this.collecting = true;
    this.keepHead();
  }

  /** Keeps the head that the core shows, for phases that come after it has moved on. */
  keepHead(): void {
    this.view.attach();
    this.view.detach();
  }

  /** Body bytes while collecting. @throws GatewayError GW_E_ANSWER_TOO_LARGE above `limit` bytes */
  take(chunk: Uint8Array, last: boolean, limit: number): void {
    this.#input.push(chunk);
    if (this.#input.total > limit) {
      this.#input.clear();
      throw new GatewayError('GW_E_ANSWER_TOO_LARGE', `the answer is larger than ${limit} bytes`);
    }
    if (!last) return;
    this.#body = this.#input.all();
    this.#input.clear();
  }

  /** The whole body; null where the answer was not collected. */
  get body(): Uint8Array | null {
    return this.#body;
  }

  set body(bytes: Uint8Array) {
    this.#body = bytes;
  }

  /** HOLD_RESPONSE where no more should come for now; `full`: what a stage says. */
  hold(full: boolean): number {
    return full || this.output.waiting > holdBytes ? VerdictFlag.HOLD_RESPONSE : 0;
  }
}
