/**
 * A growing block of bytes with 4-byte aligned allocations and interned texts. Texts are "binary
 * strings": one character per UTF-8 byte, so that they sort and compare like the bytes they mean.
 */
export class TableWriter {
  #bytes: Uint8Array;
  #words: Uint32Array;
  #buffer: Buffer;
  #end = 0;
  readonly #texts = new Map<string, number>();
  readonly #padded = new Map<string, number>();

  /** `expectedBytes`: so much is reserved at once. */
  constructor(expectedBytes = 1 << 16) {
    this.#bytes = new Uint8Array((expectedBytes + 3) & ~3);
    this.#words = new Uint32Array(this.#bytes.buffer);
    this.#buffer = Buffer.from(this.#bytes.buffer);
  }

  /** Bytes in use. */
  get size(): number {
    return this.#end;
  }

  /** Offset of `size` zero bytes, 4-byte aligned. */
  allocate(size: number): number {
    const offset = (this.#end + 3) & ~3;
    this.#reserve(offset + size);
    this.#end = offset + size;
    return offset;
  }

  /** Offset of the bytes of a binary string; equal strings share one. */
  text(binary: string): number {
    const known = this.#texts.get(binary);
    if (known !== undefined) return known;
    const offset = this.ownText(binary);
    this.#texts.set(binary, offset);
    return offset;
  }

  /** Offset of the bytes of a binary string that is not expected twice. */
  ownText(binary: string): number {
    const offset = this.#end;
    this.#reserve(offset + binary.length);
    this.#buffer.latin1Write(binary, offset);
    this.#end = offset + binary.length;
    return offset;
  }

  /** Offset of the UTF-8 bytes of a text that is not expected twice; they end at `size`. */
  ownUtf8(text: string): number {
    const offset = this.#end;
    this.#reserve(offset + text.length * 3);
    this.#end = offset + this.#buffer.utf8Write(text, offset);
    return offset;
  }

  /** Offset of the words, 4-byte aligned. */
  words(values: ArrayLike<number>): number {
    const offset = this.allocate(values.length * 4);
    this.#words.set(values, offset >> 2);
    return offset;
  }

  /**
   * Offset of the bytes, 4-byte aligned, followed by zeros up to a multiple of `padding`. Equal
   * ones share a place, so that what many nodes of a table name alike stays in the cache.
   */
  padded(bytes: ArrayLike<number>, padding: number): number {
    const key = String.fromCharCode(...Array.from(bytes));
    const known = this.#padded.get(key);
    if (known !== undefined) return known;
    const offset = this.allocate(Math.ceil(bytes.length / padding) * padding);
    this.#bytes.set(bytes, offset);
    this.#padded.set(key, offset);
    return offset;
  }

  /** Offset of the bytes, 4-byte aligned. */
  block(bytes: Uint8Array): number {
    const offset = this.allocate(bytes.length);
    this.#bytes.set(bytes, offset);
    return offset;
  }

  /** Copies bytes to a place that was allocated. */
  copy(offset: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, offset);
  }

  /** Stores a word at a 4-byte aligned offset. */
  set(offset: number, value: number): void {
    this.#words[offset >> 2] = value;
  }

  /** A view of what was written; the writer must not be used afterwards. */
  finish(): Uint8Array {
    this.allocate(0);
    return this.#bytes.subarray(0, this.#end);
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    let capacity = this.#bytes.length * 2;
    while (capacity < size) capacity *= 2;
    const larger = new Uint8Array(capacity);
    larger.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = larger;
    this.#words = new Uint32Array(larger.buffer);
    this.#buffer = Buffer.from(larger.buffer);
  }
}

/** A list of words that grows without boxing: arrays of records are collected in these. */
export class WordList {
  #words = new Uint32Array(1024);
  length = 0;

  push(...values: number[]): void {
    if (this.length + values.length > this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2 + values.length);
      larger.set(this.#words.subarray(0, this.length));
      this.#words = larger;
    }
    for (const value of values) this.#words[this.length++] = value;
  }

  get(index: number): number {
    return this.#words[index];
  }

  set(index: number, value: number): void {
    this.#words[index] = value;
  }

  view(): Uint32Array {
    return this.#words.subarray(0, this.length);
  }
}

/** The UTF-8 bytes of a text as a binary string. */
export function binary(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 127) return Buffer.from(text, 'utf8').toString('latin1');
  }
  return text;
}
