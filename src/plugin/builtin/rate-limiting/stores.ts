/** Where counters are: in memory that all workers of this node share, or in Redis. */
import { sharedCounters } from '../../../workers/counters.js';
import { runScript } from '../shared/redis.js';
import type { RedisConfig } from '../shared/redis-schema.js';
import {
  keptSeconds,
  type Limits,
  type Period,
  periods,
  type Usage,
  windowStart,
} from './windows.js';

const keyStart = 'ratelimit:';
const nowhere = '00000000-0000-0000-0000-000000000000';

/** Where a configuration counts: the ids of what it is attached to. */
export const counterPlace = (routeId: string | null, serviceId: string | null): string =>
  `${routeId ?? nowhere}:${serviceId ?? nowhere}`;

/** What the keys of all its counters begin with. */
export const counterPrefix = (routeId: string | null, serviceId: string | null): string =>
  `${keyStart}${counterPlace(routeId, serviceId)}:`;

export interface Asked {
  /** Whose requests are counted: everything of the key but window and period. */
  readonly subject: string;
  readonly limits: Limits;
  readonly isSliding: boolean;
  /** Epoch seconds. */
  readonly now: number;
}

interface Window {
  readonly period: Period;
  readonly limit: number;
  readonly key: string;
  /** The window before, and the share of it that a sliding window still sees. */
  readonly before: string;
  readonly share: number;
}

function windowsOf({ subject, limits, isSliding, now }: Asked): Window[] {
  const windows: Window[] = [];
  for (const period of periods) {
    const limit = limits[period];
    if (typeof limit !== 'number') continue;
    const start = windowStart(period, now);
    const keyAt = (at: number) => `${keyStart}${subject}:${at}:${period}`;
    const before = windowStart(period, start - 1);
    const share = isSliding ? Math.max(0, 1 - (now - start) / (start - before)) : 0;
    windows.push({ period, limit, key: keyAt(start), before: keyAt(before), share });
  }
  return windows;
}

/** What was counted so far in this node. */
export function localUsage(asked: Asked): Usage[] {
  const counters = sharedCounters();
  return windowsOf(asked).map(({ period, limit, key, before, share }) => {
    const past = share > 0 ? share * counters.get(before, asked.now) : 0;
    return { period, limit, used: counters.get(key, asked.now) + past };
  });
}

/** Counts `amount` requests in every window of this node. */
export function countLocally(asked: Asked, amount = 1): void {
  const counters = sharedCounters();
  const times = asked.isSliding ? 2 : 1;
  for (const { period, key } of windowsOf(asked)) {
    counters.add(key, amount, keptSeconds[period] * times, asked.now);
  }
}

/** Counts in every window and gives what was counted before, at once for all of them. */
const script = `
local used = {}
for i = 1, #KEYS, 2 do
  local after = redis.call('INCRBY', KEYS[i], ARGV[1])
  if after == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[i], ARGV[(i + 1) / 2 + 1]) end
  used[#used + 1] = after - ARGV[1]
  used[#used + 1] = tonumber(redis.call('GET', KEYS[i + 1]) or '0')
end
return used`;

/** Counts `amount` requests in Redis and gives what was counted before them. */
export async function redisUsage(
  redis: RedisConfig,
  asked: Asked,
  amount: number,
): Promise<Usage[]> {
  const windows = windowsOf(asked);
  const keys = windows.flatMap(({ key, before }) => [key, before]);
  const times = asked.isSliding ? 2 : 1;
  const seconds = windows.map(({ period }) => String(keptSeconds[period] * times));
  const reply = (await runScript(redis, script, keys, [String(amount), ...seconds])) as number[];
  return windows.map(({ period, limit, share }, i) => {
    return { period, limit, used: reply[2 * i] + share * reply[2 * i + 1] };
  });
}
