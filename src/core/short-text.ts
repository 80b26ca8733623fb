/**
 * Short texts out of memory. Making a string costs a call of the engine; what requests carry is
 * often the same as a moment ago (names of fields, hosts, content types), so the last texts are
 * remembered by their bytes.
 */

/** Longer texts are seldom the same twice. */
const longest = 48;
const places = 512;

/** Memory as bytes, and the same as a Buffer. */
export interface TextSource {
  readonly u8: Uint8Array;
  readonly buffer: { latin1Slice(start: number, end: number): string };
}

export class ShortTexts {
  readonly #texts: string[] = new Array<string>(places).fill('');
  /** By place: a text, and that text in lower case. */
  readonly #given: string[] = new Array<string>(places).fill('');
  readonly #lower: string[] = new Array<string>(places).fill('');

  /** The Latin-1 text of `length` bytes at `at`. */
  read({ u8, buffer }: TextSource, at: number, length: number): string {
    if (length > longest) return buffer.latin1Slice(at, at + length);
    if (length === 0) return '';
    const place = placeOf(u8, at, length);
    const known = this.#texts[place];
    if (known.length === length) {
      let i = 0;
      while (i < length && known.charCodeAt(i) === u8[at + i]) i++;
      if (i === length) return known;
    }
    const text = buffer.latin1Slice(at, at + length);
    this.#texts[place] = text;
    return text;
  }

  /** The same in lower case. */
  readLower(source: TextSource, at: number, length: number): string {
    const text = this.read(source, at, length);
    if (length > longest || length === 0) return text.toLowerCase();
    const place = placeOf(source.u8, at, length);
    if (this.#given[place] !== text) {
      this.#given[place] = text;
      this.#lower[place] = text.toLowerCase();
    }
    return this.#lower[place];
  }
}

/** By the first and the last byte, and the length. */
const placeOf = (u8: Uint8Array, at: number, length: number): number =>
  (Math.imul(u8[at] + (u8[at + length - 1] << 8), 0x9e3779b1) >>> 23) ^ length;
