/** One direction of a body on its way through a chain of filters in an exchange of the gateway. */
import { limits } from '../limits.js';
import type { BodyQueue } from '../plugin/body-queue.js';
import type { BodyStage } from '../plugin/stage.js';
import type { Lane } from './lane.js';
import type { Side } from './station.js';

/** Bytes of a trailer section without fields: the line end that closes it. */
const emptySection = 2;

/** What a lane needs of its stage. */
export interface LaneOwner {
  /** Feeds bytes, `trailers` behind the last of them, and passes on what has come out. */
  feed(side: Side, bytes: Uint8Array, last: boolean, trailers: boolean): void;
  /** A filter holds the head of that side. */
  paused(side: Side): boolean;
  /** Whether bytes still go through the filters in this direction. */
  filters(side: Side): boolean;
  /** Lines of the trailer section as filters left it. */
  trailerLines(side: Side): string;
}

export class StageLane implements BodyStage {
  /** -1: filters may change it. */
  length = -1;
  readonly #stage: LaneOwner;
  readonly #lane: Lane;
  readonly #side: Side;
  /** Filters are to see the body in one piece, before its head goes on. */
  #wholes = false;
  /** The head waits until all of the body has come out. */
  #measures = false;
  #gathered: Uint8Array[] = [];
  #size = 0;
  #out: BodyQueue | null = null;
  /** The trailer section as it came; empty: none. */
  trailers = '';

  constructor(stage: LaneOwner, lane: Lane, side: Side) {
    this.#stage = stage;
    this.#lane = lane;
    this.#side = side;
  }

  /** Another body. `wholes`: it is shown in one piece where it has a length to be. */
  begin(wholes: boolean): void {
    this.#wholes = wholes;
    this.#measures = false;
    this.length = -1;
    if (this.#gathered.length > 0) this.#gathered = [];
    this.#size = 0;
    this.#out = null;
    this.trailers = '';
  }

  /**
   * `length`: of the request; -1: not known. What is empty or too long does not wait. `isFixed`: as
   * below.
   */
  expect(length: number, isFixed: boolean): void {
    this.length = isFixed ? length : -1;
    if (length === 0 || length > limits.filterBodyBytes.value) this.#wholes = false;
  }

  /**
   * `length`: that an answer names, -1: none. `isFixed`: no filter can change it. A short body that
   * they may change is measured before its head goes on.
   */
  expectAnswer(length: number, isFixed: boolean): void {
    this.length = isFixed ? length : -1;
    this.#measures = !isFixed && length > 0 && length <= limits.filterMeasuredBytes.value;
  }

  /** The head may go on as far as the body is concerned. */
  get isWhole(): boolean {
    const { ended, trailersIn } = this.#lane.out;
    return !(this.#wholes || this.#measures) || ended || trailersIn;
  }

  get full(): boolean {
    return this.#stage.paused(this.#side);
  }

  take(chunk: Uint8Array, last: boolean, out: BodyQueue, trailers: string): void {
    this.#out = out;
    if (trailers.length > emptySection) this.trailers = trailers;
    const more = this.trailers !== '';
    if (!this.#stage.filters(this.#side)) {
      out.push(chunk);
      if (last) out.end();
      return;
    }
    if (!this.#wholes) return this.#stage.feed(this.#side, chunk, last, more);
    this.#gathered.push(chunk);
    this.#size += chunk.length;
    if (!last && this.#size <= limits.filterBodyBytes.value) return;
    const bytes = this.#gathered.length === 1 ? chunk : Buffer.concat(this.#gathered);
    this.#gathered = [];
    // What is too much for one piece goes on in pieces.
    if (!last) this.#wholes = false;
    this.#stage.feed(this.#side, bytes, last, more);
  }

  /** Passes on what has left the last filter. */
  drain(): void {
    const { out } = this.#lane;
    if (!this.#out) return;
    if (out.buffer.size > 0) this.#out.push(out.buffer.take());
    if (this.#out.ended) return;
    if (out.trailersIn) this.#out.end(this.#stage.trailerLines(this.#side));
    else if (out.ended) this.#out.end();
  }
}
