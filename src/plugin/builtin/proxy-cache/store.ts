/**
 * Answers kept in memory: the least recently used go first when the bytes are used up. All threads
 * of a node keep the same ones, and share their bytes.
 */
import { limits } from '../../../limits.js';
import { nodeChannel } from '../../../workers/node-channel.js';

export interface Stored {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array;
  /** Epoch milliseconds. */
  readonly storedAtMs: number;
  /** Seconds that it is fresh, and that it is kept. */
  readonly ttl: number;
  readonly keptSeconds: number;
}

/** What an entry costs beside its body. */
const overheadBytes = 512;

export class Store {
  readonly #entries = new Map<string, Stored>();
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number = limits.proxyCacheBytes.value) {
    this.#bytesMax = bytesMax;
  }

  get(key: string, nowMs: number): Stored | null {
    const entry = this.#entries.get(key);
    if (!entry) return null;
    if (nowMs - entry.storedAtMs >= entry.keptSeconds * 1000) {
      this.delete(key);
      return null;
    }
    // The map keeps the order of insertion: what is used moves to the end.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  set(key: string, entry: Stored): void {
    this.delete(key);
    const bytes = sizeOf(key, entry);
    if (bytes > this.#bytesMax) return;
    this.#entries.set(key, entry);
    this.#bytes += bytes;
    while (this.#bytes > this.#bytesMax) {
      const [oldest] = this.#entries.keys();
      this.delete(oldest);
    }
  }

  /** Whether there was one. */
  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    this.#bytes -= sizeOf(key, entry);
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }
}

const sizeOf = (key: string, { body }: Stored): number => key.length + body.length + overheadBytes;

/** By name of `memory.dictionary_name`. */
const stores = new Map<string, Store>();

export function storeOf(name: string): Store {
  let store = stores.get(name);
  if (!store) {
    store = new Store();
    stores.set(name, store);
  }
  return store;
}

/** What one thread did to a store. `key` absent: to all of it. `entry` absent: it was taken out. */
interface Change {
  readonly store: string;
  readonly key?: string;
  readonly entry?: Stored;
}

const channel = nodeChannel<Change>('proxy-cache', apply);

function apply({ store, key, entry }: Change): void {
  if (key === undefined) storeOf(store).clear();
  else if (entry) storeOf(store).set(key, entry);
  else storeOf(store).delete(key);
}

/** Keeps an answer in every thread. */
export function keepEverywhere(store: string, key: string, entry: Stored): void {
  const shared = new Uint8Array(new SharedArrayBuffer(entry.body.length));
  shared.set(entry.body);
  const change = { store, key, entry: { ...entry, body: shared } };
  apply(change);
  channel.post(change);
}

/** Drops an answer, or all of them, in every thread. */
export function dropEverywhere(store: string, key?: string): void {
  const change = key === undefined ? { store } : { store, key };
  apply(change);
  channel.post(change);
}
