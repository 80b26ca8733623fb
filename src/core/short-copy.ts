/**
 * Copies of pieces of a body that somebody may keep. A block of memory for a short one costs more
 * than the copy, so short ones share blocks.
 */

const blockBytes = 16_384;
/** A longer piece has a block of its own: whoever keeps a piece keeps its block. */
const shortBytes = 1024;
/** So few bytes are copied one by one: a view costs more. */
const fewBytes = 128;

const noBytes = new Uint8Array(0);
let block = new Uint8Array(blockBytes);
let used = 0;

/** A copy of `size` bytes at `start`, which nobody else writes to. */
export function copyOf(from: Uint8Array, start: number, size: number): Uint8Array {
  if (size === 0) return noBytes;
  if (size > shortBytes) return from.slice(start, start + size);
  if (used + size > blockBytes) {
    block = new Uint8Array(blockBytes);
    used = 0;
  }
  const at = used;
  used += (size + 7) & ~7;
  if (size > fewBytes) block.set(from.subarray(start, start + size), at);
  else for (let i = 0; i < size; i++) block[at + i] = from[start + i];
  return new Uint8Array(block.buffer, at, size);
}
