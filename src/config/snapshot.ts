/** From valid, resolved entities to the frozen snapshot that the rest of the gateway reads. */
import { createHash } from 'node:crypto';
import { itemsPerStep, runSteps, type Steps } from '../slices.js';
import type { Collected, Draft } from './collect.js';
import { type Collection, entityKinds } from './entities.js';
import { shaped } from './entity-shapes.js';
import type { Snapshot } from './model.js';
import type { Fields } from './schema/field.js';

type Entity = Record<string, unknown>;
type Lists = Record<Collection, Entity[]>;

/** Gives a config with its references replaced. */
export type SecretReader = (fields: Fields, value: Readonly<Entity>) => Readonly<Entity>;

/** What runs before anything is loaded. */
export const emptySnapshot: Snapshot = runSteps(snapshotOf(emptyLists(), {}, '0'.repeat(32)));

/** Drafts without errors. Entities keep the order of the document within their collection. */
export function* buildSnapshot(
  { drafts, transform }: Pick<Collected, 'drafts' | 'transform'>,
  text: string,
  nowMs: number,
  secrets: SecretReader = (_fields, value) => value,
): Steps<Snapshot> {
  const nowSeconds = Math.floor(nowMs / 1000);
  const built = new Map<Draft, Entity>();
  const lists = emptyLists();
  const entities: Record<string, Record<string, unknown>> = {};
  for (const kind of Object.values(entityKinds)) {
    const parents = Object.keys(kind.parents);
    for (const [index, draft] of drafts.filter((one) => one.kind === kind).entries()) {
      if (index % itemsPerStep === 0) yield;
      const precise = kind.collection === 'targets';
      const entity = ownFields(draft, precise ? nowMs / 1000 : nowSeconds, transform);
      const { config } = entity;
      for (const field of parents) {
        const target = draft.foreign.get(field);
        entity[field] = target ? built.get(target) : null;
      }
      if (draft.fields) entity.config = secrets(draft.fields, config as Entity);
      const linked = shaped(kind.collection, entity);
      // Views of the configuration show the reference, what runs has the secret.
      if (draft.fields) entity.config = config;
      for (const field of parents) {
        const target = draft.foreign.get(field);
        if (target) entity[field] = { id: target.id };
      }
      built.set(draft, linked);
      lists[kind.collection].push(linked);
      entities[kind.collection] ??= {};
      entities[kind.collection][draft.id] = shaped(kind.collection, entity);
    }
  }
  return yield* snapshotOf(lists, entities, createHash('md5').update(text).digest('hex'));
}

function emptyLists(): Lists {
  return Object.fromEntries(Object.keys(entityKinds).map((name) => [name, []])) as unknown as Lists;
}

function* snapshotOf(
  {
    upstreams,
    targets,
    services,
    routes,
    consumers,
    plugins,
    consumer_groups: consumerGroups,
    consumer_group_consumers: memberships,
    filter_chains: filterChains,
    vaults: _vaults,
    key_sets: _keySets,
    keys: _keys,
    workspaces: _workspaces,
    certificates,
    snis,
    ca_certificates: caCertificates,
    ...credentials
  }: Lists,
  entities: Record<string, unknown>,
  hash: string,
): Steps<Snapshot> {
  // The schemas of the collections guarantee the types of the model.
  const snapshot = {
    upstreams,
    targets,
    services,
    routes,
    consumers,
    plugins,
    filterChains,
    consumerGroups,
    memberships,
    certificates,
    snis,
    caCertificates,
    credentials,
    hash,
    entities,
  };
  for (const list of [...Object.values(entities), ...Object.values(snapshot)]) {
    yield* freezeItems(list);
  }
  return freeze(snapshot) as unknown as Snapshot;
}

function ownFields(draft: Draft, nowSeconds: number, transform: boolean): Entity {
  const { kind, value } = draft;
  const parentId = (field: string) => draft.foreign.get(field)?.id ?? '';
  const made = transform && kind.transform ? kind.transform(value, parentId) : value;
  const entity: Entity = { ...made, id: draft.id, created_at: value.created_at ?? nowSeconds };
  if ('updated_at' in value) entity.updated_at = value.updated_at ?? nowSeconds;
  return entity;
}

/** Freezes what a collection holds, but not itself. */
function* freezeItems(collection: unknown): Steps<void> {
  if (typeof collection !== 'object' || collection === null) return;
  for (const [index, item] of Object.values(collection).entries()) {
    if (index % itemsPerStep === 0) yield;
    freeze(item);
  }
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const name in value) freeze(value[name]);
  return value;
}
