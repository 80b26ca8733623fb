/**
 * One direction of a simulated connection. Bytes wait on the wire until the reader takes them, in
 * pieces and at times that the seed decides; the wire holds only so much, the rest waits with the
 * writer, as it would behind a full socket buffer.
 */
import type { World } from './sim-world.js';

/** How bytes are cut: as one piece, at random places, or one by one. */
export type Cut = 'whole' | 'random' | 'bytes' | ((available: number) => number);

export interface PipeOptions {
  readonly cut: Cut;
  /** Longest wait before a piece arrives, in milliseconds. */
  readonly delayMsMax: number;
  /** Bytes on the wire; what exceeds them waits with the writer. */
  readonly capacityBytes: number;
  /** Longest piece. */
  readonly pieceBytesMax: number;
}

export interface PipeReader {
  /** False: not now; `wake` is called when that changes. */
  ready(): boolean;
  take(bytes: Buffer): void;
  /** The writer's FIN, after its last byte. */
  finish(): void;
}

export class Pipe {
  readonly #world: World;
  readonly #options: PipeOptions;
  readonly #reader: PipeReader;
  #wire: Buffer[] = [];
  #wireBytes = 0;
  #waiting: Buffer[] = [];
  waitingBytes = 0;
  #ended = false;
  #finished = false;
  #broken = false;
  #scheduled = false;
  /** Called when everything that waited has gone onto the wire. */
  onDrain: () => void = () => {};

  constructor(world: World, options: PipeOptions, reader: PipeReader) {
    this.#world = world;
    this.#options = options;
    this.#reader = reader;
  }

  get finished(): boolean {
    return this.#finished;
  }

  write(bytes: Buffer): void {
    if (this.#ended || this.#broken || bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.waitingBytes += bytes.length;
    this.#fill();
    this.wake();
  }

  end(): void {
    this.#ended = true;
    this.wake();
  }

  /** A reset: what has not arrived never will. */
  cut(): void {
    this.#broken = true;
    this.#wire = [];
    this.#waiting = [];
    this.#wireBytes = this.waitingBytes = 0;
  }

  /** Looks again, a random while later. */
  wake(): void {
    if (this.#scheduled || this.#broken || this.#finished) return;
    if (this.#wireBytes === 0 && !this.#ended) return;
    this.#scheduled = true;
    const delay = this.#world.random.next() * this.#options.delayMsMax;
    this.#world.setTimeout(() => this.#deliver(), delay);
  }

  #deliver(): void {
    this.#scheduled = false;
    if (this.#broken || this.#finished || !this.#reader.ready()) return;
    if (this.#wireBytes > 0) {
      const piece = this.#cutPiece();
      this.#fill();
      this.#reader.take(piece);
      if (this.waitingBytes === 0) this.onDrain();
    } else if (this.#ended) {
      this.#finished = true;
      this.#reader.finish();
    }
    this.wake();
  }

  #fill(): void {
    while (this.#waiting.length > 0 && this.#wireBytes < this.#options.capacityBytes) {
      const [first] = this.#waiting;
      const room = this.#options.capacityBytes - this.#wireBytes;
      const moved = first.length <= room ? first : first.subarray(0, room);
      if (moved === first) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(room);
      this.#wire.push(moved);
      this.#wireBytes += moved.length;
      this.waitingBytes -= moved.length;
    }
  }

  #cutPiece(): Buffer {
    const { cut, pieceBytesMax } = this.#options;
    const available = Math.min(this.#wireBytes, pieceBytesMax);
    let size = available;
    if (cut === 'bytes') size = 1;
    else if (cut === 'random') size = this.#world.random.between(1, available);
    else if (typeof cut === 'function') size = Math.max(1, Math.min(available, cut(available)));
    const all = this.#wire.length === 1 ? this.#wire[0] : Buffer.concat(this.#wire);
    this.#wire = size < all.length ? [all.subarray(size)] : [];
    this.#wireBytes -= size;
    return all.subarray(0, size);
  }
}
