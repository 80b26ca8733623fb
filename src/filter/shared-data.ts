/**
 * Values that filters share by key, with compare-and-set. A number (`cas`) is given to each value
 * written; numbers grow over all keys and never come back, so that a value that was removed and
 * written again is seen as another one.
 */
import { limits } from '../limits.js';
import { Status } from './abi.js';

export interface SharedValue {
  readonly value: Uint8Array;
  /** 1 to 2^32 - 1; never 0. */
  readonly cas: number;
}

export interface SharedValues {
  /** `scope` keeps key spaces apart; `key` is text of one character per byte. */
  get(scope: string, key: string): SharedValue | undefined;
  /**
   * Writes a value; null removes it. `cas` 0 always writes, another number only where the value in
   * place has it. @returns OK, CAS_MISMATCH, INTERNAL_FAILURE where it does not fit
   */
  set(scope: string, key: string, value: Uint8Array | null, cas: number): number;
}

/** The values of one thread. */
export class SharedData implements SharedValues {
  readonly #values = new Map<string, SharedValue>();
  #bytes = 0;
  #cas = 0;
  /** Writes refused because a limit was reached. */
  refused = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get keys(): number {
    return this.#values.size;
  }

  get(scope: string, key: string): SharedValue | undefined {
    return this.#values.get(place(scope, key));
  }

  set(scope: string, key: string, value: Uint8Array | null, cas: number): number {
    const at = place(scope, key);
    const known = this.#values.get(at);
    if (cas !== 0 && cas !== known?.cas) return Status.CAS_MISMATCH;
    const before = known ? at.length + known.value.length : 0;
    if (value === null) {
      this.#values.delete(at);
      this.#bytes -= before;
      return Status.OK;
    }
    const bytes = this.#bytes - before + at.length + value.length;
    const full = !known && this.#values.size >= limits.filterSharedKeys.value;
    if (full || bytes > limits.filterSharedBytes.value) {
      this.refused++;
      return Status.INTERNAL_FAILURE;
    }
    this.#cas = (this.#cas % 0xffffffff) + 1;
    this.#values.set(at, { value, cas: this.#cas });
    this.#bytes = bytes;
    return Status.OK;
  }
}

const place = (scope: string, key: string): string => `${scope.length}:${scope}${key}`;
