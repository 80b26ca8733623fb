/** The upstreams of one configuration with their targets, and the addresses of those. */
import type { Snapshot, Target, Upstream } from '../config/model.js';
import { isName, type TargetAddress, targetAddresses } from './target-names.js';

export interface UpstreamTargets {
  readonly upstream: Upstream;
  /** Sorted by name, then port. */
  readonly targets: readonly Target[];
}

/** By target: its addresses, null where looking it up failed. */
export type Addresses = Map<string, readonly TargetAddress[] | null>;

/** By name of the upstream. */
export type UpstreamSet = ReadonlyMap<string, UpstreamTargets>;

export function upstreamSet({ upstreams, targets }: Snapshot): UpstreamSet {
  const lists = new Map<string, Target[]>(upstreams.map(({ id }) => [id, []]));
  for (const target of targets) lists.get(target.upstream.id)?.push(target);
  return new Map(
    upstreams.map((upstream) => {
      const own = lists.get(upstream.id) ?? [];
      return [upstream.name, { upstream, targets: own.sort(byTarget) }];
    }),
  );
}

const byTarget = (a: Target, b: Target): number =>
  a.target < b.target ? -1 : a.target > b.target ? 1 : 0;

/** Targets of a set that have to be looked up, each once. */
export function namesOf(set: UpstreamSet): Set<string> {
  const all = [...set.values()].flatMap(({ targets }) => targets.map(({ target }) => target));
  return new Set(all.filter(isName));
}

/**
 * Looks targets up and puts their addresses into `addresses`; one that fails keeps those it has.
 * Resolves true where something changed.
 */
export async function lookUp(names: Iterable<string>, addresses: Addresses): Promise<boolean> {
  const changes = await Promise.all(
    [...names].map(async (name) => {
      const before = addresses.get(name);
      const found = (await targetAddresses(name)) ?? before ?? null;
      addresses.set(name, found);
      return JSON.stringify(found) !== JSON.stringify(before);
    }),
  );
  return changes.includes(true);
}
