/**
 * Log rings: first-in first-out queues of byte entries. Descriptors lie in the RINGS region; bytes
 * lie in 64 KiB chunks that all rings share through one free list, so a ring holds memory only for
 * what waits in it, and chunks never used are never touched.
 *
 *   chunk   +0 next chunk   +4 end of the used bytes   +12 first entry
 *   entry   +0 size (u32)   +4 bytes, 8-aligned, contiguous; strides are multiples of 8
 *
 * A reservation belongs to the ring until it is committed or replaced by the next one. Nothing here
 * fails by trapping: a ring that cannot take an entry counts it as dropped.
 *
 * Compiled twice: into the core, whose memory has a fixed map, and (`RING_ALONE`) into the module
 * of queues that are used without a gateway, whose memory grows a chunk at a time.
 */
import {
  LIMIT_RING_ENTRY_BYTES,
  LIMIT_RINGS,
  RING_CHUNKS,
  RING_CHUNKS_BYTES,
  RINGS,
} from '../layout';

const CHUNK_BYTES: usize = 0x10000;
const RING_BYTES: usize = 64;
// @ts-ignore: defined on the command line of one of the two modules
const ALONE: bool = isDefined(RING_ALONE);
const DESCRIPTORS: usize = ALONE ? 0x1000 : RINGS;
const CHUNKS: usize = ALONE ? CHUNK_BYTES : RING_CHUNKS;
const CHUNKS_END: usize = ALONE ? 0xffff0000 : RING_CHUNKS + RING_CHUNKS_BYTES;

@unmanaged
class Ring {
  open: u32;
  maxEntries: u32;
  maxBytes: u32; // 0: no limit
  count: u32;
  bytes: u32; // of committed entries, without size words
  head: u32; // sequence number of the oldest entry
  dropped: u32;
  reserved: u32; // bytes writable at reservedAt
  reservedAt: u32; // entry pointer of the reservation, 0: none
  first: u32; // chunk of the oldest entry, 0: no chunk held
  last: u32; // chunk that is being filled
  read: u32; // oldest entry
  write: u32; // where the next entry goes
  unused0: u32;
  unused1: u32;
  unused2: u32;
}

@unmanaged
class Chunk {
  next: u32;
  end: u32; // valid once a later chunk follows
  unused: u32;
}

@unmanaged
class Entry {
  size: u32;
}

/** Chunks given back, linked through `next`. */
let freeChunk: usize = 0;
/** Chunks from here on were never used. */
let untouched: usize = CHUNKS;

/**
 * Opens a ring, empty; on an open one it changes only the limits, which then apply from the next
 * reservation on. `maxBytes` 0: no limit of its own. Returns 1, or 0 where no such ring exists.
 */
export function ringOpen(ring: u32, maxEntries: u32, maxBytes: u32): u32 {
  if (ring >= LIMIT_RINGS) return 0;
  const r = changetype<Ring>(DESCRIPTORS + <usize>ring * RING_BYTES);
  if (!r.open) {
    memory.fill(changetype<usize>(r), 0, RING_BYTES);
    r.open = 1;
  }
  r.maxEntries = maxEntries ? maxEntries : 1;
  r.maxBytes = maxBytes;
  return 1;
}

/** Forgets what waits in the ring and gives its chunks back. Closing a closed ring does nothing. */
export function ringClose(ring: u32): void {
  const r = opened(ring);
  if (!r) return;
  freeChunks(r, 0);
  r.open = 0;
  r.count = 0;
  r.bytes = 0;
  r.reservedAt = 0;
}

/**
 * Pointer to `size` writable bytes, 8-aligned, or 0 where the ring cannot take them: not open,
 * larger than the limits, or no chunk left. Drops the oldest entries where the limits demand it. An
 * earlier reservation that was not committed is void.
 */
export function ringReserve(ring: u32, size: u32): usize {
  const r = opened(ring);
  if (!r) return 0;
  r.reservedAt = 0;
  if (size > LIMIT_RING_ENTRY_BYTES || (r.maxBytes && size > r.maxBytes)) return refuse(r);
  while (r.count && (r.count >= r.maxEntries || exceeds(r, size))) {
    removeOldest(r);
    r.dropped++;
  }
  if (!r.first || <usize>r.write + strideOf(size) > <usize>r.last + CHUNK_BYTES) {
    if (!appendChunk(r)) return refuse(r);
  }
  r.reservedAt = r.write;
  r.reserved = size;
  return <usize>r.reservedAt + sizeof<u32>();
}

/**
 * Makes the first `size` bytes of the last reservation an entry (`size` at most what was reserved).
 * Without a reservation it does nothing.
 */
export function ringCommit(ring: u32, size: u32): void {
  const r = opened(ring);
  if (!r || !r.reservedAt) return;
  assert(size <= r.reserved, 'more bytes committed than reserved');
  const bytes = min(size, r.reserved);
  changetype<Entry>(<usize>r.reservedAt).size = bytes;
  if (!r.count) r.read = r.reservedAt;
  r.write = r.reservedAt + <u32>strideOf(bytes);
  r.count++;
  r.bytes += bytes;
  r.reservedAt = 0;
}

