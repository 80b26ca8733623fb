/**
 * Shared data of filters in several threads: a hash table in shared memory. Entries of one bucket
 * are a list; a new value is written completely before it takes the old one's place.
 *
 *   entry: next, hash, key bytes, value bytes, cas (words), key, value
 */
import { limits } from '../../limits.js';
import { Status } from '../abi.js';
import type { SharedValue, SharedValues } from '../shared-data.js';
import { lockWords, type SharedMemory } from './shared-memory.js';

/** Words of the table at the start of the memory. */
const CAS = lockWords;
const KEYS = CAS + 1;
const BYTES = CAS + 2;
const BUCKETS = CAS + 3;
const bucketCount = 16_384;
export const dataWords = BUCKETS + bucketCount;

const NEXT = 0;
const HASH = 1;
const KEY_BYTES = 2;
const VALUE_BYTES = 3;
const ENTRY_CAS = 4;
const entryHeadBytes = 20;

export class ThreadData implements SharedValues {
  readonly #memory: SharedMemory;

  constructor(memory: SharedMemory) {
    this.#memory = memory;
  }

  get(scope: string, key: string): SharedValue | undefined {
    const name = place(scope, key);
    return this.#memory.locked(() => {
      const { words, bytes } = this.#memory;
      const entry = this.#find(name).entry;
      if (entry === 0) return undefined;
      const at = entry >> 2;
      const from = entry + entryHeadBytes + words[at + KEY_BYTES];
      const value = bytes.slice(from, from + words[at + VALUE_BYTES]);
      return { value, cas: words[at + ENTRY_CAS] >>> 0 };
    });
  }

  set(scope: string, key: string, value: Uint8Array | null, cas: number): number {
    const name = place(scope, key);
    return this.#memory.locked(() => {
      const { words } = this.#memory;
      const { entry, link } = this.#find(name);
      if (cas !== 0 && (entry === 0 || cas !== words[(entry >> 2) + ENTRY_CAS] >>> 0)) {
        return Status.CAS_MISMATCH;
      }
      if (value === null) {
        if (entry !== 0) this.#remove(entry, link);
        return Status.OK;
      }
      return this.#put(name, value, entry, link);
    });
  }

  /** The entry of a key, 0: none, and the word that points to it or ends its list. */
  #find(name: Uint8Array): { entry: number; link: number } {
    const { words, bytes } = this.#memory;
    const hash = hashOf(name);
    let link = BUCKETS + (hash & (bucketCount - 1));
    for (;;) {
      const entry = words[link];
      if (entry === 0) return { entry, link };
      const at = entry >> 2;
      if (words[at + HASH] === hash && words[at + KEY_BYTES] === name.length) {
        const from = entry + entryHeadBytes;
        if (name.every((octet, i) => bytes[from + i] === octet)) return { entry, link };
      }
      link = at + NEXT;
    }
  }

  #put(name: Uint8Array, value: Uint8Array, old: number, link: number): number {
    const { words, bytes } = this.#memory;
    const before = old === 0 ? 0 : this.#sizeOf(old);
    const size = words[BYTES] - before + name.length + value.length;
    const full = old === 0 && words[KEYS] >= limits.filterSharedKeys.value;
    if (full || size > limits.filterSharedBytes.value) return Status.INTERNAL_FAILURE;
    const entry = this.#memory.allocate(entryHeadBytes + name.length + value.length);
    if (entry === 0) return Status.INTERNAL_FAILURE;
    const at = entry >> 2;
    words[at + NEXT] = old === 0 ? 0 : words[(old >> 2) + NEXT];
    words[at + HASH] = hashOf(name);
    words[at + KEY_BYTES] = name.length;
    words[at + VALUE_BYTES] = value.length;
    words[at + ENTRY_CAS] = this.#nextCas();
    bytes.set(name, entry + entryHeadBytes);
    bytes.set(value, entry + entryHeadBytes + name.length);
    words[link] = entry;
    words[BYTES] = size;
    if (old === 0) words[KEYS]++;
    else this.#memory.free(old);
    return Status.OK;
  }

  #remove(entry: number, link: number): void {
    const { words } = this.#memory;
    words[link] = words[(entry >> 2) + NEXT];
    words[BYTES] -= this.#sizeOf(entry);
    words[KEYS]--;
    this.#memory.free(entry);
  }

  #sizeOf(entry: number): number {
    const { words } = this.#memory;
    return words[(entry >> 2) + KEY_BYTES] + words[(entry >> 2) + VALUE_BYTES];
  }

  /** 1 to 2^32 - 1. */
  #nextCas(): number {
    const { words } = this.#memory;
    words[CAS] = words[CAS] === -1 ? 1 : words[CAS] + 1;
    return words[CAS];
  }
}

const place = (scope: string, key: string): Uint8Array =>
  Buffer.from(`${scope.length}:${scope}${key}`);

/** FNV-1a; keys come from filters, which have a limit to their number. */
function hashOf(name: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const octet of name) hash = Math.imul(hash ^ octet, 0x01000193);
  return hash | 0;
}
