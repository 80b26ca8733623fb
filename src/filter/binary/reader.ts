/** Walks the bytes of a Wasm module: sections, numbers in LEB128, names. */

export const magic = 0x6d736100;
export const SectionId = { TYPE: 1, IMPORT: 2, FUNCTION: 3, MEMORY: 5, GLOBAL: 6, EXPORT: 7 };
export const CODE_SECTION = 10;

export interface Section {
  readonly id: number;
  /** Offset of the section's id byte. */
  readonly start: number;
  /** Offsets of the contents. */
  readonly body: number;
  readonly end: number;
}

export class BinaryReader {
  offset: number;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes;
    this.offset = offset;
  }

  byte(): number {
    if (this.offset >= this.bytes.length) throw new RangeError('the module ends early');
    return this.bytes[this.offset++];
  }

  word(): number {
    return (this.byte() | (this.byte() << 8) | (this.byte() << 16) | (this.byte() << 24)) >>> 0;
  }

  /** Unsigned LEB128 of at most 64 bits; exact up to 2^53. */
  unsigned(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw new RangeError('a number is too long');
  }

  /** Skips one LEB128 number of either kind. */
  skipNumber(): void {
    while (this.byte() >= 128);
  }

  skip(count: number): void {
    this.offset += count;
    if (this.offset > this.bytes.length) throw new RangeError('the module ends early');
  }

  text(): string {
    const size = this.unsigned();
    const start = this.offset;
    this.skip(size);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, size).toString();
  }
}

/** The sections of a module, in order. @throws RangeError for damaged bytes */
export function sectionsOf(bytes: Uint8Array): Section[] {
  const reader = new BinaryReader(bytes, 8);
  const sections: Section[] = [];
  while (reader.offset < bytes.length) {
    const start = reader.offset;
    const id = reader.byte();
    const size = reader.unsigned();
    const body = reader.offset;
    reader.skip(size);
    sections.push({ id, start, body, end: body + size });
  }
  return sections;
}

/** Appends unsigned LEB128. */
export function pushUnsigned(into: number[], value: number): void {
  let rest = value;
  while (rest > 127) {
    into.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  into.push(rest);
}
