/**
 * First-in first-out storage of stand-alone queues: texts and bytes lie in the memory of a small
 * Wasm module (the ring code of the core), where the collector has nothing to trace; other values
 * are kept by reference. An empty ring holds no memory, and what a large one used is given back.
 *
 *   entry   +0 arrival in ms (f64)   +8 kind (u32)   +12 size (u32)   +16 bytes
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { limits } from '../limits.js';

interface RingExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  ring_open(ring: number, maxEntries: number, maxBytes: number): number;
  ring_reserve(ring: number, size: number): number;
  ring_commit(ring: number, size: number): void;
  ring_first(ring: number): number;
  ring_next(ring: number, entry: number): number;
  ring_release(ring: number, count: number): void;
}

/** One instance of the module; growth detaches views, so they are looked up before each use. */
class RingModule {
  readonly exports: RingExports;
  #buffer: Buffer;

  constructor() {
    compiled ??= new WebAssembly.Module(readFileSync(modulePath));
    this.exports = new WebAssembly.Instance(compiled).exports as unknown as RingExports;
    this.exports.ring_open(0, 0xffffffff, 0);
    this.#buffer = Buffer.from(this.exports.memory.buffer);
  }

  get buffer(): Buffer {
    const { buffer } = this.exports.memory;
    if (this.#buffer.buffer !== buffer) this.#buffer = Buffer.from(buffer);
    return this.#buffer;
  }
}

const modulePath = fileURLToPath(new URL('../../build/queue.wasm', import.meta.url));
let compiled: WebAssembly.Module | undefined;
/** Empty instances for the next ring: Kong's queues live only while something waits. */
const spare: RingModule[] = [];
const spareMax = 16;
/** An instance that grew beyond this is forgotten when it is empty: Wasm memory never shrinks. */
const keptBytesMax = 1024 * 1024;

const headBytes = 16;
const payloadBytesMax = limits.ringEntryBytes.value - headBytes;
const Kind = { ASCII: 0, UTF8: 1, BYTES: 2, REFERENCE: 3 } as const;

export class EntryRing<T> {
  #module: RingModule | null = null;
  #count = 0;
  #bytes = 0;
  /** Values kept by reference, oldest first; the slots before `#front` are cut off now and then. */
  #references: T[] = [];
  #front = 0;

  /** Entries waiting. */
  get count(): number {
    return this.#count;
  }

  /** Sum of the sizes given to `append`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Arrival of the oldest entry, null: none waits. */
  get oldestMs(): number | null {
    if (!this.#module || this.#count === 0) return null;
    const { exports, buffer } = this.#module;
    return buffer.readDoubleLE(exports.ring_first(0) + 4);
  }

  /** Bytes of linear memory held now; 0 while nothing waits. */
  get memoryBytes(): number {
    return this.#module?.exports.memory.buffer.byteLength ?? 0;
  }

  /**
   * Appends an entry; `size` is what it counts for (of a text, its UTF-8 bytes).
   * @returns false where the memory has reached its 4 GiB: make room and try again
   */
  append(entry: T, size: number, atMs: number): boolean {
    this.#module ??= spare.pop() ?? new RingModule();
    if (typeof entry === 'string' && size <= payloadBytesMax && isUtf8(entry, size)) {
      const kind = size === entry.length ? Kind.ASCII : Kind.UTF8;
      const at = this.#reserve(size, kind, size, atMs);
      if (at === 0) return false;
      const { buffer } = this.#module;
      if (kind === Kind.ASCII) buffer.latin1Write(entry, at, size);
      else buffer.utf8Write(entry, at, size);
      return this.#commit(size, size);
    }
    if (entry instanceof Uint8Array && entry.byteLength <= payloadBytesMax) {
      const at = this.#reserve(entry.byteLength, Kind.BYTES, size, atMs);
      if (at === 0) return false;
      this.#module.buffer.set(entry, at);
      return this.#commit(entry.byteLength, size);
    }
    if (this.#reserve(0, Kind.REFERENCE, size, atMs) === 0) return false;
    this.#references.push(entry);
    return this.#commit(0, size);
  }

  /** Removes up to `max` of the oldest entries and returns them, oldest first. */
  take(max: number): T[] {
    if (!this.#module) return [];
    const { exports, buffer } = this.#module;
    const taken: T[] = [];
    for (let at = exports.ring_first(0); at !== 0 && taken.length < max; ) {
      taken.push(this.#read(buffer, at));
      this.#bytes -= buffer.readUInt32LE(at + 16);
      at = exports.ring_next(0, at);
    }
    this.#remove(taken.length);
    return taken;
  }

  /** Removes the oldest entry without looking at it, in constant time. */
  dropOldest(): void {
    if (!this.#module || this.#count === 0) return;
    const { exports, buffer } = this.#module;
    const at = exports.ring_first(0);
    if (buffer.readUInt32LE(at + 12) === Kind.REFERENCE) this.#nextReference();
    this.#bytes -= buffer.readUInt32LE(at + 16);
    this.#remove(1);
  }

  /** Where `payload` bytes may be written, 0: the memory has reached its limit. */
  #reserve(payload: number, kind: number, size: number, atMs: number): number {
    const module = this.#module as RingModule;
    const at = module.exports.ring_reserve(0, headBytes + payload) >>> 0;
    if (at === 0) return 0;
    const { buffer } = module;
    buffer.writeDoubleLE(atMs, at);
    buffer.writeUInt32LE(kind, at + 8);
    buffer.writeUInt32LE(size, at + 12);
    return at + headBytes;
  }

  #commit(payload: number, size: number): true {
    this.#module?.exports.ring_commit(0, headBytes + payload);
    this.#count++;
    this.#bytes += size;
    return true;
  }

  /** `at` points to the entry's size word, as everything the module returns for reading. */
  #read(buffer: Buffer, at: number): T {
    const from = at + 4 + headBytes;
    const end = at + 4 + buffer.readUInt32LE(at);
    const kind = buffer.readUInt32LE(at + 12);
    if (kind === Kind.REFERENCE) return this.#nextReference();
    if (kind === Kind.ASCII) return buffer.latin1Slice(from, end) as T;
    if (kind === Kind.UTF8) return buffer.utf8Slice(from, end) as T;
    return Buffer.from(buffer.subarray(from, end)) as T;
  }

  #nextReference(): T {
    const references = this.#references;
    const entry = references[this.#front];
    references[this.#front++] = undefined as T;
    if (this.#front === references.length || this.#front * 2 > Math.max(2048, references.length)) {
      this.#references = references.slice(this.#front);
      this.#front = 0;
    }
    return entry;
  }

  #remove(count: number): void {
    const module = this.#module as RingModule;
    module.exports.ring_release(0, count);
    this.#count -= count;
    if (this.#count > 0) return;
    this.#module = null;
    const { byteLength } = module.exports.memory.buffer;
    if (byteLength <= keptBytesMax && spare.length < spareMax) spare.push(module);
  }
}

/** False where UTF-8 would lose something: half surrogate pairs. */
function isUtf8(text: string, size: number): boolean {
  return size === text.length || text.isWellFormed();
}
