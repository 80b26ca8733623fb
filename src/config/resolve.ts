/** Ids, references and uniqueness: what one entity owes to the others. */

import { itemsPerStep, type Steps } from '../slices.js';
import type { Draft } from './collect.js';
import { type Collection, entityKinds } from './entities.js';
import { combination, generatedId, givenId, textOf } from './ids.js';
import { nearest } from './nearest.js';
import { EnvText, shown, unwrap } from './schema/env-text.js';
import type { PluginSchemas } from './schema/field.js';
import { forbiddenScopes, type PluginScope, pluginScopes } from './schema/plugin.js';

interface Index {
  readonly byId: Map<string, Draft>;
  readonly byKey: Map<string, Draft>;
  /** Keys that messages may name: those not from the environment. */
  readonly keys: string[];
}

/** Links the drafts with each other and reports what does not fit; fills `id` and `foreign`. */
export function* resolveEntities(drafts: readonly Draft[], plugins: PluginSchemas): Steps<void> {
  const unnamed = new Map<string, number>();
  const indexes = {} as Record<Collection, Index>;
  for (const collection of Object.keys(entityKinds) as Collection[]) {
    const index: Index = { byId: new Map(), byKey: new Map(), keys: [] };
    indexes[collection] = index;
    const own = drafts.filter((draft) => draft.kind.collection === collection);
    for (const [place, draft] of own.entries()) {
      if (place % itemsPerStep === 0) yield;
      resolveForeign(draft, indexes);
    }
    for (const [place, draft] of own.entries()) {
      if (place % itemsPerStep === 0) yield;
      draft.id = givenId(draft) ?? generatedId(draft, unnamed);
      addToIndex(draft, index);
    }
    yield* checkUnique(own);
  }
  checkPlugins(
    drafts.filter((draft) => draft.kind.collection === 'plugins'),
    drafts,
    plugins,
  );
}

function addToIndex(draft: Draft, index: Index): void {
  const { key } = draft.kind;
  if (!index.byId.has(draft.id)) index.byId.set(draft.id, draft);
  const name = key === null ? undefined : textOf(draft, key);
  if (name === undefined || key === null) return;
  if (!index.byKey.has(name)) index.byKey.set(name, draft);
  if (!(draft.input[key] instanceof EnvText)) index.keys.push(name);
}

function resolveForeign(draft: Draft, indexes: Record<Collection, Index>): void {
  if (draft.parent) draft.foreign.set(draft.parent.field, draft.parent.draft);
  for (const [field, reference] of Object.entries(draft.kind.parents)) {
    const given = draft.input[field] ?? null;
    const path = [...draft.path, field];
    if (given === null || draft.errors.some((error) => startsWith(error.path, path))) continue;
    const found = lookUp(given, indexes[reference], entityKinds[reference].key);
    if (typeof found !== 'string') {
      draft.foreign.set(field, found);
      continue;
    }
    const near = nearest(found, indexes[reference].keys);
    draft.errors.push({
      path,
      message: `invalid reference '${field}: ${found}' (no such entry in '${reference}')`,
      at: 'value',
      hint: near === undefined ? undefined : `did you mean '${near}'?`,
    });
  }
  for (const field of draft.kind.required ?? []) {
    const path = [...draft.path, field];
    if (draft.foreign.has(field) || draft.errors.some((error) => startsWith(error.path, path))) {
      continue;
    }
    draft.errors.push({ path, message: 'required field missing', at: 'value' });
  }
  checkAuthorities(draft, indexes.ca_certificates);
}

/** Authorities are named by their ids in a list. */
function checkAuthorities(draft: Draft, index: Index): void {
  const given = draft.value.ca_certificates;
  if (draft.kind.collection !== 'services' || !Array.isArray(given)) return;
  given.forEach((id: string, position) => {
    if (index.byId.has(id)) return;
    const path = [...draft.path, 'ca_certificates', position];
    const message = `invalid reference '${id}' (no such entry in 'ca_certificates')`;
    draft.errors.push({ path, message, at: 'value' });
  });
}

/** The entity referred to, or what a message may show of the reference. */
function lookUp(given: unknown, index: Index, key: string | null): Draft | string {
  if (typeof given === 'string' || given instanceof EnvText) {
    const text = unwrap(given) as string;
    return index.byId.get(text) ?? index.byKey.get(text) ?? shown(given);
  }
  const [[member, value]] = Object.entries(given as Record<string, unknown>);
  const text = unwrap(value) as string;
  const found = member === 'id' ? index.byId.get(text) : undefined;
  return found ?? (member === key ? index.byKey.get(text) : undefined) ?? shown(value);
}

function startsWith(path: readonly unknown[], start: readonly unknown[]): boolean {
  return start.every((step, index) => path[index] === step);
}

