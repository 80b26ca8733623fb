/**
 * Time limits of a request body: the gap between two reads, and, where client_body_min_rate is set,
 * the mean rate after a grace. The span starts anew when our own back-pressure ends, because time
 * in which we did not read is not the client's.
 */
import { SETTINGS, Settings } from '../layout';
import { Connection } from './connection';
import { Exchange } from './exchange';
import { TIMER_BODY, arm, nowExact, nowMs } from './timers';

/** How often the rate is looked at, in milliseconds. */
const RATE_CHECK_MS: u32 = 1000;

/** Starts measuring: the body is read from now on. */
export function startBodyRate(c: Connection, x: Exchange): void {
  x.rateStartMs = nowExact;
  x.rateBytes = 0;
  c.readAt = nowMs;
  armBody(c);
}

/** Sets the deadline for the next read. */
export function armBody(c: Connection): void {
  const settings = changetype<Settings>(SETTINGS);
  const gap = settings.clientBodyTimeoutMs;
  arm(c, TIMER_BODY, settings.clientBodyMinRate ? min(gap, RATE_CHECK_MS) : gap);
}

/** True where the client is too slow by either measure. */
export function bodyIsLate(c: Connection, x: Exchange): bool {
  const settings = changetype<Settings>(SETTINGS);
  if (!settings.clientBodyMinRate) return true;
  if (nowMs - c.readAt >= settings.clientBodyTimeoutMs) return true;
  const span = nowExact - x.rateStartMs;
  if (span <= <f64>settings.clientBodyMinRateGraceMs) return false;
  return (x.rateBytes * 1000) / span < <f64>settings.clientBodyMinRate;
}
