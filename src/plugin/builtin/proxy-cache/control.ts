/** Cache-Control and friends (RFC 9111 5.2) as far as proxy-cache follows them. */
import type { Stored } from './store.js';

export type Directives = Readonly<Record<string, string | true>>;

const none: Directives = Object.freeze({});

/** Directives by lower-case name; a name without value is `true`. */
export function readDirectives(value: string | null): Directives {
  if (!value) return none;
  const directives: Record<string, string | true> = Object.create(null);
  for (const part of value.split(',')) {
    const match = /^\s*([A-Za-z-]+)\s*(?:=\s*"?([^"\s]*)"?)?\s*$/.exec(part);
    if (match) directives[match[1].toLowerCase()] = match[2] ?? true;
  }
  return directives;
}

/** Seconds of a directive; null where it is absent or no number. */
export function secondsOf(directives: Directives, name: string): number | null {
  const value = directives[name];
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : null;
}

/** Seconds that an answer says it is fresh; 0: it does not say. */
export function timeToLive(directives: Directives, expires: string | null, nowMs: number): number {
  const said = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age');
  if (said !== null) return said;
  const at = expires === null ? Number.NaN : Date.parse(expires);
  return Number.isNaN(at) ? 0 : Math.max(0, Math.floor((at - nowMs) / 1000));
}

/** Whole seconds since an answer was kept, as Kong counts them. */
export const ageOf = ({ storedAtMs }: Stored, nowMs: number): number =>
  Math.floor(nowMs / 1000) - Math.floor(storedAtMs / 1000);

/**
 * Whether the client takes an entry of some age: as it says, and where it says nothing whatever is
 * in the store.
 */
export function isAccepted(request: Directives, ttlSeconds: number, ageSeconds: number): boolean {
  const maxAge = secondsOf(request, 'max-age');
  if (maxAge !== null && ageSeconds > maxAge) return false;
  const maxStale = secondsOf(request, 'max-stale');
  if (maxStale !== null && ageSeconds - ttlSeconds > maxStale) return false;
  const minFresh = secondsOf(request, 'min-fresh');
  return minFresh === null || ttlSeconds - ageSeconds >= minFresh;
}
