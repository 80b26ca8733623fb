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

/** Reports chains without one owner, second chains of an owner, and filters that do not fit. */
export function checkFilterChains(drafts: readonly Draft[], filters: FilterChecks): void {
  const owners = new Set<string>();
  for (const draft of drafts) {
    if (draft.kind.collection !== 'filter_chains') continue;
    checkOwner(draft, owners);
    const list = unwrap(draft.input.filters);
    if (Array.isArray(list))
      for (const [index, item] of list.entries()) checkFilter(draft, item, index, filters);
  }
}

function checkOwner(draft: Draft, owners: Set<string>): void {
  const named = ['service', 'route'].filter((field) => draft.foreign.has(field));
  const isBroken = draft.errors.some(({ path }) =>
    ['service', 'route'].includes(String(path.at(-1))),
  );
  if (isBroken) return;
  if (named.length !== 1) {
    const what = named.length === 0 ? 'at least one of these fields must be non-empty' : undefined;
    const text = what ?? 'only one or none of these fields must be set';
    const message = `${text}: 'service', 'route'`;
    draft.errors.push({ path: draft.path, message, at: 'entity' });
    return;
  }
  const owner = draft.foreign.get(named[0]);
  if (!owner) return;
  const key = `${named[0]} ${owner.id}`;
  if (owners.has(key)) {
    const text = `'filter_chains' entity with ${named[0]} set to '${owner.id}' already declared`;
    const path = draft.parent ? draft.path : [...draft.path, named[0]];
    draft.errors.push({ path, message: `uniqueness violation: ${text}`, at: 'entity' });
  }
  owners.add(key);
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
