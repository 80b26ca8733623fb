/** From valid, resolved entities to the frozen snapshot that the rest of the gateway reads. */
import { createHash } from 'node:crypto';
import type { Draft } from './collect.js';
import { type Collection, entityKinds } from './entities.js';
import type { Consumer, PluginEntity, Route, Service, Snapshot } from './model.js';

type Entity = Record<string, unknown>;

/** What runs before anything is loaded. */
export const emptySnapshot: Snapshot = freeze({
  services: [],
  routes: [],
  consumers: [],
  plugins: [],
  hash: '0'.repeat(32),
  entities: {},
});

/** `drafts`: without errors. Entities keep the order of the document within their collection. */
export function buildSnapshot(drafts: readonly Draft[], text: string, nowMs: number): Snapshot {
  const nowSeconds = Math.floor(nowMs / 1000);
  const built = new Map<Draft, Entity>();
  const lists: Record<Collection, Entity[]> = {
    services: [],
    routes: [],
    consumers: [],
    plugins: [],
  };
  const entities: Record<string, Record<string, unknown>> = {};
  for (const kind of Object.values(entityKinds)) {
    for (const draft of drafts) {
      if (draft.kind !== kind) continue;
      const own = ownFields(draft, nowSeconds);
      const linked: Entity = { ...own };
      const plain: Entity = { ...own };
      for (const field of Object.keys(kind.parents)) {
        const target = draft.foreign.get(field);
        linked[field] = target ? built.get(target) : null;
        plain[field] = target ? { id: target.id } : null;
      }
      built.set(draft, linked);
      lists[kind.collection].push(linked);
      entities[kind.collection] ??= {};
      entities[kind.collection][draft.id] = plain;
    }
  }
  return freeze({
    services: lists.services as unknown as Service[],
    routes: lists.routes as unknown as Route[],
    consumers: lists.consumers as unknown as Consumer[],
    plugins: lists.plugins as unknown as PluginEntity[],
    hash: createHash('md5').update(text).digest('hex'),
    entities,
  });
}

function ownFields(draft: Draft, nowSeconds: number): Entity {
  const { value } = draft;
  return {
    ...value,
    id: draft.id,
    created_at: value.created_at ?? nowSeconds,
    updated_at: value.updated_at ?? nowSeconds,
  };
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) freeze(item);
  return value;
}
