/**
 * Edits of one list in the form in which the core reads them, in the order they were made: what
 * filters write are bytes already, and need not become texts on their way.
 */
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { EditList } from './exchange-edits.js';
import type { Core } from './instance.js';
import { Control, Edit, Region } from './layout.js';
import { ShortTexts } from './short-text.js';

const countAt = (Region.control.offset + Control.editCount) >> 2;
/** Lists that were no longer keep their memory for the next exchange. */
const keptBytes = 1024;
/** Fewer words are copied one by one: a view costs more. */
const fewWords = 64;
const opAt = Edit.op >> 2;
const nameLengthAt = Edit.nameLength >> 2;
const valueLengthAt = Edit.valueLength >> 2;
/** Of all lists of this event loop. */
const texts = new ShortTexts();

export class EditBytes {
  count = 0;
  /** Bytes of the records, a multiple of 4. */
  size = 0;
  /** The records. */
  u8 = new Uint8Array(keptBytes);
  buffer = Buffer.from(this.u8.buffer);
  private u32 = new Uint32Array(this.u8.buffer);
  /** By edit: where its record begins. */
  private readonly starts: number[] = [];

  /** `name` and `value` are offsets in `from`. */
  push(
    op: number,
    from: Uint8Array,
    name: number,
    nameLength: number,
    value: number,
    valueLength: number,
  ): void {
    const at = this.begin(op, nameLength, valueLength);
    const { u8 } = this;
    for (let i = 0; i < nameLength; i++) u8[at + i] = from[name + i];
    const valueAt = at + nameLength;
    if (valueLength > fewWords) u8.set(from.subarray(value, value + valueLength), valueAt);
    else for (let i = 0; i < valueLength; i++) u8[valueAt + i] = from[value + i];
  }

  /** Of latin1 text. */
  pushText(op: number, name: string, value: string): void {
    const at = this.begin(op, name.length, value.length);
    this.buffer.latin1Write(name, at);
    this.buffer.latin1Write(value, at + name.length);
  }

  clear(): void {
    this.count = this.size = 0;
    if (this.u8.length > keptBytes) this.grow(keptBytes);
  }

  op(index: number): number {
    return this.u32[(this.starts[index] >> 2) + opAt];
  }

  /** Views, valid until the next edit is made. */
  name(index: number): Uint8Array {
    const at = this.starts[index];
    const from = at + Edit.size;
    return this.u8.subarray(from, from + this.u32[(at >> 2) + nameLengthAt]);
  }

  value(index: number): Uint8Array {
    const word = this.starts[index] >> 2;
    const from = this.starts[index] + Edit.size + this.u32[word + nameLengthAt];
    return this.u8.subarray(from, from + this.u32[word + valueLengthAt]);
  }

  /** The last edit that has this name in any case, -1: there is none. */
  lastOf(name: Uint8Array, at: number, length: number): number {
    for (let i = this.count - 1; i >= 0; i--) {
      const start = this.starts[i];
      if (this.u32[(start >> 2) + nameLengthAt] !== length) continue;
      const from = start + Edit.size;
      let left = length;
      while (left > 0 && isSame(this.u8[from + left - 1], name[at + left - 1])) left--;
      if (left === 0) return i;
    }
    return -1;
  }

  /** Hands all of them over as texts. */
  appendTo(list: EditList): void {
    for (let i = 0; i < this.count; i++) {
      const word = this.starts[i] >> 2;
      const nameLength = this.u32[word + nameLengthAt];
      const valueLength = this.u32[word + valueLengthAt];
      const at = this.starts[i] + Edit.size;
      const name = texts.read(this, at, nameLength);
      list.push(this.u32[word + opAt], name, texts.read(this, at + nameLength, valueLength));
    }
  }

  /**
   * Puts them into the edits region and their number into Control.
   * @throws GatewayError GW_E_REPLY_TOO_LARGE above limits.editBytes; nothing is left to apply then
   */
  writeTo(core: Core): void {
    const { u8, u32 } = core;
    u32[countAt] = 0;
    if (this.count === 0) return;
    const limit = limits.editBytes.value;
    if (this.size > limit) {
      throw new GatewayError('GW_E_REPLY_TOO_LARGE', `edits exceed ${limit} bytes`);
    }
    const words = this.size >> 2;
    const from = Region.edits.offset >> 2;
    if (words > fewWords) u8.set(this.u8.subarray(0, this.size), Region.edits.offset);
    else for (let i = 0; i < words; i++) u32[from + i] = this.u32[i];
    u32[countAt] = this.count;
  }

  /** Writes the record's head; returns where the name goes. */
  private begin(op: number, nameLength: number, valueLength: number): number {
    const start = this.size;
    const end = (start + Edit.size + nameLength + valueLength + 3) & ~3;
    if (end > this.u8.length) this.grow(2 * end);
    const word = start >> 2;
    this.u32[word + opAt] = op;
    this.u32[word + nameLengthAt] = nameLength;
    this.u32[word + valueLengthAt] = valueLength;
    this.starts[this.count++] = start;
    this.size = end;
    return start + Edit.size;
  }

  private grow(bytes: number): void {
    const grown = new Uint8Array((bytes + 3) & ~3);
    grown.set(this.u8.subarray(0, Math.min(this.size, bytes)));
    this.u8 = grown;
    this.u32 = new Uint32Array(grown.buffer);
    this.buffer = Buffer.from(grown.buffer);
  }
}

const isSame = (a: number, b: number): boolean => a === b || lower(a) === lower(b);

const lower = (code: number): number => (code >= 65 && code <= 90 ? code + 32 : code);
