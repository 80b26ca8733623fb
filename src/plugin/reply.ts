/** Answers of plugins: what `exit` was given becomes header lines and body bytes. */
import type { EditList } from '../core/exchange-edits.js';
import { EditOp } from '../core/layout.js';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { PluginReply } from './exchange.js';
import { checkHeader, reservedFields } from './header-check.js';

const jsonType = 'application/json; charset=utf-8';
const none = new Uint8Array(0);

type HeaderInput = Readonly<Record<string, string | readonly string[]>>;

/**
 * Makes an answer. Header edits made before it survive where `headers` does not name the field;
 * they are taken over, so that no later phase applies them again.
 * @throws GatewayError GW_E_REPLY_TOO_LARGE, GW_E_PLUGIN_FAILED for a bad status or header
 */
export function replyOf(
  status: number,
  body: string | Uint8Array | object | null,
  headers: HeaderInput,
  edits: EditList,
): PluginReply {
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    throw new GatewayError('GW_E_PLUGIN_FAILED', `exit: expected a status, got ${status}`);
  }
  const fields = new Map<string, string[]>();
  takeEdits(fields, edits);
  const names = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const values = typeof value === 'string' ? [value] : Array.from(value, String);
    fields.set(
      name.toLowerCase(),
      values.map((text) => `${name}: ${checkHeader(name, text)}\r\n`),
    );
    names.add(name.toLowerCase());
  }
  const bytes = bodyOf(body);
  const isJson = body !== null && typeof body === 'object' && !(body instanceof Uint8Array);
  if (isJson && !names.has('content-type')) {
    fields.set('content-type', [`Content-Type: ${jsonType}\r\n`]);
  }
  for (const name of reservedFields) fields.delete(name);
  return { status, fields, body: bytes };
}

/** The header lines of an answer, each with its CRLF. */
export function linesOf(reply: PluginReply): string {
  return [...reply.fields.values()].flat().join('');
}

/** First value of a field of an answer, null where it has none. `name` in lower case. */
export function replyHeader(reply: PluginReply, name: string): string | null {
  const line = reply.fields.get(name)?.[0];
  return line === undefined ? null : line.slice(name.length + 2, -2);
}

/** An answer with the edits of header filters. */
export function amendReply(reply: PluginReply, edits: EditList): PluginReply {
  const status = Number(edits.last(EditOp.STATUS) ?? reply.status);
  const fields = new Map(reply.fields);
  takeEdits(fields, edits);
  return { status, fields, body: reply.body };
}

/** Applies header edits to an answer's fields and forgets them. */
export function takeEdits(fields: Map<string, string[]>, edits: EditList): void {
  for (let i = 0; i < edits.count; i++) {
    const key = edits.names[i].toLowerCase();
    const line = `${edits.names[i]}: ${edits.values[i]}\r\n`;
    if (edits.ops[i] === EditOp.REMOVE) fields.delete(key);
    else if (edits.ops[i] === EditOp.SET) fields.set(key, [line]);
    else if (edits.ops[i] === EditOp.ADD) fields.set(key, [...(fields.get(key) ?? []), line]);
  }
  edits.clear();
  for (const name of reservedFields) fields.delete(name);
}

function bodyOf(body: string | Uint8Array | object | null): Uint8Array {
  if (body === null) return none;
  let bytes: Uint8Array;
  if (body instanceof Uint8Array) bytes = body;
  else bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  if (bytes.length > limits.replyBodyBytes.value) {
    throw new GatewayError(
      'GW_E_REPLY_TOO_LARGE',
      `exit: a body of ${bytes.length} bytes, more than ${limits.replyBodyBytes.value}`,
    );
  }
  return bytes;
}

/** The answer to a request whose plugin failed, in the form that its Accept header asks for. */
export function errorReply(
  status: number,
  message: string,
  requestId: string,
  accept: string | null,
): PluginReply {
  const { type, text } = errorBody(message, requestId, accept ?? '');
  const line = `Content-Type: ${type}; charset=utf-8\r\n`;
  return { status, fields: new Map([['content-type', [line]]]), body: Buffer.from(text) };
}

function errorBody(message: string, id: string, accept: string): { type: string; text: string } {
  const best = preferredType(accept);
  if (best === 'text/html') {
    const page = `<p>${message}.</p>\n    <p>request_id: ${id}</p>`;
    const head = '<meta charset="utf-8">\n    <title>Error</title>';
    const body = `  <body>\n    <h1>Error</h1>\n    ${page}\n  </body>`;
    const text = `<!doctype html>\n<html>\n  <head>\n    ${head}\n  </head>\n${body}\n</html>\n`;
    return { type: best, text };
  }
  if (best === 'application/xml') {
    const fields = `<message>${message}</message>\n  <requestid>${id}</requestid>`;
    return {
      type: best,
      text: `<?xml version="1.0" encoding="UTF-8"?>\n<error>\n  ${fields}\n</error>`,
    };
  }
  if (best === 'text/plain') return { type: best, text: `${message}\nrequest_id: ${id}\n` };
  const text = `{\n  "message":${JSON.stringify(message)},\n  "request_id":"${id}"\n}`;
  return { type: 'application/json', text };
}

const known: Readonly<Record<string, string>> = {
  'text/html': 'text/html',
  'text/plain': 'text/plain',
  'text/*': 'text/plain',
  'application/xml': 'application/xml',
  'application/json': 'application/json',
  'application/*': 'application/json',
  '*/*': 'application/json',
};

/** The highest q wins, the first of equals; unknown types do not count (RFC 9110 12.5.1). */
function preferredType(accept: string): string {
  let best = 'application/json';
  let weight = 0;
  for (const part of accept.split(',')) {
    const [range, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const given = parameters.find((parameter) => parameter.startsWith('q='));
    const q = given === undefined ? 1 : Number(given.slice(2)) || 0;
    if (known[range] === undefined || q <= weight) continue;
    best = known[range];
    weight = q;
  }
  return best;
}
