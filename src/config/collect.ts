/** Walks the top level of a document and takes its entities, nested ones too, apart into a list. */
import { itemsPerStep, type Steps } from '../slices.js';
import {
  type Collection,
  childrenOf,
  type EntityKind,
  entityKinds,
  formatVersions,
} from './entities.js';
import { didYouMean } from './nearest.js';
import { EnvText } from './schema/env-text.js';
import type { Fields, Path, SchemaError } from './schema/field.js';
import { isObject } from './schema/object.js';

/** An entity on its way from the document to the snapshot. */
export interface Draft {
  readonly kind: EntityKind;
  readonly path: Path;
  /** As written, without nested entities and comments. */
  readonly input: Record<string, unknown>;
  /** The entity that this one is nested in, and the field that refers to it. */
  readonly parent: { readonly field: string; readonly draft: Draft } | null;
  readonly errors: SchemaError[];
  /** After validation. */
  value: Record<string, unknown>;
  /** Fields of the `config` of a known plugin. */
  fields: Fields | null;
  id: string;
  /** Resolved references by field. */
  readonly foreign: Map<string, Draft>;
}

export interface Collected {
  readonly drafts: Draft[];
  readonly errors: SchemaError[];
  readonly formatVersion: string;
  /** `_transform`: false where passwords and the like are stored as they are given. */
  readonly transform: boolean;
}

const metaKeys = ['_format_version', '_transform', '_comment', '_ignore'];
const children = Object.fromEntries(
  Object.keys(entityKinds).map((name) => [name, childrenOf(name as Collection)]),
) as Record<Collection, ReadonlyMap<Collection, string>>;

/**
 * Works in steps. `root` is a document's value; anything but an object gives the error `expected an
 * object`.
 */
export function* collectEntities(root: unknown): Steps<Collected> {
  const errors: SchemaError[] = [];
  const drafts: Draft[] = [];
  if (!isObject(root)) {
    errors.push({ path: [], message: 'expected an object', at: 'value' });
    return { drafts, errors, formatVersion: '3.0', transform: true };
  }
  const report = (path: Path, message: string, at: SchemaError['at'] = 'value', hint?: string) => {
    errors.push({ path, message, at, hint });
  };
  const formatVersion = checkMeta(root, report);
  const known = Object.keys(entityKinds);
  for (const [key, value] of Object.entries(root)) {
    if (metaKeys.includes(key)) continue;
    if (Object.hasOwn(entityKinds, key)) {
      yield* takeTopList(entityKinds[key as Collection], value, key, drafts, errors);
    } else {
      report([key], 'unknown field', 'key', didYouMean(key, [...known, ...metaKeys]));
    }
  }
  return { drafts, errors, formatVersion, transform: root._transform !== false };
}

type Report = (path: Path, message: string, at?: SchemaError['at'], hint?: string) => void;

function checkMeta(root: Record<string, unknown>, report: Report): string {
  const version = root._format_version;
  const path = ['_format_version'];
  const hint = `write _format_version: "3.0"`;
  const known = formatVersions.find((name) => name === version);
  if (version === undefined || version === null) {
    report(path, 'required field missing', 'value', hint);
  } else if (typeof version !== 'string') {
    report(path, 'expected a string', 'value', hint);
  } else if (!known) {
    report(path, `expected one of: ${formatVersions.join(', ')}`);
  }
  const transform = root._transform ?? true;
  if (typeof transform !== 'boolean') report(['_transform'], 'expected a boolean');
  checkNotes(root, [], report);
  return known ?? '3.0';
}

/** `_comment` and `_ignore`, which every level may carry. */
function checkNotes(record: Record<string, unknown>, path: Path, report: Report): void {
  const { _comment: comment = null, _ignore: ignore = null } = record;
  const text = typeof comment === 'string' || comment instanceof EnvText;
  if (comment !== null && !text) report([...path, '_comment'], 'expected a string');
  if (ignore !== null && !Array.isArray(ignore)) report([...path, '_ignore'], 'expected an array');
}

function* takeTopList(
  kind: EntityKind,
  value: unknown,
  name: string,
  drafts: Draft[],
  errors: SchemaError[],
): Steps<void> {
  if (!Array.isArray(value)) {
    takeList(kind, value, [name], null, drafts, errors);
    return;
  }
  for (let index = 0; index < value.length; index++) {
    if (index % itemsPerStep === 0) yield;
    takeItem(kind, value[index], [name, index], null, drafts, errors);
  }
}

function takeList(
  kind: EntityKind,
  value: unknown,
  path: Path,
  parent: Draft['parent'],
  drafts: Draft[],
  errors: SchemaError[],
): void {
  if (value === null) return;
  if (!Array.isArray(value)) {
    errors.push({ path, message: 'expected an array', at: 'value' });
    return;
  }
  value.forEach((item, index) => {
    takeItem(kind, item, [...path, index], parent, drafts, errors);
  });
}

function takeItem(
  kind: EntityKind,
  item: unknown,
  path: Path,
  parent: Draft['parent'],
  drafts: Draft[],
  errors: SchemaError[],
): void {
  if (isObject(item)) takeEntity(kind, item, path, parent, drafts, errors);
  else errors.push({ path, message: 'expected a record', at: 'value' });
}

function takeEntity(
  kind: EntityKind,
  item: Record<string, unknown>,
  path: Path,
  parent: Draft['parent'],
  drafts: Draft[],
  errors: SchemaError[],
): void {
  const input = { ...item };
  if ('_comment' in input) delete input._comment;
  if ('_ignore' in input) delete input._ignore;
  const draft: Draft = {
    kind,
    path,
    input,
    parent,
    errors: [],
    value: {},
    fields: null,
    id: '',
    foreign: new Map(),
  };
  drafts.push(draft);
  checkNotes(item, path, (place, message) => {
    draft.errors.push({ path: place, message, at: 'value' });
  });
  takeMemberships(draft, input);
  for (const [collection, field] of children[kind.collection]) {
    if (!Object.hasOwn(input, collection)) continue;
    takeList(
      entityKinds[collection],
      input[collection],
      [...path, collection],
      { field, draft },
      drafts,
      errors,
    );
    delete input[collection];
  }
  if (!parent) return;
  if ((input[parent.field] ?? null) !== null) {
    const message = 'value must be null';
    const hint = `a nested ${kind.type} belongs to the ${parent.draft.kind.type} around it`;
    draft.errors.push({ path: [...path, parent.field], message, at: 'value', hint });
  }
  delete input[parent.field];
}

/** The short forms of membership: `groups` of a consumer, `consumers` of a group. */
const memberNames: Readonly<Partial<Record<Collection, readonly [string, string]>>> = {
  consumers: ['groups', 'consumer_group'],
  consumer_groups: ['consumers', 'consumer'],
};

/** Rewrites names, `{ name }` and `{ username }` in a short form to memberships. */
function takeMemberships(draft: Draft, input: Record<string, unknown>): void {
  const [name, field] = memberNames[draft.kind.collection] ?? [];
  if (name === undefined || field === undefined || !Object.hasOwn(input, name)) return;
  const given = input[name] ?? [];
  delete input[name];
  const path = [...draft.path, name];
  if (!Array.isArray(given)) {
    draft.errors.push({ path, message: 'expected an array', at: 'value' });
    return;
  }
  const members = given.map((item) => ({ [field]: item }));
  const known = input.consumer_group_consumers;
  input.consumer_group_consumers = Array.isArray(known) ? [...known, ...members] : members;
}
