/** Bytes of a body between the plugins that made them and the core that pulls them. */
export class BodyQueue {
  #parts: Uint8Array[] = [];
  /** Where the next byte is: index of the part, offset in it. */
  #part = 0;
  #offset = 0;
  #waiting = 0;
  #total = 0;
  #ended = false;
  #trailers = '';
  /** Keeps what was taken, so that it can be taken again. */
  keeps = false;

  /** Bytes not taken yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Bytes ever put in. */
  get total(): number {
    return this.#total;
  }

  /** No byte comes behind those that wait. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Lines of a trailer section, each with its line end; sent where the body goes in chunks. */
  get trailers(): string {
    return this.#trailers;
  }

  /** Of all of it; -1 where that is not known, or the body must go in chunks. */
  get length(): number {
    return this.#ended && this.#trailers === '' ? this.#total : -1;
  }

  get drained(): boolean {
    return this.#ended && this.#waiting === 0;
  }

  /** The bytes must not be written to afterwards. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#ended) return;
    this.#parts.push(bytes);
    this.#waiting += bytes.length;
    this.#total += bytes.length;
  }

  end(trailers = ''): void {
    this.#ended = true;
    this.#trailers = trailers;
  }

  /** Copies up to `max` bytes to `into` at `at`; returns their number. */
  take(into: Uint8Array, at: number, max: number): number {
    let filled = 0;
    while (filled < max && this.#part < this.#parts.length) {
      const part = this.#parts[this.#part];
      const size = Math.min(part.length - this.#offset, max - filled);
      const isWhole = size === part.length;
      into.set(isWhole ? part : part.subarray(this.#offset, this.#offset + size), at + filled);
      filled += size;
      this.#offset += size;
      if (this.#offset < part.length) break;
      this.#offset = 0;
      if (this.keeps) this.#part++;
      else this.#parts.shift();
    }
    this.#waiting -= filled;
    return filled;
  }

  /** From the start again; only where everything was kept. */
  rewind(): void {
    this.#part = this.#offset = 0;
    this.#waiting = this.#total;
  }

  /** Everything that was put in, in one piece. */
  all(): Uint8Array {
    return this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
  }

  clear(): void {
    if (this.#parts.length > 0) this.#parts = [];
    this.#part = this.#offset = this.#waiting = this.#total = 0;
    this.#trailers = '';
    this.#ended = this.keeps = false;
  }
}
