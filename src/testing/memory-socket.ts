/** One end of a simulated connection as a stream: all that `node:http` needs of a socket. */
import { Duplex } from 'node:stream';
import type { SimPeer, SimSocket } from '../driver/sim.js';

export class MemorySocket extends Duplex {
  /** What the simulator speaks to. */
  readonly peer: SimPeer = {
    opened: (far) => {
      this.#far = far;
      this.#begin?.();
      this.#begin = null;
    },
    data: (bytes) => {
      // The simulator may use its bytes again.
      this.push(Buffer.from(bytes));
    },
    ended: () => {
      this.#ended = true;
      this.push(null);
    },
    closed: (reset) => this.#end(reset),
  };
  #far: SimSocket | null = null;
  /** What waits for the connection to stand. */
  #begin: (() => void) | null = null;
  #ended = false;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#whenOpen(() => {
      this.#far?.write(Buffer.from(chunk));
      done();
    });
  }

  override _final(done: () => void): void {
    this.#whenOpen(() => {
      this.#far?.end();
      done();
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const far = this.#far;
    this.#far = null;
    if (far?.open) far.reset();
    done(error);
  }

  #end(reset: boolean): void {
    this.#far = null;
    if (this.destroyed) return;
    if (!reset || this.#ended) this.destroy();
    else this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }

  #whenOpen(work: () => void): void {
    if (this.#far || this.destroyed) work();
    else this.#begin = work;
  }
}
