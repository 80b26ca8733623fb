/**
 * The memory of one filter instance. Every pointer that a filter passes is checked here before
 * anything is read or written; numbers arrive signed and sums are made in doubles. Views are taken
 * anew when the memory has grown, which may happen in any call into the module: growth leaves the
 * old ones empty, so that nothing lies inside them.
 */
import type { ForeignMemory } from '../core/foreign-module.js';
import { Status } from './abi.js';

const noBytes = new Uint8Array(0);

export class GuestMemory {
  u8: Uint8Array = noBytes;
  /** The same bytes. */
  buffer = Buffer.from(noBytes.buffer);
  #view = new DataView(noBytes.buffer);
  #buffer: ArrayBuffer = noBytes.buffer;
  #memory: ForeignMemory | null = null;
  #allocate: ((size: number) => number) | null = null;
  /** Told of copies above `largeBytes`. */
  onLarge: ((bytes: number) => void) | null = null;

  /** Before this the start section may already call host functions: every range is invalid then. */
  attach(memory: ForeignMemory, allocate: (size: number) => number): void {
    this.#memory = memory;
    this.#allocate = allocate;
    this.refresh();
  }

  refresh(): void {
    const buffer = this.#memory?.buffer;
    if (buffer === undefined || buffer === this.#buffer) return;
    this.#buffer = buffer;
    this.u8 = new Uint8Array(buffer);
    this.buffer = Buffer.from(buffer);
    this.#view = new DataView(buffer);
  }

  get size(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  /** True where [pointer, pointer + length) lies inside; the views can be used then. */
  holds(pointer: number, length: number): boolean {
    const end = (pointer >>> 0) + (length >>> 0);
    const known = this.u8.length;
    // Asking for the memory's buffer costs more than the rest of this.
    if (end <= known && known > 0) return true;
    this.refresh();
    return end <= this.u8.length;
  }

  /** A view of a range that `holds` allowed; valid until the module runs again. */
  range(pointer: number, length: number): Uint8Array {
    const start = pointer >>> 0;
    return this.u8.subarray(start, start + (length >>> 0));
  }

  /** A copy of a range that `holds` allowed. */
  copy(pointer: number, length: number): Uint8Array {
    if (length >>> 0 > largeBytes) this.onLarge?.(length >>> 0);
    const start = pointer >>> 0;
    return this.u8.slice(start, start + (length >>> 0));
  }

  /** Bytes as text with one character each (latin1). */
  latin1(pointer: number, length: number): string {
    const start = pointer >>> 0;
    return this.buffer.latin1Slice(start, start + (length >>> 0));
  }

  utf8(pointer: number, length: number): string {
    const start = pointer >>> 0;
    return this.buffer.toString('utf8', start, start + (length >>> 0));
  }

  readU32(pointer: number): number {
    return this.#view.getUint32(pointer >>> 0, true);
  }

  putU32(pointer: number, value: number): void {
    this.#view.setUint32(pointer >>> 0, value, true);
  }

  putU64(pointer: number, value: bigint): void {
    this.#view.setBigUint64(pointer >>> 0, BigInt.asUintN(64, value), true);
  }

  putU8(pointer: number, value: number): void {
    this.u8[pointer >>> 0] = value;
  }

  /** The module's allocator; 0 where it has none yet or refuses. Traps pass through. */
  allocate(size: number): number {
    return this.#allocate ? this.#allocate(size) >>> 0 : 0;
  }

  /**
   * Hands bytes over to the module: a block of its own for each value, its address written before
   * anything else is allocated, because collectors see only pointers that are in memory.
   * Nothing to hand over is pointer 0, size 0.
   */
  give(from: Uint8Array, start: number, size: number, dataOut: number, sizeOut: number): number {
    if (!this.holds(dataOut, 4) || !this.holds(sizeOut, 4)) return Status.INVALID_MEMORY_ACCESS;
    let pointer = 0;
    if (size > 0) {
      pointer = this.allocate(size);
      if (pointer === 0) return Status.INTERNAL_FAILURE;
      if (!this.holds(pointer, size)) return Status.INVALID_MEMORY_ACCESS;
      this.write(pointer, from, start, size);
    }
    this.putU32(dataOut, pointer);
    this.putU32(sizeOut, size);
    return Status.OK;
  }

  giveAll(from: Uint8Array, dataOut: number, sizeOut: number): number {
    return this.give(from, 0, from.length, dataOut, sizeOut);
  }

  /** Copies bytes to a range that `holds` allowed. */
  write(pointer: number, from: Uint8Array, start: number, size: number): void {
    const { u8 } = this;
    // A view costs more than copying a header value byte by byte.
    if (size > largeBytes) this.onLarge?.(size);
    if (size > smallCopyBytes) u8.set(from.subarray(start, start + size), pointer);
    else for (let i = 0; i < size; i++) u8[pointer + i] = from[start + i];
  }
}

const smallCopyBytes = 48;
const largeBytes = 4096;
