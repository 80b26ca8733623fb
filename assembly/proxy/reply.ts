/**
 * Answers that the gateway makes itself: errors with Kong's bodies, redirects, what a plugin's exit
 * wrote. They end the exchange; the connection goes on where its framing allows it.
 */
// raw memory: reads what a plugin wrote
import { put, putText } from '../bytes';
import { chooseType } from '../http/accept';
import * as head from '../http/head';
import { H_ACCEPT } from '../http/names';
import { errorMessage } from '../http/reasons';
import {
  CONTENT_TYPE_HTML,
  CONTENT_TYPE_JSON,
  CONTENT_TYPE_XML,
  REPLY,
  REPLY_SIZE,
  REQUEST_HEADERS,
  Reply,
  SETTINGS,
  Settings,
} from '../layout';
import { keepOut, out, send } from './commands';
import { Connection } from './connection';
import { clearEdits, putAdditions } from './edits';
import { EXCHANGE_ID, Exchange, X_ANSWERED, X_HEAD, X_LOCAL } from './exchange';
import { noteResponseHead } from './log';
import { filterLocal } from './phases';
import { putEnd, putLength, putLocalLines, putStatusLine } from './response';

/** Whether the head of the request under `parse` results is the one of this exchange. */
export const FRESH: bool = true;
export const STALE: bool = false;

/** Sends an error answer with the server-level text of its status. */
export function replyError(c: Connection, x: Exchange, status: u32, fresh: bool): void {
  const settings = changetype<Settings>(SETTINGS);
  const type = negotiate(x, fresh, settings.errorDefaultType);
  sendMessage(c, x, status, errorMessage(status), type, '', status == 502 || status == 504);
}

/** Sends an answer of the gateway's own error call: JSON where the client names no type. */
export function replyMessage(c: Connection, x: Exchange, status: u32, message: string): void {
  sendMessage(c, x, status, message, negotiate(x, FRESH, CONTENT_TYPE_JSON), '', false);
}

/** The same with ready header lines. */
export function replyWithLines(
  c: Connection,
  x: Exchange,
  status: u32,
  message: string,
  lines: string,
): void {
  sendMessage(c, x, status, message, negotiate(x, FRESH, CONTENT_TYPE_JSON), lines, false);
}

/** Content type for the client of an exchange; looks at the head copy where `fresh` is false. */
function negotiate(x: Exchange, fresh: bool, fallback: u32): u32 {
  if (!fresh) {
    const copy = x.requestHead ? x.requestHead : x.upstreamHead;
    const bytes = x.requestHead ? x.requestHeadBytes : x.upstreamHeadBytes;
    if (!copy || head.parseRequest(copy, <usize>copy + bytes) < 1000) return fallback;
  }
  const accept = head.present & (1 << H_ACCEPT);
  if (!accept) return fallback;
  const entry = head.findHeader(REQUEST_HEADERS, head.headerCount, H_ACCEPT);
  return entry ? chooseType(entry.value, entry.valueLength, CONTENT_TYPE_JSON) : fallback;
}

function sendMessage(
  c: Connection,
  x: Exchange,
  status: u32,
  message: string,
  type: u32,
  lines: string,
  tried: bool,
): void {
  x.status = status;
  x.flags |= X_LOCAL | X_ANSWERED;
  clearEdits();
  filterLocal(c, x);
  const body = out + 0x80000;
  const bodyEnd = putBody(body, x, message, type);
  let d = putStatusLine(out, x.status);
  const from = out;
  d = putLocalLines(d, x, tried);
  d = putText(putText(d, 'Content-Type: '), typeName(type));
  d = putText(d, lines);
  d = putAdditions(d);
  d = putEnd(putLength(d, <u64>(bodyEnd - body)), x);
  finishReply(c, x, from, d, body, bodyEnd - body);
}

/** Sends 3xx with a Location of n bytes and no body. */
export function replyRedirect(c: Connection, x: Exchange, status: u32, at: usize, n: usize): void {
  x.status = status;
  x.flags |= X_LOCAL | X_ANSWERED;
  clearEdits();
  filterLocal(c, x);
  const from = out;
  let d = putLocalLines(putStatusLine(out, status), x, false);
  d = putText(put(putText(d, 'Location: '), at, n), '\r\n');
  d = putEnd(putLength(putAdditions(d), 0), x);
  finishReply(c, x, from, d, 0, 0);
}

/** Sends what a plugin's exit left in the reply region. */
export function replyFromPlugin(c: Connection, x: Exchange): void {
  const reply = changetype<Reply>(REPLY);
  x.status = reply.status;
  x.flags |= X_LOCAL | X_ANSWERED;
  clearEdits();
  filterLocal(c, x);
  const from = out;
  let d = putLocalLines(putStatusLine(out, x.status), x, false);
  const lines = REPLY + REPLY_SIZE;
  d = putAdditions(put(d, lines, reply.headerBytes));
  const bodiless = x.status == 204 || x.status == 304 || x.status < 200;
  if (!bodiless) d = putLength(d, reply.bodyBytes);
  d = putEnd(d, x);
  const bytes: usize = bodiless ? 0 : reply.bodyBytes;
  finishReply(c, x, from, d, lines + reply.headerBytes, bytes);
}

/** Puts the body behind the head, unless the client asked for the head alone. */
function finishReply(
  c: Connection,
  x: Exchange,
  from: usize,
  headEnd: usize,
  body: usize,
  bodyBytes: usize,
): void {
  noteResponseHead(x, from, headEnd - from);
  let end = headEnd;
  if (bodyBytes && !(x.flags & X_HEAD)) {
    memory.copy(headEnd, body, bodyBytes);
    end = headEnd + bodyBytes;
    x.bodyBytesSent += <f64>bodyBytes;
  }
  x.responseBytes += <f64>(end - from);
  send(c, from, end - from);
  keepOut(end);
}

function typeName(type: u32): string {
  if (type == CONTENT_TYPE_JSON) return 'application/json; charset=utf-8\r\n';
  if (type == CONTENT_TYPE_HTML) return 'text/html; charset=utf-8\r\n';
  if (type == CONTENT_TYPE_XML) return 'application/xml; charset=utf-8\r\n';
  return 'text/plain; charset=utf-8\r\n';
}

/** Kong's error body in one of its four forms. */
function putBody(d: usize, x: Exchange, message: string, type: u32): usize {
  const id = changetype<usize>(x) + EXCHANGE_ID;
  if (type == CONTENT_TYPE_JSON) {
    d = putText(putText(d, '{\n  "message":"'), message);
    d = put(putText(d, '",\n  "request_id":"'), id, 32);
    return putText(d, '"\n}');
  }
  if (type == CONTENT_TYPE_HTML) {
    d = putText(d, '<!doctype html>\n<html>\n  <head>\n    <meta charset="utf-8">\n');
    d = putText(d, '    <title>Error</title>\n  </head>\n  <body>\n    <h1>Error</h1>\n    <p>');
    d = putText(putText(d, message), '.</p>\n    <p>request_id: ');
    return putText(put(d, id, 32), '</p>\n  </body>\n</html>\n');
  }
  if (type == CONTENT_TYPE_XML) {
    d = putText(d, '<?xml version="1.0" encoding="UTF-8"?>\n<error>\n  <message>');
    d = putText(putText(d, message), '</message>\n  <requestid>');
    return putText(put(d, id, 32), '</requestid>\n</error>');
  }
  d = putText(putText(d, message), '\nrequest_id: ');
  return putText(put(d, id, 32), '\n');
}
