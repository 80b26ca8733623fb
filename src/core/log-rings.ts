/** Tells the core which log rings get an exchange's record, where those are not its route's. */
import { limits } from '../limits.js';
import type { Core } from './instance.js';

/** `rings`: limits.ringsPerRoute at most; ignored where the exchange is over. */
export function chooseLogRings(
  core: Core,
  connection: number,
  sequence: number,
  rings: readonly number[],
): void {
  const count = Math.min(rings.length, limits.ringsPerRoute.value);
  const words = [0, 0];
  for (let i = 0; i < count; i++) words[i >> 2] |= rings[i] << (8 * (i & 3));
  core.exports.log_rings(connection, sequence, count, words[0], words[1]);
}
