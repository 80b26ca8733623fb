/**
 * The shell's ends of the log rings: ring numbers by key, entries as copies. The core writes from
 * the log phase; consumers take whole batches, and what they took no longer counts for the limits.
 */
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { Core } from './instance.js';

export interface RingLimits {
  /** Entries waiting; the oldest is dropped for one more. At least 1. */
  readonly maxEntries: number;
  /** Bytes waiting, heads as received; default and upper bound limits.ringBytes. */
  readonly maxBytes?: number | null;
}

/** One open ring. Every method is safe after the ring was closed: it is then empty. */
export class Ring {
  readonly #core: Core;
  /** Number that route tables and settings name. */
  readonly id: number;
  readonly key: string;

  constructor(core: Core, id: number, key: string) {
    this.#core = core;
    this.id = id;
    this.key = key;
  }

  /** Entries waiting. */
  get count(): number {
    return this.#core.exports.ring_count(this.id) >>> 0;
  }

  /** Bytes waiting. */
  get bytes(): number {
    return this.#core.exports.ring_bytes(this.id) >>> 0;
  }

  /** Entries dropped or refused since the ring was opened; wraps at 2^32. */
  get dropped(): number {
    return this.#core.exports.ring_dropped(this.id) >>> 0;
  }

  /** Sequence number of the oldest entry: what `releaseTo` counts from; wraps at 2^32. */
  get head(): number {
    return this.#core.exports.ring_head(this.id) >>> 0;
  }

  /** The f64 at `offset` (a multiple of 8) of the oldest entry, null: none waits. */
  oldestF64(offset: number): number | null {
    const entry = this.#core.exports.ring_first(this.id) >>> 0;
    return entry === 0 ? null : this.#core.f64[(entry + 4 + offset) >> 3];
  }

  /** Copies of up to `max` of the oldest entries, oldest first; they stay in the ring. */
  peek(max: number): Buffer[] {
    const { exports, u32, buffer } = this.#core;
    const from: number[] = [];
    let total = 0;
    let entry = exports.ring_first(this.id);
    while (entry !== 0 && from.length < max) {
      from.push(entry);
      total += u32[entry >>> 2];
      entry = exports.ring_next(this.id, entry);
    }
    // One allocation for the batch: its entries are kept and dropped together.
    const copy = Buffer.allocUnsafe(total);
    const entries: Buffer[] = [];
    let at = 0;
    for (const pointer of from) {
      const size = u32[pointer >>> 2];
      buffer.copy(copy, at, pointer + 4, pointer + 4 + size);
      entries.push(copy.subarray(at, at + size));
      at += size;
    }
    return entries;
  }

  /** Removes up to `max` of the oldest entries and returns copies of them. */
  take(max: number): Buffer[] {
    const entries = this.peek(max);
    this.#core.exports.ring_release(this.id, entries.length);
    return entries;
  }

  /**
   * Removes what lies before sequence number `end` (head at the time of a peek + entries peeked).
   * Right also where the core dropped some of them meanwhile.
   */
  releaseTo(end: number): void {
    const left = (end - this.head) | 0;
    if (left > 0) this.#core.exports.ring_release(this.id, left);
  }

  /** Appends one entry. @returns false where it was refused (too large, or no memory left) */
  push(bytes: Uint8Array): boolean {
    const { exports, u8 } = this.#core;
    const at = exports.ring_reserve(this.id, bytes.byteLength);
    if (at === 0) return false;
    u8.set(bytes, at);
    exports.ring_commit(this.id, bytes.byteLength);
    return true;
  }
}

/** Gives rings out by key. A key opened again (a reload) is the same ring, counted once more. */
export class RingTable {
  readonly #core: Core;
  readonly #byKey = new Map<string, { ring: Ring; users: number }>();
  readonly #used = new Uint8Array(limits.rings.value);

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * The ring of `key`; a further user of it changes the limits, never what waits.
   * @throws GatewayError GW_E_CONFIG_LIMIT where limits.rings are open
   */
  open(key: string, wanted: RingLimits): Ring {
    let known = this.#byKey.get(key);
    if (!known) {
      const id = this.#used.indexOf(0);
      if (id < 0) {
        throw new GatewayError('GW_E_CONFIG_LIMIT', `more than ${limits.rings.value} log queues`);
      }
      this.#used[id] = 1;
      known = { ring: new Ring(this.#core, id, key), users: 0 };
      this.#byKey.set(key, known);
    }
    known.users++;
    const cap = limits.ringBytes.value;
    const maxBytes = Math.min(wanted.maxBytes ?? cap, cap);
    this.#core.exports.ring_open(known.ring.id, wanted.maxEntries, maxBytes);
    return known.ring;
  }

  /**
   * Gives one use back; the last one closes the ring and loses what waits in it. Call it when no
   * exchange of a generation that names the ring is left: the number is given out again.
   */
  close(ring: Ring): void {
    const known = this.#byKey.get(ring.key);
    if (known?.ring !== ring || --known.users > 0) return;
    this.#byKey.delete(ring.key);
    this.#used[ring.id] = 0;
    this.#core.exports.ring_close(ring.id);
  }

  /** Rings that are open. */
  get size(): number {
    return this.#byKey.size;
  }
}
