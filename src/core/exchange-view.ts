/**
 * Reads one exchange out of the core's memory, lazily: nothing becomes a string until it is asked
 * for. `detach` copies what the phase shows into private memory with the same layout, so that the
 * same reads work after the core has moved on; a detached view never looks at the core again.
 */
import { readAddress } from './address.js';
import type { Core } from './instance.js';
import { AcceptFlag, HeaderEntry, PhaseView, Region } from './layout.js';

/** The part of `Core` that reading needs; the private copy of a detached view has it, too. */
type Memory = Pick<Core, 'u8' | 'u16' | 'u32' | 'f64' | 'buffer'>;

/** Which header list of the phase. */
export type HeaderSide = 'request' | 'response';

/** Takes fields by where their bytes are; see `eachPlace`. */
export interface FieldSink {
  refer(
    nameSource: Uint8Array,
    nameAt: number,
    nameLength: number,
    valueSource: Uint8Array,
    valueAt: number,
    valueLength: number,
  ): void;
}

const removed = 1;

export class ExchangeView {
  private readonly core: Core;
  private memory: Memory;
  private base: number = Region.phaseView.offset;
  /** The private copy, kept for the next exchange where it is small. */
  private copy: Memory | null = null;

  constructor(core: Core) {
    this.core = core;
    this.memory = core;
  }

  /** Looks at the phase that the core is in. */
  attach(): void {
    this.memory = this.core;
    this.base = Region.phaseView.offset;
  }

  get attached(): boolean {
    return this.memory === this.core;
  }

  get connection(): number {
    return this.word(PhaseView.connection);
  }

  get generation(): number {
    return this.word(PhaseView.generation);
  }

  get route(): number {
    return this.word(PhaseView.route);
  }

  get status(): number {
    return this.word(PhaseView.status);
  }

  /** Number of the exchange on its connection. */
  get sequence(): number {
    return this.word(PhaseView.sequence);
  }

  /** ResponseSource code of the answer; header filter only. */
  get source(): number {
    return this.word(PhaseView.source);
  }

  /** Of the request's body; -1: chunked, 0: none. */
  get contentLength(): number {
    return this.memory.f64[(this.base + PhaseView.contentLength) >> 3];
  }

  get localPort(): number {
    return this.word(PhaseView.localPort);
  }

  get peerPort(): number {
    return this.word(PhaseView.peerPort);
  }

  /** Bytes of the path that the route matched. */
  get prefixLength(): number {
    return this.word(PhaseView.prefixLength);
  }

  /** Of the request: 0 or 1. */
  get minorVersion(): number {
    return this.word(PhaseView.minorVersion);
  }

  /** Epoch milliseconds of the first byte of the request. */
  get startWallMs(): number {
    return this.memory.f64[(this.base + PhaseView.startWallMs) >> 3];
  }

  get tls(): boolean {
    return (this.word(PhaseView.flags) & AcceptFlag.TLS) !== 0;
  }

  get method(): string {
    return this.span(PhaseView.method, PhaseView.methodLength);
  }

  /** The request target as sent: origin form, absolute form or `*`. */
  get target(): string {
    return this.span(PhaseView.target, PhaseView.targetLength);
  }

  get path(): string {
    return this.span(PhaseView.path, PhaseView.pathLength);
  }

  get requestId(): string {
    const start = this.base + PhaseView.requestId;
    return this.memory.buffer.latin1Slice(start, start + 32);
  }

  get clientAddress(): string {
    return readAddress(this.memory.u8, this.base + PhaseView.clientAddress);
  }

  get peerAddress(): string {
    return readAddress(this.memory.u8, this.base + PhaseView.peerAddress);
  }

  /** First value of a field, `name` in any case, `_` as good as `-`; null where it is absent. */
  header(name: string, side: HeaderSide = 'request'): string | null {
    const { u16, u32, buffer } = this.memory;
    const count = this.word(countField[side]);
    let entry = this.word(listField[side]);
    for (let i = 0; i < count; i++, entry += HeaderEntry.size) {
      const half = entry >> 1;
      if (u16[half + HeaderEntry.nameLength / 2] !== name.length) continue;
      if (u16[half + HeaderEntry.flags / 2] & removed) continue;
      if (!this.nameIs(u32[entry >> 2], name)) continue;
      const value = u32[(entry + HeaderEntry.value) >> 2];
      return buffer.latin1Slice(value, value + u16[half + HeaderEntry.valueLength / 2]);
    }
    return null;
  }

  /** Calls `visit` for every field in order, names in lower case. */
  eachHeader(side: HeaderSide, visit: (name: string, value: string) => void): void {
    const { u16, u32, buffer } = this.memory;
    const count = this.word(countField[side]);
    let entry = this.word(listField[side]);
    for (let i = 0; i < count; i++, entry += HeaderEntry.size) {
      const half = entry >> 1;
      if (u16[half + HeaderEntry.flags / 2] & removed) continue;
      const name = u32[entry >> 2];
      const value = u32[(entry + HeaderEntry.value) >> 2];
      visit(
        buffer.latin1Slice(name, name + u16[half + HeaderEntry.nameLength / 2]).toLowerCase(),
        buffer.latin1Slice(value, value + u16[half + HeaderEntry.valueLength / 2]),
      );
    }
  }

