/** Ids of entities that were given none: made from names, so that one text gives the same ids. */
import { createHash } from 'node:crypto';
import type { Draft } from './collect.js';
import { unwrap } from './schema/env-text.js';

/** Kong's root namespace for generated ids, so that both give the same entity the same id. */
const rootNamespace = 'fd02801f-0957-4a15-a55a-c8d9606f30b5';
/** Bytes of the namespaces of the collections. */
const namespaces = new Map<string, Buffer>();

/** UUID version 5 (RFC 9562 5.5): SHA-1 of the namespace's bytes and the name. */
export function uuidV5(namespace: string, name: string): string {
  return uuidIn(bytesOf(namespace), name);
}

function bytesOf(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

function uuidIn(namespace: Buffer, name: string): string {
  const hex = createHash('sha1').update(namespace).update(name).digest('hex');
  const variant = ((Number.parseInt(hex[16], 16) & 0x3) | 0x8).toString(16);
  const middle = `${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}`;
  return `${hex.slice(0, 8)}-${middle}-${hex.slice(20, 32)}`;
}

function idFrom(collection: string, name: string): string {
  let namespace = namespaces.get(collection);
  if (!namespace) {
    namespace = bytesOf(uuidV5(rootNamespace, collection));
    namespaces.set(collection, namespace);
  }
  return uuidIn(namespace, name);
}

export function givenId(draft: Draft): string | undefined {
  const id = unwrap(draft.input.id);
  return typeof id === 'string' ? id : undefined;
}

export function textOf(draft: Draft, field: string): string | undefined {
  const value = unwrap(draft.input[field]);
  return typeof value === 'string' ? value : undefined;
}

/** The same text gives the same ids: names where there are any, else the content and its count. */
export function generatedId(draft: Draft, unnamed: Map<string, number>): string {
  const { collection, key } = draft.kind;
  if (collection === 'plugins') return idFrom(collection, pluginKey(draft));
  const name = key === null ? undefined : textOf(draft, key);
  if (name !== undefined) return idFrom(collection, name);
  const together = combination(draft);
  if (together !== undefined) return idFrom(collection, [collection, '*', ...together].join(':'));
  const content = JSON.stringify([collection, draft.parent?.draft.id, unwrap(draft.input)]);
  const count = unnamed.get(content) ?? 0;
  unnamed.set(content, count + 1);
  return idFrom(collection, `${content}:${count}`);
}

/** The values that are unique together, ids for references; undefined where one is missing. */
export function combination(draft: Draft): string[] | undefined {
  const { uniqueTogether } = draft.kind;
  const values = uniqueTogether?.map(
    (field) => draft.foreign.get(field)?.id ?? settledText(draft, field),
  );
  return values?.every((value) => value !== undefined) ? (values as string[]) : undefined;
}

/** The text of a field in the form that is kept, where it is valid. */
function settledText(draft: Draft, field: string): string | undefined {
  const { [field]: value } = draft.value;
  return typeof value === 'string' ? value : textOf(draft, field);
}

/** Kong's cache key of a plugin; `*` is the workspace. References count as they are written. */
function pluginKey(draft: Draft): string {
  const scope = ['route', 'service', 'consumer'].map((field) => {
    if (draft.parent?.field === field) return draft.parent.draft.id;
    const given = unwrap(draft.input[field]);
    return typeof given === 'string' ? given : (draft.foreign.get(field)?.id ?? '');
  });
  const group = draft.foreign.get('consumer_group')?.id;
  if (group !== undefined) scope.push(group);
  return ['plugins', '*', textOf(draft, 'name') ?? '', ...scope].join(':');
}
