/**
 * Consumers and credentials of one snapshot by their unique fields. The maps are made when a field
 * is asked for the first time; from then on a look-up is one step, however many entities there are.
 */
import type {
  Consumer,
  ConsumerGroup,
  CredentialCollection,
  CredentialOf,
  Snapshot,
  Upstream,
} from './model.js';

type Row = Readonly<Record<string, unknown>>;

const none: readonly never[] = Object.freeze([]);

export class EntityLookup {
  readonly #snapshot: Snapshot;
  readonly #unique = new Map<string, ReadonlyMap<string, Row>>();
  readonly #owned = new Map<CredentialCollection, ReadonlyMap<string, readonly Row[]>>();
  #groups: ReadonlyMap<string, readonly ConsumerGroup[]> | null = null;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** A consumer by `id`, `username` or `custom_id`; null where there is none. */
  consumer(field: 'id' | 'username' | 'custom_id', value: string): Consumer | null {
    const rows = this.#snapshot.consumers as readonly unknown[];
    return (this.#map(`consumers ${field}`, rows as Row[], field).get(value) ??
      null) as Consumer | null;
  }

  /** An upstream by its name; null where there is none. */
  upstream(name: string): Upstream | null {
    const rows = this.#snapshot.upstreams as readonly unknown[];
    return (this.#map('upstreams name', rows as Row[], 'name').get(name) ??
      null) as Upstream | null;
  }

  /**
   * A credential by a unique field; null where there is none or its `ttl` is over.
   * @param nowMs epoch milliseconds, for `ttl`
   */
  find<C extends CredentialCollection>(
    collection: C,
    field: string,
    value: string,
    nowMs = Date.now(),
  ): CredentialOf[C] | null {
    const rows = this.#rows(collection);
    const found = this.#map(`${collection} ${field}`, rows, field).get(value);
    if (!found || hasEnded(found, nowMs)) return null;
    return found as unknown as CredentialOf[C];
  }

  /** The entities of a collection that belong to a consumer, in the order of the document. */
  ofConsumer<C extends CredentialCollection>(
    collection: C,
    consumerId: string,
  ): readonly CredentialOf[C][] {
    let map = this.#owned.get(collection);
    if (!map) {
      map = grouped(this.#rows(collection));
      this.#owned.set(collection, map);
    }
    return (map.get(consumerId) ?? none) as unknown as readonly CredentialOf[C][];
  }

  /** The groups of a consumer, by name. */
  groupsOf(consumerId: string): readonly ConsumerGroup[] {
    this.#groups ??= this.#groupMap();
    return this.#groups.get(consumerId) ?? none;
  }

  #rows(collection: CredentialCollection): readonly Row[] {
    return this.#snapshot.credentials[collection] as unknown as readonly Row[];
  }

  #map(name: string, rows: readonly Row[], field: string): ReadonlyMap<string, Row> {
    let map = this.#unique.get(name);
    if (!map) {
      const made = new Map<string, Row>();
      for (const row of rows) {
        const value = row[field];
        if (typeof value === 'string' && !made.has(value)) made.set(value, row);
      }
      this.#unique.set(name, made);
      map = made;
    }
    return map;
  }

  #groupMap(): Map<string, readonly ConsumerGroup[]> {
    const made = new Map<string, ConsumerGroup[]>();
    for (const { consumer, consumer_group: group } of this.#snapshot.memberships) {
      const list = made.get(consumer.id);
      if (list) list.push(group);
      else made.set(consumer.id, [group]);
    }
    for (const list of made.values()) list.sort((a, b) => (a.name < b.name ? -1 : 1));
    return made;
  }
}

function grouped(rows: readonly Row[]): Map<string, readonly Row[]> {
  const made = new Map<string, Row[]>();
  for (const row of rows) {
    const owner = (row.consumer as Consumer | undefined)?.id;
    if (owner === undefined) continue;
    const list = made.get(owner);
    if (list) list.push(row);
    else made.set(owner, [row]);
  }
  return made;
}

function hasEnded(row: Row, nowMs: number): boolean {
  const { ttl, created_at: createdAt } = row as { ttl?: number | null; created_at: number };
  return typeof ttl === 'number' && ttl > 0 && (createdAt + ttl) * 1000 <= nowMs;
}
