/**
 * Writes body bytes toward the other side in the framing chosen there. Length-framed and
 * close-framed bytes go out where they lie; chunked ones are framed anew: the pieces of one read
 * become one chunk, so that no extension, no odd size line and no trailer of one peer reaches the
 * other. Trailers come from the shell only, which checked them.
 */
// raw memory: chunk size lines
import { put, putHex } from '../bytes';
import {
  bodyBad,
  bodyDone,
  nextPiece,
  piece,
  pieceBytes,
} from '../http/body';
import { keepOut, out, send, sendBehind } from './commands';
import { Connection } from './connection';

/** Room for the size line of a chunk in front of its bytes. */
const SIZE_LINE: usize = 18;

/** Results of `relay`. */
export let relayedBytes: usize = 0;
export let relayDone: bool = false;
export let relayBad: bool = false;

/**
 * Takes what belongs to the body of `from` out of [p, end) and sends it to `to`, chunked or as it
 * is. Returns the position behind the last byte consumed.
 */
export function relay(
  from: Connection,
  to: Connection,
  p: usize,
  end: usize,
  chunked: bool,
): usize {
  relayedBytes = 0;
  const start = out + SIZE_LINE;
  let d = start;
  for (;;) {
    p = nextPiece(from, p, end);
    if (pieceBytes) {
      relayedBytes += pieceBytes;
      if (chunked) d = put(d, piece, pieceBytes);
      else sendBehind(to, piece, pieceBytes);
    }
    if (bodyDone || bodyBad || p == end) break;
  }
  relayDone = bodyDone && !bodyBad;
  relayBad = bodyBad;
  if (chunked) sendChunk(to, start, d, relayDone, 0, 0);
  return p;
}

/** What `gather` found: body bytes in one piece. */
export let gathered: usize = 0;
export let gatheredBytes: usize = 0;

/**
 * Takes what belongs to the body of `from` out of [p, end) without sending it: one piece where it
 * lies, several put together in the output arena until something else is written there.
 */
export function gather(from: Connection, p: usize, end: usize): usize {
  gatheredBytes = 0;
  for (;;) {
    p = nextPiece(from, p, end);
    if (pieceBytes) {
      if (!gatheredBytes) gathered = piece;
      else {
        if (gathered != out) memory.copy(out, gathered, gatheredBytes);
        gathered = out;
        memory.copy(out + gatheredBytes, piece, pieceBytes);
      }
      gatheredBytes += pieceBytes;
    }
    if (bodyDone || bodyBad || p == end) break;
  }
  relayDone = bodyDone && !bodyBad;
  relayBad = bodyBad;
  return p;
}

/**
 * Sends a copy of n bytes of a body, and its end where `last`, with the trailer lines that lie
 * behind those bytes where the framing has room for them.
 */
export function sendPiece(
  to: Connection,
  from: usize,
  n: usize,
  chunked: bool,
  last: bool,
  trailerBytes: usize,
): void {
  const start = out + SIZE_LINE;
  const end = put(start, from, n);
  if (chunked) return sendChunk(to, start, end, last, from + n, trailerBytes);
  send(to, start, n);
  keepOut(end);
}

/** Sends [start, end) as one chunk, and the last chunk and trailers behind it where `last`. */
function sendChunk(
  to: Connection,
  start: usize,
  end: usize,
  last: bool,
  trailers: usize,
  trailerBytes: usize,
): void {
  let from = start;
  let d = end;
  const bytes = end - start;
  if (bytes) {
    const digits = (67 - clz<u64>(bytes)) >> 2;
    from = start - 2 - <usize>digits;
    store<u16>(putHex(from, bytes), 0x0a0d);
    store<u16>(d, 0x0a0d);
    d += 2;
  }
  if (last) {
    store<u32>(d, 0x0d0a0d30); // "0\r\n\r"
    if (trailerBytes) {
      d = put(d + 3, trailers, trailerBytes);
      store<u8>(d++, 0x0d);
    } else d += 4;
    store<u8>(d++, 0x0a);
  }
  send(to, from, d - from);
  keepOut(d);
}