  /**
   * Hands over where the bytes of every field are, without making strings. The places stay valid
   * until the view moves on; those of a detached view as long as the exchange.
   */
  eachPlace(side: HeaderSide, sink: FieldSink): void {
    const { u8, u16, u32 } = this.memory;
    const count = this.word(countField[side]);
    let entry = this.word(listField[side]);
    for (let i = 0; i < count; i++, entry += HeaderEntry.size) {
      const half = entry >> 1;
      if (u16[half + HeaderEntry.flags / 2] & removed) continue;
      const nameLength = u16[half + HeaderEntry.nameLength / 2];
      const valueLength = u16[half + HeaderEntry.valueLength / 2];
      sink.refer(
        u8,
        u32[entry >> 2],
        nameLength,
        u8,
        u32[(entry + HeaderEntry.value) >> 2],
        valueLength,
      );
    }
  }

  /** Hands over the method, or the target as sent, as the value of a field of that name. */
  place(what: 'method' | 'target', name: Uint8Array, sink: FieldSink): void {
    const { u8 } = this.memory;
    const [start, length] =
      what === 'method'
        ? [this.word(PhaseView.method), this.word(PhaseView.methodLength)]
        : [this.word(PhaseView.target), this.word(PhaseView.targetLength)];
    sink.refer(name, 0, name.length, u8, start, length);
  }

  /** Copies what the phase shows, so that reads stay valid after the core has moved on. */
  detach(): void {
    if (!this.attached) return;
    const size = (this.copySize() + 7) & ~7;
    const memory =
      this.copy && this.copy.u8.length >= size ? this.copy : privateMemory(Math.max(size, 1024));
    this.copy = memory.u8.length <= keptCopyBytes ? memory : null;
    new Relocation(this.core, memory).phaseView();
    this.memory = memory;
    this.base = 0;
  }

  private copySize(): number {
    const { u16 } = this.core;
    let size: number = PhaseView.size;
    for (const side of ['request', 'response'] as const) {
      const count = this.word(countField[side]);
      let half = this.word(listField[side]) >> 1;
      for (let i = 0; i < count; i++, half += HeaderEntry.size / 2) {
        size += u16[half + HeaderEntry.nameLength / 2] + u16[half + HeaderEntry.valueLength / 2];
      }
      size += count * HeaderEntry.size;
    }
    for (const [, length] of spanFields) size += this.word(length);
    return size;
  }

  private word(field: number): number {
    return this.memory.u32[(this.base + field) >> 2];
  }

  private span(field: number, lengthField: number): string {
    const start = this.word(field);
    return this.memory.buffer.latin1Slice(start, start + this.word(lengthField));
  }

  private nameIs(at: number, name: string): boolean {
    const { u8 } = this.memory;
    for (let i = 0; i < name.length; i++) {
      if (lowerCase(u8[at + i]) !== lowerCase(name.charCodeAt(i))) return false;
    }
    return true;
  }
}

const listField = { request: PhaseView.headers, response: PhaseView.responseHeaders } as const;
const countField = {
  request: PhaseView.headerCount,
  response: PhaseView.responseHeaderCount,
} as const;

const spanFields = [
  [PhaseView.method, PhaseView.methodLength],
  [PhaseView.target, PhaseView.targetLength],
  [PhaseView.path, PhaseView.pathLength],
  [PhaseView.upstreamTarget, PhaseView.upstreamTargetLength],
] as const;

/** Lower case, and a dash for an underscore: header names are compared so. */
const lowerCase = (code: number): number => {
  if (code >= 65 && code <= 90) return code + 32;
  return code === 95 ? 45 : code;
};

/** An idle connection keeps no larger copy than this. */
const keptCopyBytes = 4096;

function privateMemory(size: number): Memory {
  const bytes = new ArrayBuffer(size);
  return {
    u8: new Uint8Array(bytes),
    u16: new Uint16Array(bytes),
    u32: new Uint32Array(bytes),
    f64: new Float64Array(bytes),
    buffer: Buffer.from(bytes),
  };
}

/** Copies a phase view with everything it points to into one buffer, and moves the pointers. */
class Relocation {
  readonly memory: Memory;
  private readonly core: Core;
  private end: number = PhaseView.size;

  constructor(core: Core, memory: Memory) {
    this.core = core;
    this.memory = memory;
  }

  phaseView(): void {
    const from = Region.phaseView.offset;
    this.memory.u8.set(this.core.u8.subarray(from, from + PhaseView.size));
    const { u32 } = this.memory;
    const lists = [];
    for (const side of ['request', 'response'] as const) {
      const bytes = u32[countField[side] >> 2] * HeaderEntry.size;
      const start = this.take(u32[listField[side] >> 2], bytes);
      u32[listField[side] >> 2] = start;
      lists.push([start, start + bytes]);
    }
    for (const [start, end] of lists) {
      for (let entry = start; entry < end; entry += HeaderEntry.size) this.headerEntry(entry);
    }
    for (const [pointer, length] of spanFields) {
      u32[pointer >> 2] = this.take(u32[pointer >> 2], u32[length >> 2]);
    }
  }

  private headerEntry(entry: number): void {
    const { u16, u32 } = this.memory;
    const name = entry >> 2;
    const value = (entry + HeaderEntry.value) >> 2;
    u32[name] = this.take(u32[name], u16[(entry + HeaderEntry.nameLength) >> 1]);
    u32[value] = this.take(u32[value], u16[(entry + HeaderEntry.valueLength) >> 1]);
  }

  private take(from: number, length: number): number {
    const at = this.end;
    if (length > 0) this.memory.u8.set(this.core.u8.subarray(from, from + length), at);
    this.end += length;
    return at;
  }
}
