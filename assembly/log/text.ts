/**
 * A log record as JSON text: Kong's log record for HTTP, written in one pass from the bytes that
 * the log phase kept. Only common shapes; the shell makes the others, and both give the same text
 * (`src/log/entry.ts`). Runs when a batch is collected, never within a request.
 */
// raw memory: bytes of texts and of size words
import { findByte, isWord, lower, put, putDecimal, putText } from '../bytes';
import {
  LOG_FLAG_HEAD_CUT,
  LOG_FLAG_LOCAL,
  LOG_FLAG_TLS,
  LOG_RECORD_CLIENT_ADDRESS,
  LOG_RECORD_REQUEST_ID,
  LOG_RECORD_SIZE,
  LogRecord,
} from '../layout';
import { putAddress } from '../proxy/address';
import { hasQuotes, isSpecial, lineEnd, putArguments, putFields } from './fields';
import { putLargeWhole, putWhole } from './numbers';

const NONE: u32 = 0xffffffff;
/** More than what does not depend on the record is long. */
const FIXED_BYTES: usize = 4096;
/** What a failed try is long, without its peer; what quotes and commas add to a record's bytes. */
const TRY_BYTES: usize = 32;
const GROWTH: usize = 4;

/**
 * Writes the text of a ring's entry; returns the end, or 0 where it is none of the common shapes,
 * or could be too long for [d, limit). See log_text of index.ts.
 */
export function putRecord(
  entry: usize,
  routed: bool,
  entities: usize,
  peer: usize,
  client: usize,
  secure: usize,
  d: usize,
  limit: usize,
): usize {
  const size = load<u32>(entry);
  const at = entry + 4;
  const r = changetype<LogRecord>(at);
  if (size < <u32>LOG_RECORD_SIZE || r.bytes != size) return 0;
  if (r.flags & LOG_FLAG_HEAD_CUT || !secure != !(r.flags & LOG_FLAG_TLS)) return 0;
  const request = at + LOG_RECORD_SIZE;
  const target = request + r.requestHeadBytes;
  const response = target + r.upstreamTargetBytes;
  const end = at + size;
  if (target > end || response > end || response + r.responseHeadBytes != end) return 0;
  const tries = <usize>r.tries * (load<u32>(peer) + TRY_BYTES);
  const parts = <usize>load<u32>(entities) + (client ? load<u32>(client) : 0) + tries +
    (secure ? load<u32>(secure) : 0);
  if (d + FIXED_BYTES + GROWTH * <usize>size + parts > limit) return 0;
  if (isSpecial(request, end) || hasQuotes(target, response)) return 0;
  d = putRequest(d, r, request, target, secure);
  if (!d) return 0;
  d = putText(d, ',"upstream_uri":"');
  d = put(d, target, response - target);
  d = putText(d, '","upstream_status":"');
  if (r.upstreamStatus) d = putDecimal(d, r.upstreamStatus);
  d = putResponse(putText(d, '","response":{"status":'), r, response, end);
  if (!d) return 0;
  d = putLatencies(d, r);
  if (routed) d = putTries(d, r, peer);
  if (!d) return 0;
  d = putAddress(putText(d, '"client_ip":"'), at + LOG_RECORD_CLIENT_ADDRESS);
  d = putSized(putText(d, '",'), entities);
  const isUpstream = r.upstreamStatus != 0 && !(r.flags & LOG_FLAG_LOCAL);
  d = isUpstream ? putText(d, '"source":"upstream"') : putText(d, '"source":"kong"');
  d = putWhole(putText(d, ',"started_at":'), Math.floor(r.startWallMs));
  if (!d) return 0;
  if (client) d = putSized(d, client);
  return putText(d, '}');
}

