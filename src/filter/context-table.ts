/**
 * The contexts of one instance by id. An exchange takes one for each of its filters and gives it
 * back soon, so they stand in an array at the low bits of their id, and ids are chosen to fit.
 */
import type { Context } from './context.js';

const firstPlaces = 64;
/** Ids are positive and 32 bits wide for filters; a filter would need years to use them up. */
const idMax = 0x7fffffff;

export class ContextTable {
  size = 0;
  #places: (Context | null)[] = new Array<Context | null>(firstPlaces).fill(null);
  #mask = firstPlaces - 1;
  #next = 1;

  /** An id for the next context to be added. */
  freeId(): number {
    if (2 * this.size >= this.#places.length) this.#grow();
    let id = this.#next;
    while (this.#places[id & this.#mask] !== null) id = following(id);
    this.#next = following(id);
    return id;
  }

  /** `context` has an id from `freeId`. */
  add(context: Context): void {
    this.#places[context.id & this.#mask] = context;
    this.size++;
  }

  get(id: number): Context | undefined {
    const context = this.#places[id & this.#mask];
    return context !== null && context.id === id ? context : undefined;
  }

  delete(context: Context): void {
    const place = context.id & this.#mask;
    if (this.#places[place] !== context) return;
    this.#places[place] = null;
    this.size--;
  }

  all(): Context[] {
    return this.#places.filter((context): context is Context => context !== null);
  }

  clear(): void {
    this.#places.fill(null);
    this.size = 0;
  }

  #grow(): void {
    const known = this.all();
    this.#places = new Array<Context | null>(2 * this.#places.length).fill(null);
    this.#mask = this.#places.length - 1;
    for (const context of known) this.#places[context.id & this.#mask] = context;
  }
}

const following = (id: number): number => (id === idMax ? 1 : id + 1);
