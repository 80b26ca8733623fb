/**
 * The request's body where plugins read or replace it. It is read only when somebody asks, while
 * the exchange is parked, and up to a bound; what was read goes on to the upstream afterwards.
 */
import { VerdictFlag } from '../core/layout.js';
import { GatewayError } from '../errors.js';
import { BodyQueue } from './body-queue.js';
import type { BodyStage } from './stage.js';
import { passedTrailers } from './trailers.js';

/** What a request becomes whose body turns out to be longer than it may be. */
export interface BodyRefusal {
  readonly status: number;
  readonly message: string;
}

interface Waiter {
  resolve(bytes: Uint8Array): void;
  reject(error: Error): void;
}

/** So much may wait for an upstream that takes it slowly. */
const holdBytes = 262_144;

export class RequestBody {
  readonly #queue = new BodyQueue();
  #reading: Promise<Uint8Array> | null = null;
  #waiter: Waiter | null = null;
  #limit = 0;
  #replacement = false;
  #stage: BodyStage | null = null;
  /** What the stage makes of the body. */
  readonly #staged = new BodyQueue();
  /** Length that the head names; -1: chunked. */
  #length = 0;
  #trailers = '';
  #received = 0;
  #most = Number.POSITIVE_INFINITY;
  #refusal: BodyRefusal | null = null;
  /** Something of the last request is still here. */
  #isTouched = false;

  /** Forgets the last request and expects one of this length, -1: chunked. */
  begin(length: number): void {
    this.#length = length;
    if (!this.#isTouched) return;
    this.#isTouched = false;
    this.#queue.clear();
    this.#reading = null;
    this.#waiter = null;
    this.#replacement = false;
    this.#stage = null;
    this.#staged.clear();
    this.#trailers = '';
    this.#received = 0;
    this.#most = Number.POSITIVE_INFINITY;
    this.#refusal = null;
  }

  /** Bytes that the client may send in all; the body goes through here for it. */
  limit(bytes: number, refusal: BodyRefusal): void {
    if (this.#length === 0) return;
    this.#isTouched = true;
    this.#most = bytes;
    this.#refusal = refusal;
  }

  /** Set once more has come than may. */
  get refusal(): BodyRefusal | null {
    return this.#received > this.#most ? this.#refusal : null;
  }

  /** From here on the body goes through a stage, what was read already included. */
  attach(stage: BodyStage): void {
    this.#isTouched = true;
    const known = this.#queue.total > 0 || this.#queue.ended;
    this.#stage = stage;
    if (known) this.#feed(this.#queue.all(), this.#queue.ended);
  }

  /** It was read, replaced or goes through a stage: the core must be told. */
  get inUse(): boolean {
    return (
      this.#stage !== null || this.#replacement || this.#reading !== null || this.#refusal !== null
    );
  }

  /** Somebody wants to read it. */
  get wanted(): boolean {
    return this.#reading !== null;
  }

  /**
   * All of the body. `wake` makes the core ask for news of the exchange.
   * Rejects with GW_E_BODY_TOO_LARGE above `limit` bytes, with GW_E_CLIENT_GONE where the exchange
   * ends before.
   */
  read(limit: number, wake: () => void): Promise<Uint8Array> {
    if (this.#replacement) return Promise.resolve(this.#queue.all());
    if (this.#reading) return this.#reading;
    if (this.#length === 0) return Promise.resolve(new Uint8Array(0));
    if (this.#length > limit) return Promise.reject(tooLarge(limit));
    this.#isTouched = true;
    this.#limit = limit;
    this.#reading = new Promise<Uint8Array>((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
    // Whoever asked may look at it later, or never.
    this.#reading.catch(() => {});
    wake();
    return this.#reading;
  }

  /** Gives the upstream other bytes; what the client sends is read and dropped. */
  replace(bytes: Uint8Array): void {
    this.#isTouched = this.#replacement = true;
    this.#queue.clear();
    this.#queue.push(bytes);
    this.#queue.end();
  }

  /** Bytes of the client, and octets of its trailer section. Returns flags for the core. */
  take(chunk: Uint8Array, last: boolean, trailers = ''): number {
    this.#isTouched = true;
    this.#received += chunk.length;
    if (trailers !== '') this.#trailers += trailers;
    if (this.#replacement) {
      if (last) this.#settle();
      return 0;
    }
    if (this.#stage) {
      this.#feed(chunk, last);
      return this.hold;
    }
    this.#queue.push(chunk);
    if (last) this.#queue.end(passedTrailers(this.#trailers));
    const waiter = this.#waiter;
    if (waiter && this.#queue.total > this.#limit) {
      this.#waiter = null;
      waiter.reject(tooLarge(this.#limit));
    }
    if (last) this.#settle();
    return this.hold;
  }

  /** HOLD_REQUEST where no more should come for now. */
  get hold(): number {
    if (this.#stage) {
      const full = this.#stage.full || this.#staged.waiting > holdBytes;
      return full ? VerdictFlag.HOLD_REQUEST : 0;
    }
    if (this.#replacement || this.#waiter) return 0;
    return this.#queue.waiting > holdBytes ? VerdictFlag.HOLD_REQUEST : 0;
  }

  /**
   * What the core must know when the request goes on: flags, and through `promise` the length of
   * the body. Plain requests give 0.
   */
  goOn(promise: (length: number) => void): number {
    if (this.#stage) {
      promise(this.#staged.ended ? this.#staged.length : this.#stage.length);
      return VerdictFlag.REQUEST_BODY | this.hold;
    }
    if (!this.inUse) return 0;
    this.#waiter?.reject(new GatewayError('GW_E_STATE', 'the request went on before its body'));
    this.#waiter = null;
    if (!this.#queue.ended) {
      promise(this.#length);
      return VerdictFlag.REQUEST_BODY | this.hold;
    }
    this.#queue.keeps = true;
    promise(this.#queue.length);
    return VerdictFlag.REQUEST_BODY | VerdictFlag.REPLAY;
  }

  /** The queue for a pull. */
  output(restart: boolean): BodyQueue {
    if (this.#stage) return this.#staged;
    if (restart && this.#queue.keeps) this.#queue.rewind();
    return this.#queue;
  }

  /** The exchange is over. */
  end(): void {
    this.#waiter?.reject(
      new GatewayError('GW_E_CLIENT_GONE', 'the exchange ended before its body'),
    );
    this.begin(0);
  }

  #feed(bytes: Uint8Array, last: boolean): void {
    this.#stage?.take(bytes, last, this.#staged, last ? this.#trailers : '');
  }

  #settle(): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.resolve(this.#queue.all());
  }
}

const tooLarge = (limit: number): GatewayError =>
  new GatewayError('GW_E_BODY_TOO_LARGE', `the body is larger than ${limit} bytes`, {
    details: { limit },
  });
