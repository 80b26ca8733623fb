/** Cache-Control and friends (RFC 9111 5.2) as far as proxy-cache follows them. */

export type Directives = Readonly<Record<string, string | true>>;

const none: Directives = Object.freeze({});

/** Directives by lower-case name; a name without value is `true`. */
export function readDirectives(value: string | null): Directives {
  if (!value) return none;
  const directives: Record<string, string | true> = {};
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

/** Whether an entry of some age is fresh enough for a request. */
export function isFresh(request: Directives, ttlSeconds: number, ageSeconds: number): boolean {
  const maxAge = secondsOf(request, 'max-age');
  if (maxAge !== null && ageSeconds > maxAge) return false;
  const minFresh = secondsOf(request, 'min-fresh') ?? 0;
  if (ttlSeconds - ageSeconds >= minFresh && ageSeconds < ttlSeconds) return true;
  if (request['max-stale'] === true) return true;
  const maxStale = secondsOf(request, 'max-stale');
  return maxStale !== null && ageSeconds - ttlSeconds <= maxStale;
}
