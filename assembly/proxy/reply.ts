/**
 * Answers that the gateway makes itself: errors with Kong's bodies, redirects, what a plugin's exit
 * wrote. They end the exchange; the connection goes on where its framing allows it. What is common
 * to all of them is in own-answer.ts.
 */
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
  RESPONSE_SOURCE_ERROR,
  RESPONSE_SOURCE_EXIT,
  Reply,
  SETTINGS,
  Settings,
} from '../layout';
import { Connection } from './connection';
import { EXCHANGE_ID, Exchange, X_TRIED } from './exchange';
import { beginOwn, ownBody, sendFiltered, sendOwn } from './own-answer';
import { nowExact } from './timers';

const EXIT: u32 = RESPONSE_SOURCE_EXIT;

/** Whether the head of the request under `parse` results is the one of this exchange. */
export const FRESH: bool = true;
export const STALE: bool = false;

/** Sends an error answer with the server-level text of its status. */
export function replyError(c: Connection, x: Exchange, status: u32, fresh: bool): void {
  const settings = changetype<Settings>(SETTINGS);
  const type = negotiate(x, fresh, settings.errorDefaultType);
  if (status == 502 || status == 504) x.flags |= X_TRIED;
  sendMessage(c, x, status, errorMessage(status), type, RESPONSE_SOURCE_ERROR);
}

/** Sends an answer of the gateway's own error call: JSON where the client names no type. */
export function replyMessage(c: Connection, x: Exchange, status: u32, message: string): void {
  sendMessage(c, x, status, message, negotiate(x, FRESH, CONTENT_TYPE_JSON), EXIT);
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
  source: u32,
): void {
  const body = ownBody();
  const bodyEnd = putBody(body, x, message, type);
  const d = putText(putText(beginOwn(x, status), 'Content-Type: '), typeName(type));
  sendOwn(c, x, d, source, body, bodyEnd - body);
}

/** Answers 405 or OPTIONS at this hop, naming the methods. */
export function replyAllow(c: Connection, x: Exchange): void {
  const d = beginOwn(x, 200);
  sendOwn(c, x, putText(d, 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n'), EXIT, 0, 0);
}

/** Sends 3xx with a Location of n bytes and no body. */
export function replyRedirect(c: Connection, x: Exchange, status: u32, at: usize, n: usize): void {
  const d = putText(put(putText(beginOwn(x, status), 'Location: '), at, n), '\r\n');
  sendOwn(c, x, d, EXIT, 0, 0);
}

/** Sends what a plugin's exit left in the reply region. */
export function replyFromPlugin(c: Connection, x: Exchange): void {
  const reply = changetype<Reply>(REPLY);
  const lines = REPLY + REPLY_SIZE;
  if (reply.proxied) {
    x.flags |= X_TRIED;
    x.balancedMs = nowExact;
  }
  const d = put(beginOwn(x, reply.status), lines, reply.headerBytes);
  sendOwn(c, x, d, EXIT, lines + reply.headerBytes, reply.bodyBytes);
}

/**
 * The same where it takes the place of an answer that went through the filters already. `verdict`:
 * whether its body is for the shell, too.
 */
export function replyInstead(c: Connection, x: Exchange, verdict: u32): void {
  const reply = changetype<Reply>(REPLY);
  const lines = REPLY + REPLY_SIZE;
  const d = put(beginOwn(x, reply.status), lines, reply.headerBytes);
  sendFiltered(c, x, d, verdict, lines + reply.headerBytes, reply.bodyBytes);
}

/** The same after the request's head was parsed over. */
export function replyStaleMessage(
  c: Connection,
  x: Exchange,
  status: u32,
  message: string,
): void {
  sendMessage(c, x, status, message, negotiate(x, STALE, CONTENT_TYPE_JSON), EXIT);
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
