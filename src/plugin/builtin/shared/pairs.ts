/** `name:value` entries of the transformers, split at the first run of colons, as Kong does. */

export interface Pair {
  readonly name: string;
  /** Null: there was no colon. */
  readonly value: string | null;
}

const cache = new WeakMap<readonly string[], readonly Pair[]>();

/** The entries of a configured list, split once. */
export function pairsOf(list: readonly string[] | null): readonly Pair[] {
  if (!list || list.length === 0) return [];
  let known = cache.get(list);
  if (!known) {
    known = list.map(split);
    cache.set(list, known);
  }
  return known;
}

function split(entry: string): Pair {
  const colon = entry.indexOf(':');
  if (colon < 0) return { name: entry, value: null };
  return { name: entry.slice(0, colon), value: entry.slice(colon).replace(/^:+/, '') };
}
