/** One direction of an exchange: moves a message through the stages of its filters. */
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import { Action, MapType } from './abi.js';
import { Moment } from './context.js';
import { Part, Pause, type Side, Stage, type Station } from './station.js';
import type { FilterStream } from './stream.js';

interface Names {
  readonly headersMap: 0 | 2;
  readonly trailersMap: 1 | 3;
  readonly moments: readonly [headers: Moment, body: Moment, trailers: Moment];
}

const names: Readonly<Record<Side, Names>> = {
  request: {
    headersMap: MapType.REQUEST_HEADERS,
    trailersMap: MapType.REQUEST_TRAILERS,
    moments: [Moment.REQUEST_HEADERS, Moment.REQUEST_BODY, Moment.REQUEST_TRAILERS],
  },
  response: {
    headersMap: MapType.RESPONSE_HEADERS,
    trailersMap: MapType.RESPONSE_TRAILERS,
    moments: [Moment.RESPONSE_HEADERS, Moment.RESPONSE_BODY, Moment.RESPONSE_TRAILERS],
  },
};

export class Lane {
  readonly side: Side;
  /** What has left the last filter; the caller sends it and clears the buffer. */
  readonly out = new Stage();
  pumping = false;
  /** A filter answered from a response callback: its answer takes the upstream's place. */
  replaced = false;
  readonly #stream: FilterStream;
  readonly #names: Names;
  readonly #stations: readonly Station[];
  /** By station, and `out` behind them. */
  readonly #stages: readonly Stage[];

  /** The stream's stations must be there. */
  constructor(stream: FilterStream, side: Side) {
    this.#stream = stream;
    this.side = side;
    this.#names = names[side];
    this.#stations = stream.stations;
    this.#stages = [...stream.stations.map((station) => station[side]), this.out];
  }

  reset(): void {
    this.out.reset();
    this.pumping = false;
    this.replaced = false;
  }

  headers(endOfStream: boolean): void {
    const first = this.#stages[0];
    first.headersIn = true;
    first.endOfStream = endOfStream;
    first.ended = endOfStream;
    this.pump();
  }

  body(bytes: Uint8Array, end: boolean): void {
    this.#stages[0].take(bytes, end);
    this.pump();
  }

  trailers(): void {
    const first = this.#stages[0];
    first.trailersIn = true;
    this.pump();
  }

  /** Moves everything as far as it can go. Filters that failed or stopped are left as they are. */
  pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    try {
      const { length } = this.#stations;
      do {
        // Heads first: a filter sees a head before another one sees the body that follows it.
        for (let i = 0; i < length && !this.#isOver; i++) this.#stepHead(i);
        for (let i = 0; i < length && !this.#isOver; i++) this.#stepBody(i);
      } while (!this.#isOver && this.#isReleased());
    } finally {
      this.pumping = false;
    }
    this.#stream.watchPause();
  }

  /** An answer or a cut ends the request's way; an answer in place of one ends the response's. */
  get #isOver(): boolean {
    const { reply, cutSide } = this.#stream;
    if (cutSide !== null) return true;
    return reply !== null && (this.side === 'request' || this.replaced);
  }

  /** Some filter's pause was ended meanwhile. */
  #isReleased(): boolean {
    for (let i = 0; i < this.#stations.length; i++) {
      const stage = this.#stages[i];
      if (stage.released && stage.paused !== Pause.NONE) return true;
    }
    return false;
  }

