/**
 * Numbers for keys, below a limit. A key that is not used any more keeps its number, and what is
 * known under it, until the number is needed by another key.
 */
import type { Clock } from '../time.js';

interface Entry {
  readonly key: string;
  /** When it was last used; null: it is in use. */
  idleSinceMs: number | null;
}

export interface KeptNumbersOptions {
  readonly clock: Clock;
  readonly limit: number;
  /** How long an unused key keeps its number at least. */
  readonly keepMs: number;
  /** Whether a number may go to another key; default: always. */
  readonly mayPass?: (number: number) => boolean;
  /** A number got a key, for the first time or again. */
  readonly taken?: (number: number) => void;
}

export class KeptNumbers {
  readonly #options: KeptNumbersOptions;
  readonly #entries: Entry[] = [];
  readonly #numbers = new Map<string, number>();

  constructor(options: KeptNumbersOptions) {
    this.#options = options;
  }

  /** The number of a key, which counts as used from here on; null: all are taken. */
  take(key: string): number | null {
    const number = this.#numbers.get(key) ?? this.#give(key);
    if (number !== null) this.#entries[number].idleSinceMs = null;
    return number;
  }

  /** Every key but these is unused from here on. */
  retain(keys: ReadonlySet<string>): void {
    const now = this.#options.clock.now();
    for (const entry of this.#entries) if (!keys.has(entry.key)) entry.idleSinceMs ??= now;
  }

  #give(key: string): number | null {
    const { limit, taken } = this.#options;
    let number = this.#entries.length;
    if (number >= limit) {
      const free = this.#oldestFree();
      if (free === null) return null;
      number = free;
      this.#numbers.delete(this.#entries[number].key);
    }
    this.#entries[number] = { key, idleSinceMs: null };
    this.#numbers.set(key, number);
    taken?.(number);
    return number;
  }

  #oldestFree(): number | null {
    const { clock, keepMs, mayPass } = this.#options;
    const before = clock.now() - keepMs;
    const found = this.#entries.findIndex(({ idleSinceMs }, number) => {
      return idleSinceMs !== null && idleSinceMs < before && (mayPass?.(number) ?? true);
    });
    return found < 0 ? null : found;
  }
}
