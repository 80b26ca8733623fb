/** Calendar windows of rate limits, in UTC, and what is left in them. */

export const periods = ['second', 'minute', 'hour', 'day', 'month', 'year'] as const;

export type Period = (typeof periods)[number];

/** Limits by period; null: none. */
export type Limits = Readonly<Partial<Record<Period, number | null>>>;

/** Seconds for which a window's counter is kept. */
export const keptSeconds: Readonly<Record<Period, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  month: 2_592_000,
  year: 31_536_000,
};

/** Epoch seconds at which the current window of a period began. */
export function windowStart(period: Period, nowSeconds: number): number {
  if (period === 'month' || period === 'year') {
    const now = new Date(nowSeconds * 1000);
    const month = period === 'month' ? now.getUTCMonth() : 0;
    return Date.UTC(now.getUTCFullYear(), month, 1) / 1000;
  }
  const length = keptSeconds[period];
  return Math.floor(nowSeconds / length) * length;
}

/** Seconds until the window ends, at least 1. Months and years count with their kept length. */
export function resetSeconds(period: Period, nowSeconds: number): number {
  const passed = Math.floor(nowSeconds) - windowStart(period, nowSeconds);
  return Math.max(1, keptSeconds[period] - passed);
}

export interface Usage {
  readonly period: Period;
  readonly limit: number;
  /** Requests counted in the window, without this one. */
  readonly used: number;
}

export interface Verdict {
  readonly isRefused: boolean;
  /** By period: what the client may still send, this request taken off where it passes. */
  readonly remaining: readonly (Usage & { readonly remaining: number })[];
  /** The period with the least left; of equals the longest. */
  readonly tightest: Usage & { readonly remaining: number };
}

/** Decides over a request by what was counted before it. */
export function judge(usages: readonly Usage[]): Verdict {
  const isRefused = usages.some(({ limit, used }) => limit - used <= 0);
  const remaining = usages.map((usage) => {
    const left = usage.limit - usage.used - (isRefused ? 0 : 1);
    return { ...usage, remaining: Math.max(0, left) };
  });
  let tightest = remaining[0];
  for (const one of remaining) if (one.remaining <= tightest.remaining) tightest = one;
  return { isRefused, remaining, tightest };
}
