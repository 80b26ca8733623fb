/**
 * A copy of what a phase shows: the view, the header tables and the bytes that they point to, with
 * pointers that fit. The head lies in one piece in the core, and is copied so.
 */
import type { Core } from './instance.js';
import { HeaderEntry, PhaseView, Region } from './layout.js';

/** The part of `Core` that reading needs; a copy has it, too. */
export type Memory = Pick<Core, 'u8' | 'u16' | 'u32' | 'f64' | 'buffer'>;

/** Flag of a header entry that a filter removed. */
export const removed = 1;

export const listField = {
  request: PhaseView.headers,
  response: PhaseView.responseHeaders,
} as const;
export const countField = {
  request: PhaseView.headerCount,
  response: PhaseView.responseHeaderCount,
} as const;

const sides = ['request', 'response'] as const;
const spanFields = [
  [PhaseView.method, PhaseView.methodLength],
  [PhaseView.target, PhaseView.targetLength],
  [PhaseView.path, PhaseView.pathLength],
  [PhaseView.upstreamTarget, PhaseView.upstreamTargetLength],
  [PhaseView.sni, PhaseView.sniLength],
] as const;

const viewAt = Region.phaseView.offset >> 2;
const entryWords = HeaderEntry.size / 4;

export function privateMemory(size: number): Memory {
  const bytes = new ArrayBuffer(size);
  return {
    u8: new Uint8Array(bytes),
    u16: new Uint16Array(bytes),
    u32: new Uint32Array(bytes),
    f64: new Float64Array(bytes),
    buffer: Buffer.from(bytes),
  };
}

/** Copies the phase view that the core shows with everything it points to. */
export class Relocation {
  /** Bytes of the copy, a multiple of 8. */
  readonly size: number;
  readonly #core: Core;
  /** Where the bytes of all names and values lie in the core: [low, high). */
  #low = 0xffffffff;
  #high = 0;

  constructor(core: Core) {
    this.#core = core;
    let size: number = PhaseView.size;
    for (const side of sides) size += this.#measure(side);
    if (this.#high > this.#low) size += this.#high - this.#low;
    else this.#low = this.#high = 0;
    for (const [start, length] of spanFields) {
      if (!this.#isInside(this.#word(start), this.#word(length))) size += this.#word(length);
    }
    this.size = (size + 7) & ~7;
  }

  copyTo(memory: Memory): void {
    const { u32 } = memory;
    const from = this.#core.u32;
    const words = PhaseView.size / 4;
    for (let i = 0; i < words; i++) u32[i] = from[viewAt + i];
    let end: number = PhaseView.size;
    const headAt = end + this.#tableBytes();
    for (const side of sides) {
      this.#copyTable(u32, end, side, headAt - this.#low);
      u32[listField[side] >> 2] = end;
      end += this.#word(countField[side]) * HeaderEntry.size;
    }
    end = this.#copyBytes(memory, this.#low, this.#high - this.#low, end);
    for (const [start, length] of spanFields) {
      const at = this.#word(start);
      const bytes = this.#word(length);
      if (this.#isInside(at, bytes)) u32[start >> 2] = at - this.#low + headAt;
      else {
        u32[start >> 2] = end;
        end = this.#copyBytes(memory, at, bytes, end);
      }
    }
  }

  /** Widens the range by the fields of one side; returns the bytes of their table. */
  #measure(side: 'request' | 'response'): number {
    const { u16, u32 } = this.#core;
    const count = this.#word(countField[side]);
    let entry = this.#word(listField[side]);
    for (let i = 0; i < count; i++, entry += HeaderEntry.size) {
      const name = u32[entry >> 2];
      const value = u32[(entry + HeaderEntry.value) >> 2];
      const end = value + u16[(entry + HeaderEntry.valueLength) >> 1];
      if (name < this.#low) this.#low = name;
      if (end > this.#high) this.#high = end;
    }
    return count * HeaderEntry.size;
  }

  #tableBytes(): number {
    const count = this.#word(countField.request) + this.#word(countField.response);
    return count * HeaderEntry.size;
  }

  #copyTable(u32: Uint32Array, at: number, side: 'request' | 'response', shift: number): void {
    const from = this.#core.u32;
    const words = this.#word(countField[side]) * entryWords;
    const source = this.#word(listField[side]) >> 2;
    const target = at >> 2;
    for (let i = 0; i < words; i += entryWords) {
      u32[target + i] = from[source + i] + shift;
      u32[target + i + 1] = from[source + i + 1] + shift;
      u32[target + i + 2] = from[source + i + 2];
      u32[target + i + 3] = from[source + i + 3];
    }
  }

  #copyBytes(memory: Memory, from: number, bytes: number, at: number): number {
    if (bytes > 0) memory.u8.set(this.#core.u8.subarray(from, from + bytes), at);
    return at + bytes;
  }

  #isInside(at: number, bytes: number): boolean {
    return at >= this.#low && at + bytes <= this.#high;
  }

  #word(field: number): number {
    return this.#core.u32[viewAt + (field >> 2)];
  }
}
