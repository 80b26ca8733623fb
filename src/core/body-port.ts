/**
 * The shell's end of bodies that go through it: bytes that the core shows in a body phase, and
 * those that it takes in a pull.
 */
import { limits } from '../limits.js';
import type { BodyQueue } from '../plugin/body-queue.js';
import type { Core } from './instance.js';
import { BodyFlag, PhaseView, Region } from './layout.js';
import { copyOf } from './short-copy.js';

const word = (field: number): number => (Region.phaseView.offset + field) >> 2;

export class BodyPort {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** A copy of the bytes that the core shows. */
  chunk(): Uint8Array {
    const { u8, u32 } = this.#core;
    const from = u32[word(PhaseView.body)];
    return copyOf(u8, from, u32[word(PhaseView.bodyBytes)]);
  }

  /** Octets of the trailer section that came with these bytes, its last line end included. */
  trailers(): string {
    const { u32, buffer } = this.#core;
    const size = u32[word(PhaseView.trailerBytes)];
    if (size === 0) return '';
    const from = u32[word(PhaseView.trailers)];
    return buffer.latin1Slice(from, from + size);
  }

  /** These bytes are the last; for a head: no body follows. */
  get last(): boolean {
    return (this.#core.u32[word(PhaseView.bodyFlags)] & BodyFlag.END) !== 0;
  }

  /** The pull wants the body from its start. */
  get restart(): boolean {
    return (this.#core.u32[word(PhaseView.bodyFlags)] & BodyFlag.RESTART) !== 0;
  }

  /** Tells the core the length of the shell's body, -1 where it is not known. */
  promise(length: number): void {
    this.#core.f64[(Region.phaseView.offset + PhaseView.outLength) >> 3] = length;
  }

  /** Moves what a pull takes at most from the queue to the core, behind the last of it trailers. */
  give(queue: BodyQueue): void {
    const at = Region.reply.offset;
    const { u8, u32, buffer } = this.#core;
    const bytes = queue.take(u8, at, limits.pullBytes.value);
    u32[word(PhaseView.outBytes)] = bytes;
    if (queue.trailers === '' || !queue.drained) return;
    const size = buffer.latin1Write(queue.trailers, at + bytes, limits.trailerBytes.value);
    u32[word(PhaseView.outTrailerBytes)] = size;
  }
}
