/** Calendar windows of rate limits, in UTC; the same as in the shell (rate-limiting/windows.ts). */
import { PERIOD_DAY, PERIOD_HOUR, PERIOD_MINUTE, PERIOD_MONTH, PERIOD_SECOND } from '../layout';

/** Seconds for which the counter of a window is kept. */
export function keptSeconds(period: u32): u32 {
  switch (period) {
    case PERIOD_SECOND: return 1;
    case PERIOD_MINUTE: return 60;
    case PERIOD_HOUR: return 3600;
    case PERIOD_DAY: return 86400;
    case PERIOD_MONTH: return 2592000;
    default: return 31536000;
  }
}

/** Epoch seconds at which the window of `now` began. */
export function windowStart(period: u32, now: u64): u64 {
  if (period <= PERIOD_DAY) {
    const length = <u64>keptSeconds(period);
    return now - (now % length);
  }
  const days = now / 86400;
  return (days - (period == PERIOD_MONTH ? dayOfMonth(days) : dayOfYear(days))) * 86400;
}

/** The name of a period, in lower case. */
export function periodName(period: u32): string {
  switch (period) {
    case PERIOD_SECOND: return 'second';
    case PERIOD_MINUTE: return 'minute';
    case PERIOD_HOUR: return 'hour';
    case PERIOD_DAY: return 'day';
    case PERIOD_MONTH: return 'month';
    default: return 'year';
  }
}

/** Days since 1 March of the year that begins there, in eras of 400 such years. */
function dayFromMarch(days: u64): u64 {
  const day = (days + 719468) % 146097;
  const year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  return day - (365 * year + year / 4 - year / 100);
}

/** 0 for the first of the month. */
function dayOfMonth(days: u64): u64 {
  const day = dayFromMarch(days);
  const month = (5 * day + 2) / 153;
  return day - (153 * month + 2) / 5;
}

/** 0 for 1 January. */
function dayOfYear(days: u64): u64 {
  const day = dayFromMarch(days);
  // January and February come behind the 306 days of March to December.
  if (day >= 306) return day - 306;
  const newYear = days - day;
  return day + (dayFromMarch(newYear - 1) - 306) + 1;
}
