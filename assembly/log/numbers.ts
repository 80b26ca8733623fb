/** Numbers of log records as JSON has them: those of JavaScript's JSON.stringify. */
import { putDecimal } from '../bytes';

/** Above it doubles are not whole numbers exactly. */
const EXACT: f64 = 9007199254740992;

/** Writes a whole number from 0 to 2^53; returns the end, or 0 for any other. */
export function putWhole(d: usize, value: f64): usize {
  if (!(value >= 0 && value < EXACT) || Math.floor(value) != value) return 0;
  return putDecimal(d, <u64>value);
}

/**
 * Writes a whole number above 2^53 with the fewest digits that mean the same double, the rest
 * zeros (ECMA-262 6.1.6.1.20). Returns the end, or 0 where that is not simple.
 */
export function putLargeWhole(d: usize, value: f64): usize {
  if (value < EXACT) return putWhole(d, value);
  if (!(value < 1e18 * 9)) return 0;
  const exact = <u64>value;
  // Below a power of two the distance to the next double is another.
  if (!(exact & (exact - 1))) return 0;
  const half = <u64>1 << (63 - clz(exact) - 53);
  // Half-way between two doubles is read as the one with the even significand.
  const reach = exact & (half << 1) ? half - 1 : half;
  let shortest = exact;
  for (let unit: u64 = 10; unit <= exact; unit *= 10) {
    const below = exact - (exact % unit);
    const near = exact - below > unit / 2 ? below + unit : below;
    const off = near > exact ? near - exact : exact - near;
    if (exact - below == unit / 2) return 0;
    if (off > reach) return putDecimal(d, shortest);
    shortest = near;
  }
  return putDecimal(d, shortest);
}
