/**
 * Slots: blocks in power-of-two sizes for partial heads, exchanges and saved heads. Freed blocks go
 * back at the start of the next batch, because send commands of this batch may still point at them.
 *
 *   block   +0 size class   +4 next free   +8 unused (8 bytes)   +16 payload ...
 */
// raw memory: block headers and free lists
import { CONTROL, Control, SLOTS, SLOTS_BYTES } from './layout';

const HEADER: usize = 16;
/** Payload plus header of class 0; each further class doubles. */
const SMALLEST: usize = 1024;
const CLASSES: u32 = 8;

const freeLists: usize = memory.data(32);
let bump: usize = SLOTS;
let deferred: usize = 0;

/** Largest payload a slot can hold, in bytes. */
export const SLOT_BYTES_MAX: usize = (SMALLEST << (CLASSES - 1)) - HEADER;

/** Pointer to at least `bytes` writable bytes (not cleared), or 0 where the region is used up. */
export function allocate(bytes: usize): usize {
  let sizeClass: u32 = 0;
  while (SMALLEST << sizeClass < bytes + HEADER) sizeClass++;
  if (sizeClass >= CLASSES) return 0;
  const list = freeLists + (<usize>sizeClass << 2);
  let block: usize = load<u32>(list);
  if (block) store<u32>(list, load<u32>(block, 4));
  else {
    block = bump;
    const size = SMALLEST << sizeClass;
    if (block + size > SLOTS + SLOTS_BYTES) return 0;
    bump = block + size;
    store<u32>(block, sizeClass);
  }
  changetype<Control>(CONTROL).slotBytes += <u32>(SMALLEST << sizeClass);
  return block + HEADER;
}

/** Bytes that fit into the slot at `pointer`. */
export function capacity(pointer: usize): usize {
  return (SMALLEST << load<u32>(pointer - HEADER)) - HEADER;
}

/** Gives a slot back once the running batch is over. 0 is ignored. */
export function release(pointer: usize): void {
  if (!pointer) return;
  const block = pointer - HEADER;
  changetype<Control>(CONTROL).slotBytes -= <u32>(SMALLEST << load<u32>(block));
  store<u32>(block, <u32>deferred, 4);
  deferred = block;
}

/** Makes the slots released in the last batch usable again. */
export function reclaim(): void {
  while (deferred) {
    const block = deferred;
    deferred = load<u32>(block, 4);
    const list = freeLists + (<usize>load<u32>(block) << 2);
    store<u32>(block, load<u32>(list), 4);
    store<u32>(list, <u32>block);
  }
}
