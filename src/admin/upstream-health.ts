/** The health of upstreams over the Admin API: shown, and set by hand (kong-config, section 11). */
import { splitTarget } from '../config/schema/target-address.js';
import type { AddressHealth, TargetHealth, UpstreamHealth } from '../upstream/health.js';
import { type AdminAnswer, page } from './entities.js';
import type { AdminSource } from './source.js';
import { targetRow, targetRows, upstreamRow } from './targets.js';

const notFound: AdminAnswer = { status: 404, body: { message: 'Not found' } };

/**
 * Answers `GET /upstreams/{u}/health` and `PUT` or `POST` of
 * `/upstreams/{u}/targets/{t}[/{address}]/healthy|unhealthy`; null for other paths, the methods
 * where the request's is not among them.
 */
export async function answerHealth(
  method: string,
  parts: readonly string[],
  query: URLSearchParams,
  source: AdminSource,
): Promise<AdminAnswer | readonly string[] | null> {
  const [root, key, child, name] = parts;
  if (root !== 'upstreams') return null;
  if (child === 'health' && parts.length === 3) {
    return method === 'GET' ? show(key, query, source) : ['GET'];
  }
  const state = parts.at(-1);
  if (child !== 'targets' || (parts.length !== 5 && parts.length !== 6)) return null;
  if (state !== 'healthy' && state !== 'unhealthy') return null;
  if (method !== 'PUT' && method !== 'POST') return ['POST', 'PUT'];
  const address = parts.length === 6 ? parts[4] : null;
  return set(key, name, address, state === 'healthy', source);
}

async function show(key: string, query: URLSearchParams, source: AdminSource) {
  const snapshot = source.snapshot();
  const upstream = upstreamRow(snapshot, key);
  if (!upstream) return notFound;
  const found = (await source.upstreams()).find(({ id }) => id === upstream.id);
  const node = { node_id: source.nodeId };
  if (query.get('balancer_health') === '1') {
    return { status: 200, body: { data: whole(found, upstream.id), next: null, ...node } };
  }
  const rows = targetRows(snapshot, upstream).map((row) => {
    const target = found?.targets.find(({ id }) => id === row.id);
    const data = target && details(target);
    return { ...row, health: target?.health ?? 'DNS_ERROR', ...(data && { data }) };
  });
  const list = page(rows, query, `/upstreams/${key}/health`);
  return list.status === 200 ? { ...list, body: { ...(list.body as object), ...node } } : list;
}

/** One target, as Kong's balancer describes it. */
function details({ target, weight, addresses }: TargetHealth): object {
  const { host = target, port = 0 } = splitTarget(target) ?? {};
  return {
    host,
    port,
    dns: 'A',
    nodeWeight: weight,
    weight: weights(addresses),
    addresses: addresses.map((one) => ({ ...one })),
  };
}

function weights(addresses: readonly AddressHealth[]) {
  const sum = (list: readonly AddressHealth[]) => list.reduce((all, one) => all + one.weight, 0);
  const total = sum(addresses);
  const unavailable = sum(addresses.filter(({ health }) => health === 'UNHEALTHY'));
  return { total, unavailable, available: total - unavailable };
}

function whole(found: UpstreamHealth | undefined, id: string): object {
  const isChecked = found?.isChecked ?? false;
  const healthy = found !== undefined && found.health !== 'UNHEALTHY';
  const state = isChecked ? (healthy ? 'HEALTHY' : 'UNHEALTHY') : 'HEALTHCHECKS_OFF';
  if (!found || !isChecked) return { id, health: state, balancer_health: state };
  const addresses = found.targets.flatMap((target) => target.addresses);
  const hosts = found.targets.map((target) => ({
    ...details(target),
    addresses: target.addresses.map(({ ip, port, weight, health }) => {
      return { ip, port, weight, healthy: health !== 'UNHEALTHY' };
    }),
  }));
  const status = { healthy, weight: weights(addresses), hosts };
  return { id, health: state, balancer_health: state, details: status };
}

async function set(
  key: string,
  name: string,
  address: string | null,
  healthy: boolean,
  source: AdminSource,
): Promise<AdminAnswer> {
  const snapshot = source.snapshot();
  const upstream = upstreamRow(snapshot, key);
  const row = upstream && targetRow(targetRows(snapshot, upstream), name);
  if (!upstream || !row) return notFound;
  const found = (await source.upstreams()).find(({ id }) => id === upstream.id);
  if (!found?.isChecked) {
    const message = `no healthchecker found for ${upstream.name}`;
    return { status: 400, body: { message } };
  }
  const place = address === null ? null : splitTarget(address);
  if (address !== null && !place) return notFound;
  const done = await source.setHealth({
    upstream: upstream.id,
    target: row.target as string,
    ip: place?.host ?? null,
    port: place?.port ?? null,
    healthy,
  });
  return done ? { status: 204 } : notFound;
}
