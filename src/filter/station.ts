/** One filter's place in the chain of an exchange: what it has been shown in each direction. */
import { BodyBuffer } from './body-buffer.js';
import type { Context } from './context.js';
import { usualNames } from './usual-callbacks.js';
import type { FilterBinding } from './vm.js';

export type Side = 'request' | 'response';

/** At which stage a filter has stopped a message. */
export const Pause = { NONE: 0, HEADERS: 1, BODY: 2, TRAILERS: 3 } as const;
export type Pause = (typeof Pause)[keyof typeof Pause];

/** What has come to one place of one direction, and what has gone on from there. */
export class Stage {
  readonly buffer = new BodyBuffer();
  headersIn = false;
  headersShown = false;
  headersPassed = false;
  /** The message has no body. */
  endOfStream = false;
  /** Bytes, or the end, that the filter has not been shown. */
  fresh = false;
  /** Everything has come in. */
  ended = false;
  trailersIn = false;
  trailersShown = false;
  trailersPassed = false;
  paused: Pause = Pause.NONE;
  /** `continue` was called since the stop. */
  released = false;

  reset(): void {
    // Nothing has come here, and nothing can have been released.
    if (!this.headersIn && !this.released) return;
    this.buffer.clear();
    this.headersIn = false;
    this.headersShown = false;
    this.headersPassed = false;
    this.endOfStream = false;
    this.fresh = false;
    this.ended = false;
    this.trailersIn = false;
    this.trailersShown = false;
    this.trailersPassed = false;
    this.paused = Pause.NONE;
    this.released = false;
  }

  /** Takes bytes in, which must not change; `end`: no more will come, trailers included. */
  take(bytes: Uint8Array, end: boolean): void {
    if (bytes.length > 0) this.buffer.append(bytes);
    this.#note(bytes.length, end);
  }

  /** The same with all bytes of the place before. */
  takeFrom(buffer: BodyBuffer, end: boolean): void {
    const { size } = buffer;
    buffer.moveTo(this.buffer);
    this.#note(size, end);
  }

  #note(size: number, end: boolean): void {
    if (size > 0 || (end && !this.ended)) this.fresh = true;
    this.ended ||= end;
  }
}

/** Part of a message. */
export const Part = { HEADERS: 0, BODY: 1, TRAILERS: 2 } as const;
export type Part = (typeof Part)[keyof typeof Part];

export class Station {
  readonly binding: FilterBinding;
  /** A bit for each usual callback that the module has, by its number. */
  readonly interest: number;
  readonly request = new Stage();
  readonly response = new Stage();
  context: Context | null = null;
  /** The request came here: the filter takes part in the exchange. */
  reached = false;
  /** It failed and is left out, or cannot be had. */
  skipped = false;
  /** The side whose callback is running. */
  running: Side | null = null;

  constructor(binding: FilterBinding) {
    this.binding = binding;
    const { callbacks } = binding.vm.options.module;
    let interest = 0;
    for (const [number, name] of usualNames.entries()) {
      if (name !== null && callbacks.has(name)) interest |= 1 << number;
    }
    this.interest = interest;
  }

  reset(): void {
    this.request.reset();
    this.response.reset();
    this.context = null;
    this.reached = false;
    this.skipped = false;
    this.running = null;
  }
}
