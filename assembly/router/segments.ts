/** Segments of a normalised path, counted from 0: what stands between its slashes. */
// raw memory: single bytes of a path
import { findByte } from '../bytes';

const SLASH: u8 = 0x2f;

/** Where the text that `segment` found starts. */
export let segmentsFrom: usize = 0;

/** Number of segments; empty ones at the end do not count. */
export function segmentCount(path: usize, n: u32): u32 {
  const end = path + contentLength(path, n);
  let count: u32 = 0;
  for (let p = path + 1; p < end; p = findByte(p, end, SLASH) + 1) count++;
  return count;
}

/**
 * Length of the text from segment `first` to segment `last` with the slashes between them, -1 where
 * the path has not so many; the text starts at segmentsFrom.
 */
export function segment(path: usize, n: u32, first: u32, last: u32): i32 {
  const end = path + contentLength(path, n);
  let p = path + 1;
  for (let i: u32 = 0; p < end; i++) {
    if (i == first) segmentsFrom = p;
    p = findByte(p, end, SLASH);
    if (i == last) return <i32>(p - segmentsFrom);
    p++;
  }
  return -1;
}

/** Bytes of the path without slashes at its end; 0 for a target that is no path. */
function contentLength(path: usize, n: u32): u32 {
  if (n == 0 || load<u8>(path) != SLASH) return 0;
  while (n && load<u8>(path + n - 1) == SLASH) n--;
  return n;
}
