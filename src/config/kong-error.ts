/** Problems of a configuration in the form that Kong's `POST /config` answers with. */
import type { Problem, ProblemEntity } from './load.js';
import type { Path } from './schema/field.js';

export interface KongError {
  readonly code: 14;
  readonly name: 'invalid declarative configuration';
  readonly message: string;
  readonly fields: Record<string, unknown>;
  readonly flattened_errors?: readonly FlattenedError[];
}

export interface FlattenedError {
  readonly entity_type: string;
  readonly entity_id?: string;
  readonly entity_name?: string;
  readonly entity_tags?: readonly string[];
  readonly entity: unknown;
  readonly errors: readonly { type: 'field' | 'entity'; field?: string; message: string }[];
}

type Tree = Record<string, unknown> | unknown[];

/**
 * The body of the 400 answer. `flatten` (the query argument `flatten_errors=1`): the errors of
 * entities go into a list by entity, and only the rest stays under `fields`.
 */
export function kongError(
  problems: readonly Problem[],
  options: { flatten?: boolean } = {},
): KongError {
  const whole = treeOf(problems);
  const error = {
    code: 14,
    name: 'invalid declarative configuration',
    message: `declarative config is invalid: ${luaText(whole)}`,
  } as const;
  if (!options.flatten) return { ...error, fields: whole };
  const rest = problems.filter((problem) => problem.entity === null);
  return { ...error, fields: treeOf(rest), flattened_errors: flatten(problems) };
}

/** What a tree of errors is made of. */
type Fault = Pick<Problem, 'path' | 'text' | 'at'> & { readonly parsed?: boolean };

/** Texts by place: a tree that mirrors the value; those about a record are in `@entity`. */
export function treeOf(problems: readonly Fault[]): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const { path, text, at, parsed = true } of problems) {
    if (!parsed) root.error ??= text;
    else if (path.length === 0) addEntityText(root, text);
    else if (at !== 'entity') putAt(root, path, text);
    else {
      const record = branchAt(root, path);
      if (record && !Array.isArray(record)) addEntityText(record, text);
    }
  }
  return root;
}

function addEntityText(record: Record<string, unknown>, text: string): void {
  record['@entity'] = [...((record['@entity'] as string[] | undefined) ?? []), text];
}

function putAt(root: Tree, path: Path, text: string): void {
  const parent = branchAt(root, path.slice(0, -1), path[path.length - 1]);
  if (parent) put(parent, path[path.length - 1], text);
}

/** The object or list at a path, made where it is missing; undefined where a text stands. */
function branchAt(root: Tree, path: Path, next?: string | number): Tree | undefined {
  let branch: Tree = root;
  for (const [index, step] of path.entries()) {
    const following = path[index + 1] ?? next;
    let below = get(branch, step);
    if (below === undefined) {
      below = typeof following === 'number' ? [] : {};
      put(branch, step, below);
    }
    if (typeof below !== 'object' || below === null) return undefined;
    branch = below as Tree;
  }
  return branch;
}

function get(branch: Tree, step: string | number): unknown {
  return Object.hasOwn(branch, step) ? (branch as Record<string, unknown>)[step] : undefined;
}

/** The first text at a place stays. List gaps become null in JSON, as in Kong. */
function put(branch: Tree, step: string | number, value: unknown): void {
  if (Object.hasOwn(branch, step)) return;
  // A plain assignment would set the prototype for a key named __proto__.
  const slot = { value, enumerable: true, writable: true, configurable: true };
  Object.defineProperty(branch, step, slot);
}

function flatten(problems: readonly Problem[]): FlattenedError[] {
  const groups = new Map<string, { entity: ProblemEntity; list: Problem[] }>();
  for (const problem of problems) {
    if (!problem.entity) continue;
    const key = JSON.stringify(problem.entity.path);
    const group = groups.get(key) ?? { entity: problem.entity, list: [] };
    group.list.push(problem);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ entity, list }) => ({
    entity_type: entity.type,
    ...(entity.id !== null && { entity_id: entity.id }),
    ...(entity.name !== null && { entity_name: entity.name }),
    ...(entity.tags !== null && { entity_tags: entity.tags }),
    entity: entity.raw,
    errors: list.map(({ at, path, text }) => {
      if (at === 'entity') return { type: 'entity', message: text };
      const below = path.slice(entity.path.length);
      const field = below.map((step) => (typeof step === 'number' ? step + 1 : step)).join('.');
      return { type: 'field', field, message: text };
    }),
  }));
}

/** A value as Lua would write it in one line: what Kong's message holds. */
export function luaText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value ?? 'nil');
  if (Array.isArray(value)) {
    const gaps = Object.keys(value).length < value.length;
    const items = value.map((item, index) => (gaps ? `[${index + 1}]=` : '') + luaText(item));
    return `{${items.filter(() => true).join(',')}}`;
  }
  const fields = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => {
      const name = /^[A-Za-z_]\w*$/.test(key) ? key : `[${JSON.stringify(key)}]`;
      return `${name}=${luaText(item)}`;
    });
  return `{${fields.join(',')}}`;
}
