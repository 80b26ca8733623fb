/**
 * `sync_rate`: requests are decided by what Redis said last and what was counted here since; the
 * difference is sent every so many seconds, once for all requests of that time.
 */
import { LruCache } from '../../pdk/cache.js';
import type { RedisConfig } from '../shared/redis-schema.js';
import { type Asked, redisUsage } from './stores.js';
import { type Usage, windowStart } from './windows.js';

interface Synced {
  usages: readonly Usage[];
  /** Counted here and not yet sent. */
  pending: number;
  /** Start of the shortest window that `usages` is about. */
  windows: string;
  timer: NodeJS.Timeout | null;
}

const subjects = new LruCache();

/** What was counted before this request, which is counted. */
export async function syncedUsage(
  redis: RedisConfig,
  asked: Asked,
  seconds: number,
): Promise<readonly Usage[]> {
  const key = `${redis.host}:${redis.port}:${redis.database}:${asked.subject}`;
  let known = subjects.peek<Synced>(key);
  if (!known || known.windows !== windowsKey(asked, known.usages)) {
    const usages = await redisUsage(redis, asked, 1 + (known?.pending ?? 0));
    if (known?.timer) clearTimeout(known.timer);
    known = { usages, pending: 0, windows: windowsKey(asked, usages), timer: null };
    subjects.set(key, known);
    // This request is in Redis already, and must count for those after it.
    const before = usages;
    known.usages = usages.map((usage) => ({ ...usage, used: usage.used + 1 }));
    return before;
  }
  const before = known.usages.map((u) => ({ ...u, used: u.used + (known as Synced).pending }));
  if (before.some(({ limit, used }) => used >= limit)) return before;
  known.pending++;
  known.timer ??= setTimeout(() => void send(redis, asked, known as Synced), seconds * 1000);
  return before;
}

async function send(redis: RedisConfig, asked: Asked, synced: Synced): Promise<void> {
  const amount = synced.pending;
  synced.timer = null;
  try {
    const usages = await redisUsage(redis, { ...asked, now: Date.now() / 1000 }, amount);
    synced.usages = usages.map((usage) => ({ ...usage, used: usage.used + amount }));
    synced.pending -= amount;
  } catch {
    // What was not sent stays pending; the next request arms the timer again.
  }
}

const windowsKey = ({ now }: Asked, usages: readonly Usage[]): string =>
  usages.map(({ period }) => windowStart(period, now)).join();
