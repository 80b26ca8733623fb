/**
 * A plugin's own cache: least recently used entries go first, loads of one key run once, absence is
 * kept like a value. It outlives configurations and belongs to one worker.
 */
import { limits } from '../../limits.js';
import type { AnyPlugin } from '../define.js';
import type { CacheOptions, PluginCache } from '../pdk-types.js';

interface Entry {
  readonly value: unknown;
  /** Milliseconds of the clock; Infinity: for ever. */
  readonly freshUntilMs: number;
  readonly usableUntilMs: number;
}

const caches = new WeakMap<AnyPlugin, LruCache>();

/** The cache of a plugin. */
export function cacheOf(plugin: AnyPlugin): PluginCache {
  let cache = caches.get(plugin);
  if (!cache) {
    cache = new LruCache();
    caches.set(plugin, cache);
  }
  return cache;
}

export class LruCache implements PluginCache {
  readonly #entries = new Map<string, Entry>();
  readonly #loads = new Map<string, Promise<unknown>>();
  readonly #now: () => number;
  readonly #most: number;

  /** @param now monotonic milliseconds @param most entries */
  constructor(now = () => performance.now(), most: number = limits.pluginCacheEntries.value) {
    this.#now = now;
    this.#most = most;
  }

  get<T>(key: string, options: CacheOptions, load: () => T | Promise<T>): Promise<T> {
    const known = this.#fresh(key);
    if (known) return Promise.resolve(known.value as T);
    const running = this.#loads.get(key);
    if (running) return running as Promise<T>;
    const loading = this.#load(key, options, load);
    this.#loads.set(key, loading);
    return loading;
  }

  peek<T>(key: string): T | undefined {
    return this.#fresh(key)?.value as T | undefined;
  }

  set(key: string, value: unknown, ttlMs = 0): void {
    this.#put(key, value, ttlMs, 0);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  async #load<T>(key: string, options: CacheOptions, load: () => T | Promise<T>): Promise<T> {
    const { ttlMs = 0, negativeTtlMs = ttlMs, staleMs = 0 } = options;
    try {
      const value = await load();
      const isAbsent = value === null || value === undefined;
      this.#put(key, value, isAbsent ? negativeTtlMs : ttlMs, staleMs);
      return value;
    } catch (error) {
      const old = this.#entries.get(key);
      if (old && this.#now() < old.usableUntilMs) return old.value as T;
      throw error;
    } finally {
      this.#loads.delete(key);
    }
  }

  #fresh(key: string): Entry | null {
    const entry = this.#entries.get(key);
    if (!entry) return null;
    const now = this.#now();
    if (now >= entry.usableUntilMs) this.#entries.delete(key);
    if (now >= entry.freshUntilMs) return null;
    // The map keeps the order of insertion: what is used moves to the end.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  #put(key: string, value: unknown, ttlMs: number, staleMs: number): void {
    const freshUntilMs = ttlMs > 0 ? this.#now() + ttlMs : Number.POSITIVE_INFINITY;
    this.#entries.delete(key);
    this.#entries.set(key, { value, freshUntilMs, usableUntilMs: freshUntilMs + staleMs });
    if (this.#entries.size <= this.#most) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest);
  }
}
