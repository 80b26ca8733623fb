/**
 * Body framing of one direction: how many bytes of the input belong to the body, and the chunk
 * decoder (RFC 9112 7.1). State lives in the connection that sends the body. Line feeds without
 * carriage return are refused here, whatever start lines allow.
 */
// raw memory: the chunk decoder's loop
import { LIMIT_CHUNK_EXTENSION_BYTES, LIMIT_TRAILER_BYTES } from '../layout';
import { Connection } from '../proxy/connection';
import { TOKEN, isClass } from './classes';

export const BODY_NONE: u8 = 0;
export const BODY_LENGTH: u8 = 1;
export const BODY_CHUNKED: u8 = 2;
export const BODY_UNTIL_CLOSE: u8 = 3;

const SIZE_FIRST: u8 = 0; // first digit of a chunk size
const SIZE: u8 = 1;
const EXTENSION: u8 = 2;
const QUOTED: u8 = 3; // inside a quoted extension value
const ESCAPED: u8 = 4;
const SIZE_LF: u8 = 5;
const DATA: u8 = 6;
const DATA_CR: u8 = 7;
const DATA_LF: u8 = 8;
const TRAILER_FIRST: u8 = 9; // first octet of a trailer line
const TRAILER_NAME: u8 = 10;
const TRAILER_VALUE: u8 = 11;
const TRAILER_LF: u8 = 12;
const FINAL_LF: u8 = 13;

/** The body is complete. */
export let bodyDone: bool = false;
/** The body is malformed; nothing after it can be trusted. */
export let bodyBad: bool = false;
/** The piece that `nextPiece` found: body bytes without framing. */
export let piece: usize = 0;
export let pieceBytes: usize = 0;
/** Octets of a trailer section that `nextPiece` went over, the line end that closes it included. */
export let trailers: usize = 0;
export let trailerBytes: usize = 0;

/** Starts a body; length counts only for BODY_LENGTH. */
export function beginBody(c: Connection, mode: u8, length: u64): void {
  c.bodyMode = mode;
  c.bodyRemaining = length;
  c.chunkState = SIZE_FIRST;
  c.chunkCount = 0;
  c.trailerBytes = 0;
}

/**
 * Takes the next contiguous piece of the body out of [p, end): returns the position behind what was
 * consumed, and sets `piece`, `pieceBytes` (0: only framing), `bodyDone`, `bodyBad`.
 */
export function nextPiece(c: Connection, p: usize, end: usize): usize {
  bodyDone = false;
  bodyBad = false;
  piece = p;
  pieceBytes = 0;
  trailerBytes = 0;
  const mode = c.bodyMode;
  if (mode == BODY_CHUNKED) return nextChunkPiece(c, p, end);
  if (mode == BODY_UNTIL_CLOSE) {
    pieceBytes = end - p;
    return end;
  }
  const available = <u64>(end - p);
  if (mode == BODY_NONE || available >= c.bodyRemaining) {
    bodyDone = true;
    pieceBytes = mode == BODY_NONE ? 0 : <usize>c.bodyRemaining;
    c.bodyRemaining = 0;
    return p + pieceBytes;
  }
  c.bodyRemaining -= available;
  pieceBytes = <usize>available;
  return end;
}

function nextChunkPiece(c: Connection, p: usize, end: usize): usize {
  while (p < end) {
    if (c.chunkState == DATA) {
      const n = <usize>min<u64>(<u64>(end - p), c.bodyRemaining);
      piece = p;
      pieceBytes = n;
      c.bodyRemaining -= n;
      if (!c.bodyRemaining) c.chunkState = DATA_CR;
      return p + n;
    }
    if (c.chunkState >= TRAILER_FIRST && !trailerBytes++) trailers = p;
    if (!step(c, load<u8>(p))) {
      bodyBad = true;
      return p;
    }
    p++;
    if (bodyDone) return p;
  }
  return end;
}

/** Feeds one octet of chunk framing; false: malformed. */
function step(c: Connection, octet: u32): bool {
  switch (c.chunkState) {
    case SIZE_FIRST:
    case SIZE: return stepSize(c, octet);
    case EXTENSION:
    case QUOTED:
    case ESCAPED: return stepExtension(c, octet);
    case SIZE_LF:
      c.chunkState = c.bodyRemaining ? DATA : TRAILER_FIRST;
      return octet == 0x0a;
    case DATA_CR:
      c.chunkState = DATA_LF;
      return octet == 0x0d;
    case DATA_LF:
      c.chunkState = SIZE_FIRST;
      return octet == 0x0a;
    default: return stepTrailer(c, octet);
  }
}

function stepSize(c: Connection, octet: u32): bool {
  let digit = octet - 48;
  if (digit > 9) {
    digit = (octet | 32) - 97;
    digit = digit < 6 ? digit + 10 : 99;
  }
  if (digit < 16) {
    if (c.bodyRemaining >> 56) return false; // would wrap
    c.bodyRemaining = (c.bodyRemaining << 4) | <u64>digit;
    c.chunkState = SIZE;
    return true;
  }
  if (c.chunkState == SIZE_FIRST) return false;
  c.chunkCount = 0;
  if (octet == 0x0d) c.chunkState = SIZE_LF;
  else if (octet == 0x3b) c.chunkState = EXTENSION;
  else return false;
  return true;
}

/** Extensions mean nothing to us: skipped, bounded, but no line may hide in them. */
function stepExtension(c: Connection, octet: u32): bool {
  if (++c.chunkCount > LIMIT_CHUNK_EXTENSION_BYTES) return false;
  if ((octet < 0x20 && octet != 0x09 && octet != 0x0d) || octet == 0x7f) return false;
  if (c.chunkState == ESCAPED) {
    c.chunkState = QUOTED;
    return octet != 0x0d;
  }
  if (c.chunkState == QUOTED) {
    if (octet == 0x22) c.chunkState = EXTENSION;
    else if (octet == 0x5c) c.chunkState = ESCAPED;
    return octet != 0x0d;
  }
  if (octet == 0x22) c.chunkState = QUOTED;
  else if (octet == 0x0d) c.chunkState = SIZE_LF;
  return true;
}

/**
 * Trailer fields are checked here. They go no further than to a shell that asked for the body: an
 * intermediary may discard them (RFC 9110 6.5.1).
 */
function stepTrailer(c: Connection, octet: u32): bool {
  if (++c.trailerBytes > LIMIT_TRAILER_BYTES) return false;
  switch (c.chunkState) {
    case TRAILER_FIRST:
      if (octet == 0x0d) {
        c.chunkState = FINAL_LF;
        return true;
      }
      c.chunkState = TRAILER_NAME;
      return isClass(octet, TOKEN);
    case TRAILER_NAME:
      if (octet == 0x3a) {
        c.chunkState = TRAILER_VALUE;
        return true;
      }
      return isClass(octet, TOKEN);
    case TRAILER_VALUE:
      if (octet == 0x0d) {
        c.chunkState = TRAILER_LF;
        return true;
      }
      return octet == 0x09 || (octet >= 0x20 && octet != 0x7f);
    case TRAILER_LF:
      c.chunkState = TRAILER_FIRST;
      return octet == 0x0a;
    default:
      bodyDone = true;
      return octet == 0x0a;
  }
}
