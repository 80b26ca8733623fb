/**
 * The fields of one head where they lie, looked up by bytes: neither strings nor objects are made.
 * What it shows is valid as long as the memory that it was shown.
 */
import { HeaderEntry } from './layout.js';
import { type Memory, removed } from './phase-copy.js';

const noBytes = new Uint8Array(0);

export class HeadFields {
  /** Where names and values lie. */
  bytes: Uint8Array = noBytes;
  /** Of the field that was found last: its value. */
  valueAt = 0;
  valueLength = 0;
  private u16: Uint16Array = new Uint16Array(0);
  private u32: Uint32Array = new Uint32Array(0);
  private first = 0;
  private entries = 0;

  /** Shows `entries` HeaderEntry structs at `first`. */
  show(memory: Memory, first: number, entries: number): void {
    this.bytes = memory.u8;
    this.u16 = memory.u16;
    this.u32 = memory.u32;
    this.first = first;
    this.entries = entries;
  }

  /** Number of fields, those that are not to be seen left out. */
  get count(): number {
    const { u16 } = this;
    let count = this.entries;
    let at = (this.first + HeaderEntry.flags) >> 1;
    for (let i = 0; i < this.entries; i++, at += HeaderEntry.size / 2) count -= u16[at] & removed;
    return count;
  }

  /** Finds the first field with that name in any case; false: there is none. */
  find(name: Uint8Array, at: number, length: number): boolean {
    let entry = this.first;
    for (let i = 0; i < this.entries; i++, entry += HeaderEntry.size) {
      if (!this.isNamed(entry, name, at, length)) continue;
      this.valueAt = this.u32[(entry + HeaderEntry.value) >> 2];
      this.valueLength = this.u16[(entry + HeaderEntry.valueLength) >> 1];
      return true;
    }
    return false;
  }

  /** The value of the first field with that name as a number of at most 15 digits; -1: no such. */
  decimal(name: Uint8Array): number {
    if (!this.find(name, 0, name.length)) return -1;
    if (this.valueLength < 1 || this.valueLength > 15) return -1;
    let number = 0;
    for (let i = 0; i < this.valueLength; i++) {
      const digit = this.bytes[this.valueAt + i] - 48;
      if (digit < 0 || digit > 9) return -1;
      number = 10 * number + digit;
    }
    return number;
  }

  /** How many fields have that name in any case. */
  times(name: Uint8Array, at: number, length: number): number {
    let count = 0;
    let entry = this.first;
    for (let i = 0; i < this.entries; i++, entry += HeaderEntry.size) {
      if (this.isNamed(entry, name, at, length)) count++;
    }
    return count;
  }

  private isNamed(entry: number, name: Uint8Array, at: number, length: number): boolean {
    const { u16, bytes } = this;
    if (u16[(entry + HeaderEntry.nameLength) >> 1] !== length) return false;
    if (u16[(entry + HeaderEntry.flags) >> 1] & removed) return false;
    const from = this.u32[entry >> 2];
    // From the end: names of one length often begin alike.
    for (let i = length - 1; i >= 0; i--) {
      const a = bytes[from + i];
      const b = name[at + i];
      if (a !== b && lower(a) !== lower(b)) return false;
    }
    return true;
  }
}

const lower = (code: number): number => (code >= 65 && code <= 90 ? code + 32 : code);
