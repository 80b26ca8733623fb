/** Bytes of a body that one filter holds: appended as they come, changed at any place. */

const noBytes = new Uint8Array(0);
/** A buffer that is empty keeps no larger memory. */
const keptBytes = 65536;

export class BodyBuffer {
  size = 0;
  #bytes = noBytes;

  append(bytes: Uint8Array): void {
    this.#reserve(this.size + bytes.length);
    this.#bytes.set(bytes, this.size);
    this.size += bytes.length;
  }

  /** What is there, valid until the next change. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.size);
  }

  /** Replaces [start, start + size), cut to what is there, by other bytes. */
  splice(start: number, size: number, value: Uint8Array): void {
    const from = Math.min(start, this.size);
    const to = Math.min(from + size, this.size);
    const rest = this.size - to;
    const end = from + value.length;
    this.#reserve(end + rest);
    this.#bytes.copyWithin(end, to, to + rest);
    this.#bytes.set(value, from);
    this.size = end + rest;
  }

  clear(): void {
    this.size = 0;
    if (this.#bytes.length > keptBytes) this.#bytes = noBytes;
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(size, 2 * this.#bytes.length, 256));
    grown.set(this.#bytes.subarray(0, this.size));
    this.#bytes = grown;
  }
}
