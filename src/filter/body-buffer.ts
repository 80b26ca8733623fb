/**
 * Bytes of a body that one filter holds: appended as they come, changed at any place. A single
 * piece stays where it is as long as nothing is changed, and goes on as it came.
 */
import { copyOf } from '../core/short-copy.js';

const noBytes = new Uint8Array(0);
/** A buffer that is empty keeps no larger memory. */
const keptBytes = 65536;

export class BodyBuffer {
  size = 0;
  /** The first `size` of these; not to be written to unless they are `#own`. */
  bytes: Uint8Array = noBytes;
  #own = noBytes;

  /** The bytes must not change afterwards. */
  append(bytes: Uint8Array): void {
    if (this.size === 0) {
      this.bytes = bytes;
      this.size = bytes.length;
      return;
    }
    this.#reserve(this.size + bytes.length);
    this.#own.set(bytes, this.size);
    this.size += bytes.length;
  }

  /** Replaces [start, start + size), cut to what is there, by other bytes. */
  splice(start: number, size: number, value: Uint8Array): void {
    const from = Math.min(start, this.size);
    const to = Math.min(from + size, this.size);
    const rest = this.size - to;
    const end = from + value.length;
    this.#reserve(end + rest);
    this.#own.copyWithin(end, to, to + rest);
    this.#own.set(value, from);
    this.size = end + rest;
  }

  /** Hands over what is there, which nobody will write to, and is empty then. */
  take(): Uint8Array {
    const { bytes, size } = this;
    const isWhole = bytes !== this.#own && bytes.length === size;
    const taken = isWhole ? bytes : copyOf(bytes, 0, size);
    this.clear();
    return taken;
  }

  /** Moves everything behind what another buffer has. */
  moveTo(next: BodyBuffer): void {
    if (this.size === 0) return;
    if (this.bytes !== this.#own || next.size > 0) {
      next.append(this.bytes.length === this.size ? this.bytes : this.bytes.subarray(0, this.size));
    } else {
      const spare = next.#own;
      next.#own = next.bytes = this.#own;
      next.size = this.size;
      this.#own = this.bytes = spare;
    }
    this.clear();
  }

  clear(): void {
    this.size = 0;
    if (this.#own.length > keptBytes) this.#own = noBytes;
    this.bytes = this.#own;
  }

  /** Makes the bytes our own, with room for so many. */
  #reserve(size: number): void {
    if (this.bytes === this.#own && size <= this.#own.length) return;
    let own = this.#own;
    if (size > own.length) own = new Uint8Array(Math.max(size, 2 * this.bytes.length, 256));
    own.set(this.size === this.bytes.length ? this.bytes : this.bytes.subarray(0, this.size));
    this.#own = this.bytes = own;
  }
}