  #stepHead(index: number): void {
    const station = this.#stations[index];
    const stage = this.#stages[index];
    if (!stage.headersIn || stage.headersPassed) return;
    if (!stage.headersShown) this.#showHeaders(station, stage);
    if (stage.paused === Pause.HEADERS && !this.#lift(stage)) return this.#bound(station, stage);
    if (this.#isOver) return;
    const next = this.#stages[index + 1];
    stage.headersPassed = true;
    next.headersIn = true;
    next.endOfStream = stage.endOfStream;
    next.ended ||= stage.endOfStream;
  }

  #stepBody(index: number): void {
    const station = this.#stations[index];
    const stage = this.#stages[index];
    if (!stage.headersPassed || stage.endOfStream) return;
    const next = this.#stages[index + 1];
    this.#moveBody(station, stage, next);
    if (!this.#isOver && stage.trailersIn) this.#moveTrailers(station, stage, next);
    this.#bound(station, stage);
  }

  #showHeaders(station: Station, stage: Stage): void {
    stage.headersShown = true;
    if (this.side === 'request') this.#stream.chain.reach(station, this.#stream);
    if (!this.#shows(station, Part.HEADERS)) return;
    const { count } = this.#stream.headers[this.#names.headersMap];
    const action = this.#ask(station, stage, count, stage.endOfStream);
    if (action !== Action.CONTINUE) stage.paused = Pause.HEADERS;
  }

  #moveBody(station: Station, stage: Stage, next: Stage): void {
    if (stage.fresh) {
      stage.fresh = false;
      let action: number = Action.CONTINUE;
      if (this.#shows(station, Part.BODY)) {
        action = this.#ask(station, stage, stage.buffer.size, stage.ended);
      }
      if (action === Action.STOP_NO_BUFFER) stage.buffer.clear();
      stage.paused = action === Action.CONTINUE ? Pause.NONE : Pause.BODY;
    }
    if (this.#isOver || (stage.paused === Pause.BODY && !this.#lift(stage))) return;
    if (stage.paused === Pause.NONE) this.#pass(stage, next);
  }

  #moveTrailers(station: Station, stage: Stage, next: Stage): void {
    if (!stage.trailersShown) {
      stage.trailersShown = true;
      let action: number = Action.CONTINUE;
      if (this.#shows(station, Part.TRAILERS)) {
        const { count } = this.#stream.headers[this.#names.trailersMap];
        action = this.#ask(station, stage, count, true);
      }
      stage.paused = action === Action.CONTINUE ? Pause.NONE : Pause.TRAILERS;
    }
    if (this.#isOver || (stage.paused === Pause.TRAILERS && !this.#lift(stage))) return;
    this.#pass(stage, next);
    stage.trailersPassed = true;
    next.trailersIn = true;
  }

  #pass(stage: Stage, next: Stage): void {
    next.takeFrom(stage.buffer, stage.ended);
  }

  /** Ends a pause where `continue` was called. */
  #lift(stage: Stage): boolean {
    if (!stage.released) return false;
    stage.released = false;
    stage.paused = Pause.NONE;
    return true;
  }

  /** The message comes to a filter: true where that takes part and has a callback for the part. */
  #shows(station: Station, part: Part): boolean {
    const { context } = station;
    if (context === null || station.skipped) return false;
    context.moment = this.#names.moments[part];
    return (station.interest & (1 << context.moment)) !== 0;
  }

  /** Runs the callback of the moment that `#shows` has set. */
  #ask(station: Station, stage: Stage, size: number, end: boolean): number {
    const { context } = station;
    if (context === null) return Action.CONTINUE;
    station.running = this.side;
    const hadReply = this.#stream.reply !== null;
    try {
      const action = context.instance.askUsual(context, context.moment, size, end ? 1 : 0);
      if (action === Action.CONTINUE) stage.released = false;
      return action;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.#stream.fail(station, error);
      return Action.CONTINUE;
    } finally {
      station.running = null;
      if (!hadReply && this.#stream.reply !== null && this.side === 'response') {
        this.replaced = true;
      }
    }
  }

  /** What a filter holds is bounded. */
  #bound(station: Station, stage: Stage): void {
    if (stage.buffer.size <= limits.filterBodyBytes.value || this.#isOver) return;
    const { vm } = station.binding;
    vm.report(station, 'a filter holds more of a body than it may');
    this.#stream.fail(station, vm.pauseError, this.side === 'request' ? 413 : 502);
  }
}
