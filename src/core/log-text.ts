/**
 * Log records as JSON text, written by the core next to each other and copied out once. What routes
 * and targets add is kept in linear memory; records of uncommon shape go to `fallback`.
 */
import type { Core } from './instance.js';
import { LogRecord, Region } from './layout.js';
import type { Ring } from './ring.js';

/** What a record's text needs to know beside its bytes. */
export interface LogTextSource {
  /** The members of a route, its service and the workspace; one object for the same text. */
  entities(generation: number, route: number): LogTextEntities;
  /** `"ip":"192.0.2.1","port":80,` of a target, empty where it is unknown; null: not ASCII. */
  peer(target: number): string | null;
  /** The text of a record that the core leaves alone; may throw. */
  fallback(record: Buffer): Uint8Array;
  /** True where something was noted for the request, so that the core cannot know its text. */
  isNoted(requestId: string): boolean;
  /** False: nothing was noted for any. */
  readonly hasNotes: boolean;
}

export interface LogTextEntities {
  /** The record has tries. */
  readonly routed: boolean;
  readonly text: Uint8Array;
}

const { offset, bytes } = Region.logText;
/** Texts of entities, then the peer, each behind its size; then the records. */
const entitiesAt: number = offset;
const peerAt = offset + 1024 * 1024;
const peerBytesMax = 4096;
const textsAt = peerAt + 4 + peerBytesMax + 1;
const end = offset + bytes;
/** With less room than this the texts are copied out first. */
const roomBytes = 512 * 1024;

/** How many texts there are in a piece of memory that holds them as one JSON array. */
const runs = new WeakMap<ArrayBufferLike, number>();

/** The JSON array of these texts, where they were taken together; null where it must be made. */
export function arrayOf(texts: readonly Uint8Array[]): Uint8Array | null {
  const [first] = texts;
  const last = texts.at(-1);
  if (!first || !last || runs.get(first.buffer) !== texts.length) return null;
  const isWhole = last.buffer === first.buffer && first.byteOffset === 1;
  return isWhole ? new Uint8Array(first.buffer) : null;
}

export class LogTexts {
  readonly #core: Core;
  readonly #source: LogTextSource;
  /** Where the texts of entities lie in this run. */
  readonly #placed = new Map<LogTextEntities, number>();
  #filled = entitiesAt;
  #generation = -1;
  #route = -1;
  #target = -1;
  /** Of the record being written: its entities, 0: no room for them. */
  #entities = 0;
  #routed = 0;
  #hasPeer = false;

  constructor(core: Core, source: LogTextSource) {
    this.#core = core;
    this.#source = source;
  }

  /** Takes up to `max` of the oldest entries of a ring as texts; what throws goes to `onBad`. */
  take(ring: Ring, max: number, onBad: (error: unknown) => void): Uint8Array[] {
    const { exports, u32 } = this.#core;
    const texts: Uint8Array[] = [];
    const ends: number[] = [];
    let [out, taken] = [textsAt, 0];
    this.#forget();
    let entry = exports.ring_first(ring.id);
    for (; entry !== 0 && taken < max; taken++) {
      const next = this.#isPlain(entry) ? this.#write(entry, out) : 0;
      if (next !== 0) {
        ends.push(next);
        // A gap for what separates the texts in a batch.
        out = next + 1;
      }
      if (next === 0 || end - out < roomBytes) {
        this.#copyOut(ends, texts);
        out = textsAt;
      }
      if (next === 0) this.#fallback(entry + 4, u32[entry >>> 2], texts, onBad);
      entry = exports.ring_next(ring.id, entry);
    }
    this.#copyOut(ends, texts);
    exports.ring_release(ring.id, taken);
    return texts;
  }

  /** Sets the parts for a record; false where the core is not to be asked. */
  #isPlain(entry: number): boolean {
    const { u32, buffer } = this.#core;
    const at = entry + 4;
    if (this.#source.hasNotes) {
      const id = at + LogRecord.requestId;
      if (this.#source.isNoted(buffer.latin1Slice(id, id + 32))) return false;
    }
    const generation = u32[(at + LogRecord.generation) >>> 2];
    const route = u32[(at + LogRecord.route) >>> 2];
    const target = u32[(at + LogRecord.target) >>> 2];
    if (generation !== this.#generation || route !== this.#route) {
      this.#generation = generation;
      this.#route = route;
      this.#entities = this.#placeEntities(this.#source.entities(generation, route));
    }
    if (target !== this.#target) {
      this.#target = target;
      this.#hasPeer = this.#placePeer(this.#source.peer(target));
    }
    return this.#entities !== 0 && this.#hasPeer;
  }

  #write(entry: number, out: number): number {
    const { exports } = this.#core;
    return exports.log_text(entry, this.#routed, this.#entities, peerAt, out, end);
  }

  #placeEntities(entities: LogTextEntities): number {
    const { u32, u8 } = this.#core;
    const { text } = entities;
    this.#routed = entities.routed ? 1 : 0;
    let at = this.#placed.get(entities);
    if (at !== undefined) return at;
    at = this.#filled;
    if (at + 4 + text.byteLength > peerAt) return 0;
    u32[at >>> 2] = text.byteLength;
    u8.set(text, at + 4);
    this.#filled = (at + 4 + text.byteLength + 3) & ~3;
    this.#placed.set(entities, at);
    return at;
  }

  #placePeer(text: string | null): boolean {
    const { u32, buffer } = this.#core;
    if (text === null || text.length > peerBytesMax) return false;
    u32[peerAt >>> 2] = buffer.latin1Write(text, peerAt + 4, peerBytesMax);
    return true;
  }

  /** Rings of one core share the region, and sources may know other routes by now. */
  #forget(): void {
    this.#placed.clear();
    this.#filled = entitiesAt;
    this.#generation = this.#route = this.#target = -1;
  }

  /** One copy for all texts up to here: they are kept and dropped together, mostly as an array. */
  #copyOut(ends: number[], texts: Uint8Array[]): void {
    if (ends.length === 0) return;
    const { u8 } = this.#core;
    const base = textsAt - 1;
    u8[base] = 0x5b;
    for (const stop of ends) u8[stop] = 0x2c;
    const stop = ends[ends.length - 1];
    u8[stop] = 0x5d;
    const { buffer } = u8.slice(base, stop + 1);
    runs.set(buffer, ends.length);
    let from = 1;
    for (const one of ends) {
      texts.push(Buffer.from(buffer, from, one - base - from));
      from = one - base + 1;
    }
    ends.length = 0;
  }

  #fallback(
    at: number,
    length: number,
    texts: Uint8Array[],
    onBad: (error: unknown) => void,
  ): void {
    const record = Buffer.from(this.#core.buffer.subarray(at, at + length));
    try {
      texts.push(this.#source.fallback(record));
    } catch (error) {
      onBad(error);
    }
  }
}
