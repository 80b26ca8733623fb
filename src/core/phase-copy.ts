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

/** A view costs as much as copying so many bytes in words, and so many one by one. */
const fewBytes = 1024;
const shortBytes = 96;

/**
 * Copies the phase view that the core shows with everything it points to. One for each view: what
 * it has measured is kept between the two calls.
 */
export class Relocation {
  private readonly core: Core;
  private readonly u16: Uint16Array;
  private readonly u32: Uint32Array;
  private readonly view: Uint32Array;
  /** Where the bytes of all names and values lie in the core: [low, high). */
  private low = 0;
  private high = 0;
  /** Where those bytes go: as far from a word's start as they lie, to be copied in words. */
  private headAt = 0;

  constructor(core: Core) {
    this.core = core;
    this.u16 = core.u16;
    this.u32 = core.u32;
    this.view = core.u32.subarray(viewAt, viewAt + PhaseView.size / 4);
  }

  /** Measures what the core shows; returns the bytes of the copy, a multiple of 8. */
  measure(): number {
    this.low = 0xffffffff;
    this.high = 0;
    const tables = this.widen(countField.request, listField.request);
    const bytes = tables + this.widen(countField.response, listField.response);
    if (this.high < this.low) this.low = this.high = 0;
    this.headAt = PhaseView.size + bytes + (this.low & 3);
    let size = this.headAt + this.high - this.low;
    for (let i = 0; i < spanFields.length; i++) {
      const length = this.word(spanFields[i][1]);
      if (!this.isInside(this.word(spanFields[i][0]), length)) size += length;
    }
    return (size + 11) & ~7;
  }

  /** `memory` has as many bytes as were measured. */
  copyTo(memory: Memory): void {
    const { u32 } = memory;
    u32.set(this.view);
    let end: number = PhaseView.size;
    u32[listField.request >> 2] = end;
    end = this.copyTable(u32, end, countField.request, listField.request);
    u32[listField.response >> 2] = end;
    this.copyTable(u32, end, countField.response, listField.response);
    this.copyHead(memory);
    end = this.headAt + this.high - this.low;
    for (let i = 0; i < spanFields.length; i++) {
      const field = spanFields[i][0];
      const at = this.word(field);
      const length = this.word(spanFields[i][1]);
      if (this.isInside(at, length)) u32[field >> 2] = at - this.low + this.headAt;
      else {
        u32[field >> 2] = end;
        copyBytes(this.core.u8, at, length, memory.u8, end);
        end += length;
      }
    }
  }

  /** Widens the range by the fields of one side; returns the bytes of their table. */
  private widen(counted: number, listed: number): number {
    const { u16, u32 } = this;
    const count = this.word(counted);
    let entry = this.word(listed);
    for (let i = 0; i < count; i++, entry += HeaderEntry.size) {
      const name = u32[entry >> 2];
      const value = u32[(entry + HeaderEntry.value) >> 2];
      const end = value + u16[(entry + HeaderEntry.valueLength) >> 1];
      if (name < this.low) this.low = name;
      if (end > this.high) this.high = end;
    }
    return count * HeaderEntry.size;
  }

  /** Returns where the table ends. */
  private copyTable(u32: Uint32Array, at: number, counted: number, listed: number): number {
    const from = this.u32;
    const shift = this.headAt - this.low;
    const words = this.word(counted) * entryWords;
    const source = this.word(listed) >> 2;
    const target = at >> 2;
    for (let i = 0; i < words; i += entryWords) {
      u32[target + i] = from[source + i] + shift;
      u32[target + i + 1] = from[source + i + 1] + shift;
      u32[target + i + 2] = from[source + i + 2];
      u32[target + i + 3] = from[source + i + 3];
    }
    return at + words * 4;
  }

  private copyHead(memory: Memory): void {
    const { low, high, headAt } = this;
    if (high - low > fewBytes) {
      memory.u8.set(this.core.u8.subarray(low, high), headAt);
      return;
    }
    const from = low >> 2;
    const to = headAt >> 2;
    const words = (high - (from << 2) + 3) >> 2;
    for (let i = 0; i < words; i++) memory.u32[to + i] = this.u32[from + i];
  }

  /** Bytes that are among those of the fields are copied with them. */
  private isInside(at: number, bytes: number): boolean {
    return at >= this.low && at + bytes <= this.high;
  }

  private word(field: number): number {
    return this.u32[viewAt + (field >> 2)];
  }
}

function copyBytes(from: Uint8Array, at: number, length: number, to: Uint8Array, start: number) {
  if (length > shortBytes) to.set(from.subarray(at, at + length), start);
  else for (let i = 0; i < length; i++) to[start + i] = from[at + i];
}
