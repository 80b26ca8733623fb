/**
 * Copies of pieces of a body that somebody may keep. A block of memory for a short one costs more
 * than the copy, so short ones share blocks.
 */

/** Whoever keeps a piece keeps its block. */
const blockBytes = 65_536;
/** A longer piece has a block of its own. */
const shortBytes = 16_384;
/** So few bytes are copied one by one: a view costs more. */
const fewBytes = 56;

const noBytes = new Uint8Array(0);
/** Not cleared: what is given out has been written. */
const newBlock = (): Uint8Array => Buffer.allocUnsafeSlow(blockBytes);
let block = newBlock();
let used = 0;

/** A copy of `size` bytes at `start`, which nobody else writes to. */
export function copyOf(from: Uint8Array, start: number, size: number): Uint8Array {
  if (size === 0) return noBytes;
  if (size > shortBytes) return from.slice(start, start + size);
  if (used + size > blockBytes) {
    block = newBlock();
    used = 0;
  }
  const at = used;
  used += (size + 7) & ~7;
  if (size > fewBytes) block.set(from.subarray(start, start + size), at);
  else for (let i = 0; i < size; i++) block[at + i] = from[start + i];
  return new Uint8Array(block.buffer, at, size);
}
