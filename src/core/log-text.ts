/**
 * Log records as JSON text, written by the core next to each other and copied out once. What routes
 * and targets add is kept in linear memory; records of uncommon shape go to `fallback`.
 */
import type { Core } from './instance.js';
import { LogFlag, LogRecord, Region } from './layout.js';
import type { Ring } from './ring.js';

/** What a record's text needs to know beside its bytes. */
export interface LogTextSource {
  /** The members of a route, its service and the workspace; one object for the same text. */
  entities(generation: number, route: number): LogTextEntities;
  /** `"ip":"192.0.2.1","port":80,` of a target, empty where it is unknown; null: not ASCII. */
  peer(target: number): string | null;
  /** The text of a record that the core leaves alone; may throw. */
  fallback(record: Buffer): Uint8Array;
  /**
   * What plugins said of the client of a request, as members behind a comma; empty: nothing; null:
   * they said something else too, which the core cannot know.
   */
  client(requestId: string): Uint8Array | null;
  /** The same of the client that a policy found by its credential. */
  credential(generation: number, place: number): Uint8Array;
  /** `,"tls":{..}` of a number in LogRecord.tls; one object for the same text. */
  tls(session: number): Uint8Array;
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

const openBracket = 0x5b;
const comma = 0x2c;
const closeBracket = 0x5d;
const openBytes = Uint8Array.of(openBracket);
const commaBytes = Uint8Array.of(comma);
const nothing = new Uint8Array(0);

/** The JSON arrays of batches that were taken as one. */
const arrays = new WeakMap<object, Uint8Array>();

/**
 * Memory of arrays that were sent. New memory for each would lie outside of the engine's heap, and
 * have it collect the whole heap several times a second.
 */
const spares: ArrayBuffer[] = [];
const sparesMax = 4;
/** What was made to be used again; other arrays may lie in memory that they share. */
const reusable = new WeakSet<ArrayBufferLike>();

/** The batch is done with, and nobody looks at its array any more. */
export function recycle(batch: readonly unknown[]): void {
  const array = arrays.get(batch);
  if (!array || !reusable.has(array.buffer) || spares.length === sparesMax) return;
  arrays.delete(batch);
  spares.push(array.buffer as ArrayBuffer);
}

function memoryFor(size: number): Uint8Array {
  const spare = spares.findIndex(({ byteLength }) => byteLength >= size);
  if (spare >= 0) return new Uint8Array(spares.splice(spare, 1)[0], 0, size);
  // Full of short ones: the batches have grown.
  if (spares.length === sparesMax) spares.shift();
  const memory = new ArrayBuffer(Math.ceil(size * 1.25));
  reusable.add(memory);
  return new Uint8Array(memory, 0, size);
}

/** The JSON array of a batch that `takeArray` took; null for any other. */
export function arrayOf(batch: readonly unknown[]): Uint8Array | null {
  return arrays.get(batch) ?? null;
}

export class LogTexts {
  readonly #core: Core;
  readonly #source: LogTextSource;
  /** Where texts of entities and clients lie in this run. */
  readonly #placed = new Map<Uint8Array, number>();
  #filled = entitiesAt;
  #generation = -1;
  #route = -1;
  #target = -1;
  /** Of the record being written: its entities, 0: no room for them. */
  #entities = 0;
  #routed = 0;
  #hasPeer = false;
  /** 0: nothing is known of the client. */
  #client = 0;
  /** 0: the connection has no TLS. */
  #secure = 0;

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
        out = next;
      }
      if (next === 0 || end - out < roomBytes) {
        this.#copyOut(ends, texts);
        out = textsAt;
      }
      const text = next === 0 ? this.#fallback(entry + 4, u32[entry >>> 2], onBad) : null;
      if (text) texts.push(text);
      entry = exports.ring_next(ring.id, entry);
    }
    this.#copyOut(ends, texts);
    exports.ring_release(ring.id, taken);
    return texts;
  }

  /**
   * As `take`, but as one JSON array, which costs nothing per text: the batch that is returned has
   * only a length, see `arrayOf`.
   */
  takeArray(ring: Ring, max: number, onBad: (error: unknown) => void): Uint8Array[] {
    const { exports, u8, u32 } = this.#core;
    // Each text is followed by a comma; the last one becomes the bracket.
    const pieces: Uint8Array[] = [];
    let [out, taken, written] = [textsAt, 0, 0];
    this.#forget();
    let entry = exports.ring_first(ring.id);
    for (; entry !== 0 && taken < max; taken++) {
      const next = this.#isPlain(entry) ? this.#write(entry, out) : 0;
      const text = next === 0 ? this.#fallback(entry + 4, u32[entry >>> 2], onBad) : null;
      if (next !== 0) {
        u8[next] = comma;
        out = next + 1;
      }
      if (next !== 0 || text) written++;
      if (text || end - out < roomBytes) {
        pieces.push(u8.slice(textsAt, out));
        if (text) pieces.push(text, commaBytes);
        out = textsAt;
      }
      entry = exports.ring_next(ring.id, entry);
    }
    exports.ring_release(ring.id, taken);
    return arrayBatch(written, pieces, u8, out);
  }

  /** Sets the parts for a record; false where the core is not to be asked. */
  #isPlain(entry: number): boolean {
    const { u32 } = this.#core;
    const at = entry + 4;
    if (!this.#placeClient(at)) return false;
    const isTls = (u32[(at + LogRecord.flags) >>> 2] & LogFlag.TLS) !== 0;
    this.#secure = isTls ? this.#place(this.#source.tls(u32[(at + LogRecord.tls) >>> 2])) : 0;
    const generation = u32[(at + LogRecord.generation) >>> 2];
    const route = u32[(at + LogRecord.route) >>> 2];
    const target = u32[(at + LogRecord.target) >>> 2];
    if (generation !== this.#generation || route !== this.#route) {
      this.#generation = generation;
      this.#route = route;
      const entities = this.#source.entities(generation, route);
      this.#routed = entities.routed ? 1 : 0;
      this.#entities = this.#place(entities.text);
    }
    if (target !== this.#target) {
      this.#target = target;
      this.#hasPeer = this.#placePeer(this.#source.peer(target));
    }
    return this.#entities !== 0 && this.#hasPeer;
  }

  /** False: plugins said more of the request, or there is no room. */
  #placeClient(at: number): boolean {
    const { u32, buffer } = this.#core;
    const generation = u32[(at + LogRecord.generation) >>> 2];
    const credential = u32[(at + LogRecord.credential) >>> 2];
    let text = credential === 0 ? nothing : this.#source.credential(generation, credential - 1);
    if (this.#source.hasNotes) {
      const id = at + LogRecord.requestId;
      const noted = this.#source.client(buffer.latin1Slice(id, id + 32));
      if (noted === null) return false;
      if (noted.byteLength > 0 && text.byteLength > 0) return false;
      if (noted.byteLength > 0) text = noted;
    }
    this.#client = text.byteLength > 0 ? this.#place(text) : 0;
    return text.byteLength === 0 || this.#client !== 0;
  }

  #write(entry: number, out: number): number {
    const { exports } = this.#core;
    const [routed, entities, client] = [this.#routed, this.#entities, this.#client];
    return exports.log_text(entry, routed, entities, peerAt, client, this.#secure, out, end);
  }

  /** Where a text lies behind its size, for this run; 0: there is no room. */
  #place(text: Uint8Array): number {
    const { u32, u8 } = this.#core;
    let at = this.#placed.get(text);
    if (at !== undefined) return at;
    at = this.#filled;
    if (at + 4 + text.byteLength > peerAt) return 0;
    u32[at >>> 2] = text.byteLength;
    u8.set(text, at + 4);
    this.#filled = (at + 4 + text.byteLength + 3) & ~3;
    this.#placed.set(text, at);
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

  /** One copy for all texts up to here: they are kept and dropped together. */
  #copyOut(ends: number[], texts: Uint8Array[]): void {
    if (ends.length === 0) return;
    const { u8 } = this.#core;
    const { buffer } = u8.slice(textsAt, ends[ends.length - 1]);
    let from = 0;
    for (const one of ends) {
      texts.push(Buffer.from(buffer, from, one - textsAt - from));
      from = one - textsAt;
    }
    ends.length = 0;
  }

  /** Null: `onBad` heard why. */
  #fallback(at: number, length: number, onBad: (error: unknown) => void): Uint8Array | null {
    const record = Buffer.from(this.#core.buffer.subarray(at, at + length));
    try {
      return this.#source.fallback(record);
    } catch (error) {
      onBad(error);
      return null;
    }
  }
}

/** A batch of so many texts, which are the pieces and what the core wrote behind them. */
function arrayBatch(
  count: number,
  pieces: Uint8Array[],
  u8: Uint8Array,
  end: number,
): Uint8Array[] {
  const batch = new Array<Uint8Array>(count);
  if (count === 0) return batch;
  if (pieces.length === 0) {
    u8[textsAt - 1] = openBracket;
    u8[end - 1] = closeBracket;
    const whole = memoryFor(end - textsAt + 1);
    whole.set(u8.subarray(textsAt - 1, end));
    arrays.set(batch, whole);
    return batch;
  }
  const whole = Buffer.concat([openBytes, ...pieces, u8.subarray(textsAt, end)]);
  whole[whole.length - 1] = closeBracket;
  arrays.set(batch, whole);
  return batch;
}