function putRequest(d: usize, r: LogRecord, head: usize, end: usize, secure: usize): usize {
  const line = lineEnd(head, end);
  if (!line || line == end) return 0;
  const method = findByte(head, line, 0x20);
  const uri = method + 1;
  if (method == head || uri >= line) return 0;
  const uriEnd = findByte(uri, line, 0x20);
  // Other forms than the origin form may name a host of their own.
  if (uriEnd == line || load<u8>(uri) != 0x2f || hasQuotes(head, uriEnd)) return 0;
  d = put(putText(d, '{"request":{"id":"'), changetype<usize>(r) + LOG_RECORD_REQUEST_ID, 32);
  d = put(putText(d, '","method":"'), head, method - head);
  d = put(putText(d, '","uri":"'), uri, uriEnd - uri);
  d = putText(d, secure ? '","url":"https://' : '","url":"http://');
  d = putHost(d, line + 2, end);
  if (!d) return 0;
  store<u8>(d++, 0x3a);
  d = put(putDecimal(d, r.localPort), uri, uriEnd - uri);
  d = putWhole(putText(d, '","size":'), r.requestBytes);
  if (!d) return 0;
  const query = min(findByte(uri, uriEnd, 0x3f) + 1, uriEnd);
  d = putArguments(putText(d, ',"querystring":'), query, uriEnd);
  if (!d) return 0;
  d = putFields(putText(d, ',"headers":'), line + 2, end, true);
  if (!d) return 0;
  return putText(secure ? putSized(d, secure) : d, '}');
}

/** Writes the first Host without its port, in lower case; returns the end, 0: no simple one. */
function putHost(d: usize, p: usize, end: usize): usize {
  while (p < end) {
    let stop = lineEnd(p, end);
    if (!stop) return 0;
    if (stop - p > 4 && load<u8>(p + 4) == 0x3a && isWord(p, 4, 'host')) {
      p += 5;
      while (p < stop && load<u8>(p) == 0x20) p++;
      while (stop > p && load<u8>(stop - 1) == 0x20) stop--;
      if (p < stop && (load<u8>(p) == 0x5b || load<u8>(p) == 0x3a)) return 0;
      if (findByte(p, stop, 0x40) != stop || hasQuotes(p, stop)) return 0;
      for (; p < stop && load<u8>(p) != 0x3a; p++) store<u8>(d++, <u8>lower(load<u8>(p)));
      return d;
    }
    p = stop + 2;
  }
  return d;
}

function putResponse(d: usize, r: LogRecord, head: usize, end: usize): usize {
  d = putWhole(putText(putDecimal(d, r.status), ',"size":'), r.responseBytes);
  if (!d) return 0;
  const line = lineEnd(head, end);
  if (!line && head != end) return 0;
  const fields = head == end || line == end ? end : line + 2;
  d = putFields(putText(d, ',"headers":'), fields, end, false);
  return d ? putText(d, '}') : 0;
}

function putLatencies(d: usize, r: LogRecord): usize {
  d = putDecimal(putText(d, ',"latencies":{"kong":'), r.gatewayMs);
  d = putText(d, ',"proxy":');
  d = r.upstreamMs == NONE ? putText(d, '-1') : putDecimal(d, r.upstreamMs);
  d = putDecimal(putText(d, ',"request":'), r.requestMs);
  return putText(putDecimal(putText(d, ',"receive":'), r.receiveMs), '},');
}

/** The record holds the number of tries and their one target; only the last can have answered. */
function putTries(d: usize, r: LogRecord, peer: usize): usize {
  d = putText(d, '"tries":[');
  if (r.tries) {
    for (let i: u32 = 1; i < r.tries; i++) {
      store<u8>(d, 0x7b);
      d = putText(putSized(d + 1, peer), '"state":"failed"},');
    }
    store<u8>(d, 0x7b);
    d = putSized(d + 1, peer);
    const startMs = r.startWallMs + <f64>r.gatewayMs;
    d = putWhole(putText(d, '"balancer_start":'), Math.floor(startMs));
    if (!d) return 0;
    d = putLargeWhole(putText(d, ',"balancer_start_ns":'), Math.floor(startMs * 1e6));
    if (!d) return 0;
    d = putText(d, ',"balancer_latency":0');
    d = r.upstreamStatus ? putText(d, '}') : putText(d, ',"state":"failed"}');
  }
  return putText(d, '],');
}

/** A text behind its size. */
function putSized(d: usize, text: usize): usize {
  return put(d, text + 4, load<u32>(text));
}
