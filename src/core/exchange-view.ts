/**
 * Reads one exchange out of the core's memory, lazily: nothing becomes a string until it is asked
 * for. `detach` copies what the phase shows into private memory with the same layout, so that the
 * same reads work after the core has moved on; a detached view never looks at the core again.
 */
import { readAddress } from './address.js';
import type { HeadFields } from './head-fields.js';
import type { Core } from './instance.js';
import { AcceptFlag, HeaderEntry, PhaseView, Region } from './layout.js';
import {
  countField,
  listField,
  type Memory,
  privateMemory,
  Relocation,
  removed,
} from './phase-copy.js';
import { ShortTexts } from './short-text.js';

/** Of all exchanges of this event loop. */
const texts = new ShortTexts();

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

export class ExchangeView {
  private readonly core: Core;
  private memory: Memory;
  private base: number = Region.phaseView.offset;
  /** The private copy, kept for the next exchange where it is small. */
  private copy: Memory | null = null;
  private readonly relocation: Relocation;

  constructor(core: Core) {
    this.core = core;
    this.relocation = new Relocation(core);
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

  /** Name that the client asked for in its TLS handshake; empty: none. */
  get serverName(): string {
    return this.span(PhaseView.sni, PhaseView.sniLength);
  }

  /** Number of the connection's protocol and cipher, 0: not known; see src/tls/session-names.ts. */
  get tlsSession(): number {
    return this.word(PhaseView.tls);
  }

  /** Interned target of the last attempt, 0xffffffff: none yet. */
  get attempt(): number {
    return this.word(PhaseView.attempt);
  }

  /** From choosing a target to the head of its answer; -1: there is none. */
  get upstreamMs(): number {
    return this.word(PhaseView.upstreamMs) | 0;
  }

  /** Status that the upstream gave, 0: none. */
  get upstreamStatus(): number {
    return this.word(PhaseView.upstreamStatus);
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

  /** Of the listener that the client is connected to. */
  get localAddress(): string {
    return readAddress(this.memory.u8, this.base + PhaseView.localAddress);
  }

  /** First value of a field, `name` in any case, `_` as good as `-`; null where it is absent. */
  header(name: string, side: HeaderSide = 'request'): string | null {
    const { u16, u32 } = this.memory;
    const count = this.word(countField[side]);
    let entry = this.word(listField[side]);
    for (let i = 0; i < count; i++, entry += HeaderEntry.size) {
      const half = entry >> 1;
      if (u16[half + HeaderEntry.nameLength / 2] !== name.length) continue;
      if (u16[half + HeaderEntry.flags / 2] & removed) continue;
      if (!this.nameIs(u32[entry >> 2], name)) continue;
      const value = u32[(entry + HeaderEntry.value) >> 2];
      return texts.read(this.memory, value, u16[half + HeaderEntry.valueLength / 2]);
    }
    return null;
  }

  /** Calls `visit` for every field in order, names in lower case. */
  eachHeader(side: HeaderSide, visit: (name: string, value: string) => void): void {
    const { u16, u32 } = this.memory;
    const count = this.word(countField[side]);
    let entry = this.word(listField[side]);
    for (let i = 0; i < count; i++, entry += HeaderEntry.size) {
      const half = entry >> 1;
      if (u16[half + HeaderEntry.flags / 2] & removed) continue;
      const name = u32[entry >> 2];
      const value = u32[(entry + HeaderEntry.value) >> 2];
      visit(
        texts.readLower(this.memory, name, u16[half + HeaderEntry.nameLength / 2]),
        texts.read(this.memory, value, u16[half + HeaderEntry.valueLength / 2]),
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

  /** Lets `fields` show the fields of a side, until the view moves on. */
  showFields(side: HeaderSide, fields: HeadFields): void {
    fields.show(this.memory, this.word(listField[side]), this.word(countField[side]));
  }

  /** Hands over the method, or the target as sent, as the value of a field of that name. */
  place(what: 'method' | 'target', name: Uint8Array, sink: FieldSink): void {
    const { u8 } = this.memory;
    const isMethod = what === 'method';
    const start = this.word(isMethod ? PhaseView.method : PhaseView.target);
    const length = this.word(isMethod ? PhaseView.methodLength : PhaseView.targetLength);
    sink.refer(name, 0, name.length, u8, start, length);
  }

  /** Copies what the phase shows, so that reads stay valid after the core has moved on. */
  detach(): void {
    if (!this.attached) return;
    const size = this.relocation.measure();
    const memory =
      this.copy && this.copy.u8.length >= size ? this.copy : privateMemory(Math.max(size, 1024));
    this.copy = memory.u8.length <= keptCopyBytes ? memory : null;
    this.relocation.copyTo(memory);
    this.memory = memory;
    this.base = 0;
  }

  private word(field: number): number {
    return this.memory.u32[(this.base + field) >> 2];
  }

  private span(field: number, lengthField: number): string {
    const start = this.word(field);
    return texts.read(this.memory, start, this.word(lengthField));
  }

  private nameIs(at: number, name: string): boolean {
    const { u8 } = this.memory;
    for (let i = 0; i < name.length; i++) {
      if (lowerCase(u8[at + i]) !== lowerCase(name.charCodeAt(i))) return false;
    }
    return true;
  }
}

/** Lower case, and a dash for an underscore: header names are compared so. */
const lowerCase = (code: number): number => {
  if (code >= 65 && code <= 90) return code + 32;
  return code === 95 ? 45 : code;
};

/** An idle connection keeps no larger copy than this. */
const keptCopyBytes = 4096;
