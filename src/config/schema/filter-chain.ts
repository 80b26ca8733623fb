/** The schema of a filter chain: filters in order, for one route or one service. */
import type { Draft } from '../collect.js';
import { entityFields, uniqueName } from './common.js';
import { shown, unwrap } from './env-text.js';
import type { RecordSchema } from './field.js';

/** What the loader must know of the filters of a node. */
export type FilterChecks = ReadonlyMap<
  string,
  { readonly meta: { readonly check: (config: unknown) => string | null } }
>;

export const filterChainSchema: RecordSchema = {
  fields: {
    ...entityFields,
    name: { ...uniqueName, description: 'Unique name.' },
    enabled: { type: 'boolean', required: true, default: true },
    route: { type: 'foreign', reference: 'routes' },
    service: { type: 'foreign', reference: 'services' },
    filters: {
      type: 'array',
      required: true,
      len_min: 1,
      elements: {
        type: 'record',
        fields: {
          name: { type: 'string', required: true, description: 'Which filter.' },
          enabled: { type: 'boolean', required: true, default: true },
          config: {
            type: 'any',
            description: 'Text, or what the schema beside the module describes.',
          },
        },
      },
    },
  },
};

/**
 * Reports chains without one owner, second chains of an owner, filters that do not fit, and plugins
 * that are filters but belong to clients, to nobody, or to a route and a service.
 */
export function checkFilterChains(drafts: readonly Draft[], filters: FilterChecks): void {
  const owners = new Set<string>();
  for (const draft of drafts) {
    if (draft.kind.collection === 'plugins') checkPlugin(draft, filters);
    if (draft.kind.collection !== 'filter_chains') continue;
    checkOwner(draft, owners);
    const list = unwrap(draft.input.filters);
    if (Array.isArray(list))
      for (const [index, item] of list.entries()) checkFilter(draft, item, index, filters);
  }
}

function checkPlugin(draft: Draft, filters: FilterChecks): void {
  const filter = filters.get(unwrap(draft.input.name) as string);
  if (!filter) return;
  for (const scope of ['consumer', 'consumer_group']) {
    if (!draft.foreign.has(scope)) continue;
    draft.errors.push({ path: [...draft.path, scope], message: 'value must be null', at: 'value' });
  }
  checkOneOwner(draft);
  const message = filter.meta.check(unwrap(draft.input.config) ?? null);
  if (message) draft.errors.push({ path: [...draft.path, 'config'], message, at: 'value' });
}

function checkOwner(draft: Draft, owners: Set<string>): void {
  const field = checkOneOwner(draft);
  const owner = field && draft.foreign.get(field);
  if (!owner) return;
  const key = `${field} ${owner.id}`;
  if (owners.has(key)) {
    const text = `'filter_chains' entity with ${field} set to '${owner.id}' already declared`;
    const path = draft.parent ? draft.path : [...draft.path, field];
    draft.errors.push({ path, message: `uniqueness violation: ${text}`, at: 'entity' });
  }
  owners.add(key);
}

/** The field of the one owner; null where there is another number, which is reported. */
function checkOneOwner(draft: Draft): string | null {
  const named = ['service', 'route'].filter((field) => draft.foreign.has(field));
  const isBroken = draft.errors.some(({ path }) =>
    ['service', 'route'].includes(String(path.at(-1))),
  );
  if (isBroken) return null;
  if (named.length === 1) return named[0];
  const what = named.length === 0 ? 'at least one of these fields must be non-empty' : undefined;
  const text = what ?? 'only one or none of these fields must be set';
  draft.errors.push({ path: draft.path, message: `${text}: 'service', 'route'`, at: 'entity' });
  return null;
}

function checkFilter(draft: Draft, item: unknown, index: number, filters: FilterChecks): void {
  const { name: given, config = null } = (item ?? {}) as { name?: unknown; config?: unknown };
  const name = unwrap(given);
  if (typeof name !== 'string' || name === '') return;
  const path = [...draft.path, 'filters', index];
  const filter = filters.get(name);
  if (!filter) {
    const message = `no such filter: ${shown(given)}`;
    draft.errors.push({ path: [...path, 'name'], message, at: 'value' });
    return;
  }
  const message = filter.meta.check(unwrap(config));
  if (message) draft.errors.push({ path: [...path, 'config'], message, at: 'value' });
}
