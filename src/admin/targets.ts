/** Targets below their upstream; as in Kong they have no list of their own. */
import type { Snapshot } from '../config/model.js';
import { splitTarget } from '../config/schema/target-address.js';
import { type AdminAnswer, page, type Row, rows } from './entities.js';

const notFound: AdminAnswer = { status: 404, body: { message: 'Not found' } };

/**
 * Answers `/upstreams/{u}/targets`, `/upstreams/{u}/targets/all` and, by id or address,
 * `/upstreams/{u}/targets/{t}`; null: another path.
 */
export function readTargets(
  parts: readonly string[],
  query: URLSearchParams,
  snapshot: Snapshot,
): AdminAnswer | null {
  const [collection, key, child, name] = parts;
  if (collection !== 'upstreams' || child !== 'targets' || parts.length > 4) return null;
  const upstream = upstreamRow(snapshot, key);
  if (!upstream) return notFound;
  const all = targetRows(snapshot, upstream);
  if (name === undefined) return page(newestFirst(all), query, `/upstreams/${key}/targets`);
  if (name === 'all') return page(all, query, `/upstreams/${key}/targets/all`);
  const found = targetRow(all, name);
  return found ? { status: 200, body: found } : notFound;
}

/** An upstream by its id or name. */
export function upstreamRow(snapshot: Snapshot, key: string): Row | undefined {
  return rows(snapshot, 'upstreams').find((row) => row.id === key || row.name === key);
}

/** Targets of an upstream, by id. */
export function targetRows(snapshot: Snapshot, upstream: Row): Row[] {
  return rows(snapshot, 'targets').filter((row) => {
    return (row.upstream as { id: string }).id === upstream.id;
  });
}

/** A target by its id, or by its address with or without the port. */
export function targetRow(targets: readonly Row[], key: string): Row | undefined {
  const text = splitTarget(key)?.text;
  return targets.find((row) => row.id === key || row.target === text);
}

function newestFirst(targets: readonly Row[]): Row[] {
  return [...targets].sort((a, b) => (b.created_at as number) - (a.created_at as number));
}
