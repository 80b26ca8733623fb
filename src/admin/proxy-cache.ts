/** What proxy-cache keeps, over the Admin API: looked up and dropped by key. */
import type { Snapshot } from '../config/model.js';
import { dropEverywhere, type Stored, storeOf } from '../plugin/builtin/proxy-cache/store.js';
import type { AdminAnswer } from './entities.js';

const absent: AdminAnswer = { status: 404 };
const done: AdminAnswer = { status: 204 };

/**
 * Answers `/proxy-cache`, `/proxy-cache/{key}` and `/proxy-cache/{plugin}/caches/{key}`; null for
 * other paths, the methods where the request's is not among them.
 */
export function answerProxyCache(
  method: string,
  parts: readonly string[],
  snapshot: Snapshot,
): AdminAnswer | readonly string[] | null {
  const [root, first, word, last] = parts;
  if (root !== 'proxy-cache' || parts.length > 4) return null;
  if (parts.length === 1) {
    if (method !== 'DELETE') return ['DELETE'];
    for (const store of storesOf(snapshot, null)) dropEverywhere(store);
    return done;
  }
  if (parts.length !== 2 && (parts.length !== 4 || word !== 'caches')) return null;
  if (method !== 'GET' && method !== 'DELETE') return ['DELETE', 'GET'];
  const [plugin, key] = parts.length === 2 ? [null, first] : [first, last];
  for (const store of storesOf(snapshot, plugin)) {
    const entry = storeOf(store).get(key, Date.now());
    if (!entry) continue;
    if (method === 'GET') return { status: 200, body: shown(entry) };
    dropEverywhere(store, key);
    return done;
  }
  return absent;
}

/** Names of the stores of all configurations, or of one by its id or instance name. */
function storesOf(snapshot: Snapshot, plugin: string | null): Set<string> {
  const entities = snapshot.plugins.filter(({ name, id, instance_name: instance }) => {
    return name === 'proxy-cache' && (plugin === null || plugin === id || plugin === instance);
  });
  return new Set(
    entities.map(({ config }) => {
      return (config as { memory: { dictionary_name: string } }).memory.dictionary_name;
    }),
  );
}

function shown({ status, headers, body, storedAtMs, ttl }: Stored): object {
  return {
    status,
    headers,
    body: Buffer.from(body).toString('utf8'),
    body_len: body.length,
    timestamp: Math.floor(storedAtMs / 1000),
    ttl,
    version: 1,
  };
}