/** Entries waiting; 0 where the ring is not open. */
export function ringCount(ring: u32): u32 {
  const r = opened(ring);
  return r ? r.count : 0;
}

/** Bytes of the entries waiting. */
export function ringBytes(ring: u32): u32 {
  const r = opened(ring);
  return r ? r.bytes : 0;
}

/** Entries dropped or refused since the ring was opened; wraps at 2^32. */
export function ringDropped(ring: u32): u32 {
  const r = opened(ring);
  return r ? r.dropped : 0;
}

/**
 * Sequence number of the oldest entry: 0 at opening, one more per entry removed, by whatever cause;
 * wraps at 2^32. A consumer that remembers it knows whether entries it saw were dropped meanwhile.
 */
export function ringHead(ring: u32): u32 {
  const r = opened(ring);
  return r ? r.head : 0;
}

/** Pointer to the size word of the oldest entry, 0: none. Valid until the ring is next changed. */
export function ringFirst(ring: u32): usize {
  const r = opened(ring);
  return !r || !r.count ? 0 : <usize>r.read;
}

/** Pointer to the size word of the entry after `entry`, 0: that was the newest. */
export function ringNext(ring: u32, entry: usize): usize {
  const r = opened(ring);
  if (!r) return 0;
  const next = entry + strideOf(changetype<Entry>(entry).size);
  if (next == <usize>r.write) return 0;
  const chunk = changetype<Chunk>(chunkOf(entry));
  if (changetype<usize>(chunk) == <usize>r.last || next < <usize>chunk.end) return next;
  const first = firstEntry(chunk.next);
  return first == <usize>r.write ? 0 : first;
}

/** Removes up to `count` of the oldest entries. */
export function ringRelease(ring: u32, count: u32): void {
  const r = opened(ring);
  if (!r) return;
  for (let left = min(count, r.count); left; left--) removeOldest(r);
}

// @ts-ignore: decorator
@inline
function opened(ring: u32): Ring | null {
  if (ring >= LIMIT_RINGS) return null;
  const r = changetype<Ring>(DESCRIPTORS + <usize>ring * RING_BYTES);
  return r.open ? r : null;
}

/** Bytes from one size word to the next: keeps size words at 4 modulo 8, so bytes are 8-aligned. */
// @ts-ignore: decorator
@inline
function strideOf(size: u32): usize {
  return (<usize>size + sizeof<u32>() + 7) & ~7;
}

// @ts-ignore: decorator
@inline
function firstEntry(chunk: u32): usize {
  return <usize>chunk + offsetof<Chunk>();
}

/** Chunks are aligned to their size, as the region is. */
// @ts-ignore: decorator
@inline
function chunkOf(entry: usize): usize {
  return entry & ~(CHUNK_BYTES - 1);
}

// @ts-ignore: decorator
@inline
function exceeds(r: Ring, size: u32): bool {
  return r.maxBytes != 0 && <u64>r.bytes + <u64>size > <u64>r.maxBytes;
}

function refuse(r: Ring): usize {
  r.dropped++;
  return 0;
}

function removeOldest(r: Ring): void {
  const size = changetype<Entry>(<usize>r.read).size;
  r.bytes -= size;
  r.count--;
  r.head++;
  if (!r.count) {
    // A reservation lives in the last chunk and must survive the entries before it.
    freeChunks(r, r.reservedAt ? r.last : 0);
    return;
  }
  const next = r.read + <u32>strideOf(size);
  const chunk = changetype<Chunk>(<usize>r.first);
  if (r.first == r.last || next < chunk.end) {
    r.read = next;
    return;
  }
  r.first = chunk.next;
  r.read = <u32>firstEntry(r.first);
  freeOne(changetype<usize>(chunk));
}

/** Gives back the chunks from the first up to, but without, `keep` (0: all of them). */
function freeChunks(r: Ring, keep: u32): void {
  while (r.first != keep) {
    const chunk = r.first;
    r.first = chunk == r.last ? 0 : changetype<Chunk>(<usize>chunk).next;
    freeOne(chunk);
  }
}

function freeOne(chunk: usize): void {
  changetype<Chunk>(chunk).next = <u32>freeChunk;
  freeChunk = chunk;
}

function appendChunk(r: Ring): bool {
  // An empty ring that still holds a chunk (its reservation was given up) starts that chunk again.
  if (r.first && !r.count) {
    r.write = <u32>firstEntry(r.last);
    return true;
  }
  const chunk = <u32>takeChunk();
  if (!chunk) return false;
  if (r.first) {
    const last = changetype<Chunk>(<usize>r.last);
    last.next = chunk;
    last.end = r.write;
  } else {
    r.first = chunk;
  }
  r.last = chunk;
  r.write = <u32>firstEntry(chunk);
  return true;
}

function takeChunk(): usize {
  const chunk = freeChunk;
  if (chunk) {
    freeChunk = changetype<Chunk>(chunk).next;
    return chunk;
  }
  if (untouched >= CHUNKS_END) return 0;
  if (ALONE && untouched >= <usize>memory.size() * CHUNK_BYTES && memory.grow(1) < 0) return 0;
  untouched += CHUNK_BYTES;
  return untouched - CHUNK_BYTES;
}
