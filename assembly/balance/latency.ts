/** Moving averages of how long peers take, which fade while nothing is measured. */
import { PeerState } from '../layout';

/** What was measured so long ago counts for 1/e (Kong's decay time). */
const DECAY_MS: f64 = 10000;

/** The average as it is now. */
export function decayed(p: PeerState, now: f64): f64 {
  return p.latencyMs * fade(p, now);
}

/** Takes a measured time into the average. */
export function measure(p: PeerState, ms: f64, now: f64): void {
  const kept = p.latencyAtMs > 0 ? fade(p, now) : 0;
  p.latencyMs = p.latencyMs * kept + ms * (1 - kept);
  p.latencyAtMs = max<f64>(now, 1);
}

function fade(p: PeerState, now: f64): f64 {
  return Math.exp(-max<f64>(now - p.latencyAtMs, 0) / DECAY_MS);
}