function* checkUnique(drafts: readonly Draft[]): Steps<void> {
  const seen = new Map<string, Draft>();
  const byField = new Map<string, Set<string>>();
  const check = (draft: Draft, field: string, value: unknown, what: string) => {
    let taken = byField.get(field);
    if (!taken) {
      taken = new Set();
      byField.set(field, taken);
    }
    const text = unwrap(value) as string;
    if (!taken.has(text)) {
      taken.add(text);
      return;
    }
    draft.errors.push({
      path: [...draft.path, field],
      message:
        `uniqueness violation: '${draft.kind.collection}' entity with ` +
        `${what} set to '${secretFields.has(field) ? '***' : shown(value)}' already declared`,
      at: 'value',
    });
  };
  for (const [place, draft] of drafts.entries()) {
    if (place % itemsPerStep === 0) yield;
    if (givenId(draft) !== undefined) check(draft, 'id', draft.input.id, 'primary key');
    for (const field of draft.kind.unique) {
      if (textOf(draft, field) !== undefined) check(draft, field, draft.input[field], field);
    }
    const together = combination(draft);
    if (together) checkCombination(draft, together, seen);
  }
}

/** Unique fields that are secrets: messages do not show them. */
const secretFields: ReadonlySet<string> = new Set(['key', 'access_token', 'refresh_token']);

function checkCombination(draft: Draft, together: string[], seen: Map<string, Draft>): void {
  const key = JSON.stringify(together);
  if (!seen.has(key)) {
    seen.set(key, draft);
    return;
  }
  const { collection, uniqueTogether = [] } = draft.kind;
  const what = uniqueTogether.map((field, index) => `${field}="${together[index]}"`).join(',');
  draft.errors.push({
    path: draft.path,
    message: `uniqueness violation: '${collection}' entity with {${what}} already declared`,
    at: 'entity',
  });
}

function checkPlugins(own: readonly Draft[], all: readonly Draft[], plugins: PluginSchemas): void {
  const seen = new Set<string>();
  const routes = routesByService(all);
  for (const draft of own) {
    const scopes = pluginScopes.filter((scope) => draft.foreign.has(scope));
    checkScopes(draft, scopes, plugins);
    checkProtocols(draft, routes);
    const name = textOf(draft, 'name');
    if (name === undefined || draft.errors.some((error) => isScope(error.path.at(-1)))) continue;
    const place = scopes.map((scope) => `${scope}=${draft.foreign.get(scope)?.id}`).join(',');
    if (!seen.has(`${name},${place}`)) {
      seen.add(`${name},${place}`);
      continue;
    }
    const where = place === '' ? 'all requests' : place.replaceAll(',', ', ');
    const message =
      `uniqueness violation: 'plugins' entity with name set to ` +
      `'${shown(draft.input.name)}' already declared`;
    draft.errors.push({
      path: [...draft.path, 'name'],
      message,
      at: 'value',
      hint: `only one configuration of a plugin is allowed for ${where}`,
    });
  }
}

const isScope = (name: unknown) => pluginScopes.includes(name as PluginScope);

function checkScopes(draft: Draft, scopes: readonly PluginScope[], plugins: PluginSchemas): void {
  const schema = plugins.get(textOf(draft, 'name') ?? '')?.schema;
  if (!schema) return;
  for (const scope of forbiddenScopes(schema, scopes)) {
    const nested = draft.parent?.field === scope;
    draft.errors.push({
      path: nested ? draft.path : [...draft.path, scope],
      message: 'value must be null',
      at: nested ? 'entity' : 'value',
      hint: `this plugin cannot be attached to a ${scope}`,
    });
  }
  if (scopes.length > 0 || !schema.scopes || schema.scopes.includes('global')) return;
  const message = 'must be attached to one of: ';
  draft.errors.push({
    path: draft.path,
    message: message + schema.scopes.join(', '),
    at: 'entity',
  });
}

function routesByService(drafts: readonly Draft[]): Map<Draft, Draft[]> {
  const found = new Map<Draft, Draft[]>();
  for (const draft of drafts) {
    const service = draft.foreign.get('service');
    if (draft.kind.collection !== 'routes' || !service) continue;
    const list = found.get(service);
    if (list) list.push(draft);
    else found.set(service, [draft]);
  }
  return found;
}

/** A plugin for requests may look at the handshakes of WebSockets. */
const plain: Readonly<Record<string, string>> = { ws: 'http', wss: 'https' };

function checkProtocols(draft: Draft, routes: ReadonlyMap<Draft, readonly Draft[]>): void {
  if (draft.errors.length > 0) return;
  const protocols = draft.value.protocols as readonly string[];
  const shares = (route: Draft) => {
    const list = route.value.protocols;
    return (
      !Array.isArray(list) ||
      list.some((name) => protocols.includes(name) || protocols.includes(plain[name]))
    );
  };
  const route = draft.foreign.get('route');
  const service = draft.foreign.get('service');
  const path = [...draft.path, 'protocols'];
  if (route) {
    if (shares(route)) return;
    const message = "must match the associated route's protocols";
    draft.errors.push({ path, message, at: 'value' });
  } else if (service) {
    const own = routes.get(service) ?? [];
    if (own.length === 0 || own.some(shares)) return;
    const message =
      "must match the protocols of at least one route pointing to this Plugin's service";
    draft.errors.push({ path, message, at: 'value' });
  }
}
