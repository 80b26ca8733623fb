/** What the Admin API tells of filters: those of a route, and whether a node has any. */
import type { FilterChainEntity, Snapshot } from '../config/model.js';
import type { AdminAnswer } from './entities.js';

const withoutFilters: AdminAnswer = {
  status: 400,
  body: { message: 'this endpoint is only available when wasm is enabled' },
};

/**
 * Answers `/routes/{route}/filters/all|enabled|disabled`: the service's filters first. Paths about
 * filters are 400 on a node without any; null: another path.
 */
export function readFilters(
  parts: readonly string[],
  snapshot: Snapshot,
  hasFilters: boolean,
): AdminAnswer | null {
  const [collection, key, child, which] = parts;
  const ofRoute = collection === 'routes' && child === 'filters' && parts.length === 4;
  if (!ofRoute && collection !== 'filter-chains' && child !== 'filter-chains') return null;
  if (!hasFilters) return withoutFilters;
  if (!ofRoute) return null;
  const wanted = new Map([
    ['all', [true, false]],
    ['enabled', [true]],
    ['disabled', [false]],
  ]).get(which);
  const route = snapshot.routes.find(({ id, name }) => id === key || name === key);
  if (!wanted) return null;
  if (!route) return { status: 404, body: { message: 'Not found' } };
  const { filterChains } = snapshot;
  const filters = [
    ...listed(
      'service',
      filterChains.find((one) => isOf(one.service, route.service)),
    ),
    ...listed(
      'route',
      filterChains.find((one) => isOf(one.route, route)),
    ),
  ];
  return { status: 200, body: { filters: filters.filter((one) => wanted.includes(one.enabled)) } };
}

function listed(from: 'service' | 'route', chain: FilterChainEntity | undefined) {
  if (!chain) return [];
  const { id, name } = chain;
  return chain.filters.map((filter) => ({
    name: filter.name,
    config: filter.config ?? null,
    enabled: chain.enabled && filter.enabled,
    from,
    filter_chain: { id, name },
  }));
}

const isOf = (owner: { readonly id: string } | null, entity: { readonly id: string } | null) =>
  owner !== null && owner.id === entity?.id;
