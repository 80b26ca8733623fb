/**
 * The judge: a slow, obvious, strict parser of HTTP/1.1 messages, written from RFC 9112 and RFC
 * 9110 section 5 and sharing nothing with the core. It works on latin1 text, one character per
 * byte, and takes exactly one spelling of everything: what it refuses, the gateway must never send.
 */

/** A message that breaks the grammar; `rule` names the section. */
export class GrammarError extends Error {
  readonly rule: string;
  constructor(rule: string, what: string) {
    super(`${what} (${rule})`);
    this.name = 'GrammarError';
    this.rule = rule;
  }
}

/** [name as sent, value without white space around it] */
export type Field = readonly [string, string];

export interface OracleRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly fields: readonly Field[];
  readonly body: string;
  readonly trailers: readonly Field[];
  /** 'none', 'length' or 'chunked'. */
  readonly framing: string;
}

export interface OracleResponse {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  readonly body: string;
  readonly trailers: readonly Field[];
  /** 'none', 'length', 'chunked' or 'close'. */
  readonly framing: string;
  /** 1xx answers that came before it. */
  readonly informational: readonly { status: number; fields: readonly Field[] }[];
}

/** A parsed message and where the next one begins; null where bytes are missing. */
export type Parsed<T> = { readonly message: T; readonly end: number } | null;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// field-vchar = VCHAR / obs-text; inner SP and HTAB (RFC 9110 5.5)
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;
const PCHAR = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})";
const ORIGIN_FORM = new RegExp(`^(?:/${PCHAR}*)+(?:\\?(?:${PCHAR}|[/?])*)?$`);
const REG_NAME = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+";
const HOST = new RegExp(`^(?:\\[[0-9A-Fa-f:.]+\\]|${REG_NAME})(?::[0-9]*)?$`);

/** All values of a field, by lower-case name. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter(([n]) => n.toLowerCase() === name).map(([, value]) => value);
}

/** Members of a comma list over all lines of a field, lower-case. */
export function listOf(fields: readonly Field[], name: string): string[] {
  return valuesOf(fields, name)
    .flatMap((value) => value.split(','))
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== '');
}

function fail(rule: string, what: string): never {
  throw new GrammarError(rule, what);
}

/** Lines up to the empty one. null: not all there. */
function headLines(text: string, from: number): { lines: string[]; end: number } | null {
  const lines: string[] = [];
  let at = from;
  for (;;) {
    const lf = text.indexOf('\n', at);
    if (lf < 0) {
      if (/\r[^]/.test(text.slice(at))) fail('RFC 9112 2.2', 'bare CR in a head');
      return null;
    }
    if (text[lf - 1] !== '\r' || lf === at) fail('RFC 9112 2.2', 'bare LF in a head');
    const line = text.slice(at, lf - 1);
    if (line.includes('\r')) fail('RFC 9112 2.2', 'bare CR in a head');
    at = lf + 1;
    if (line === '') return { lines, end: at };
    lines.push(line);
  }
}

function parseField(line: string): Field {
  if (line[0] === ' ' || line[0] === '\t') fail('RFC 9112 5.2', 'folded line');
  const colon = line.indexOf(':');
  if (colon < 0) fail('RFC 9112 5', 'field line without a colon');
  const name = line.slice(0, colon);
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
  if (!TOKEN.test(name)) fail('RFC 9112 5.1', `field name ${JSON.stringify(name)}`);
  if (!VALUE.test(value)) fail('RFC 9110 5.5', `field value ${JSON.stringify(value)}`);
  return [name, value];
}

/** Content-Length as a number, null where there is none; one line, digits only. */
function contentLength(fields: readonly Field[]): number | null {
  const values = valuesOf(fields, 'content-length');
  if (values.length === 0) return null;
  if (values.length > 1 || !/^[0-9]{1,15}$/.test(values[0])) {
    fail('RFC 9110 8.6', `Content-Length ${JSON.stringify(values)}`);
  }
  return Number(values[0]);
}

/** True where the body is chunked; every other coding is refused. */
function isChunked(fields: readonly Field[]): boolean {
  const values = valuesOf(fields, 'transfer-encoding');
  if (values.length === 0) return false;
  if (values.length > 1 || values[0].toLowerCase() !== 'chunked') {
    fail('RFC 9112 6.1', `Transfer-Encoding ${JSON.stringify(values)}`);
  }
  if (valuesOf(fields, 'content-length').length > 0) {
    fail('RFC 9112 6.2', 'both Transfer-Encoding and Content-Length');
  }
  return true;
}

interface Body {
  readonly body: string;
  readonly trailers: readonly Field[];
  readonly end: number;
}

/** A chunked body (RFC 9112 7.1); null where bytes are missing. */
export function parseChunked(text: string, from: number): Body | null {
  let at = from;
  let body = '';
  for (;;) {
    const lf = text.indexOf('\n', at);
    if (lf < 0) return null;
    const line = text.slice(at, lf);
    const size = /^([0-9A-Fa-f]{1,13})((?:[ \t]*;[ \t]*[^\r\n]*)?)\r$/.exec(line);
    if (size === null) fail('RFC 9112 7.1', `chunk line ${JSON.stringify(line)}`);
    at = lf + 1;
    const bytes = Number.parseInt(size[1], 16);
    if (bytes === 0) break;
    if (text.length < at + bytes + 2) return null;
    body += text.slice(at, at + bytes);
    if (text.slice(at + bytes, at + bytes + 2) !== '\r\n') fail('RFC 9112 7.1', 'chunk end');
    at += bytes + 2;
  }
  const trailer = headLines(text, at);
  if (trailer === null) return null;
  return { body, trailers: trailer.lines.map(parseField), end: trailer.end };
}

/** One request at `from`. @throws GrammarError */
export function parseRequest(text: string, from = 0): Parsed<OracleRequest> {
  const head = headLines(text, from);
  if (head === null) return null;
  const [line = '', ...rest] = head.lines;
  const parts = line.split(' ');
  if (parts.length !== 3) fail('RFC 9112 3', `request line ${JSON.stringify(line)}`);
  const [method, target, version] = parts;
  if (!TOKEN.test(method)) fail('RFC 9110 9.1', 'method');
  if (!/^HTTP\/1\.[01]$/.test(version)) fail('RFC 9112 2.3', `version ${version}`);
  const fields = rest.map(parseField);
  checkTarget(method, target);
  checkHost(fields, version);
  const framed = requestBody(text, head.end, fields);
  if (framed === null) return null;
  const { body, trailers, end, framing } = framed;
  return { message: { method, target, version, fields, body, trailers, framing }, end };
}

function checkTarget(method: string, target: string): void {
  if (target === '*' && method === 'OPTIONS') return;
  if (ORIGIN_FORM.test(target)) return;
  fail('RFC 9112 3.2', `request target ${JSON.stringify(target)}`);
}

function checkHost(fields: readonly Field[], version: string): void {
  const hosts = valuesOf(fields, 'host');
  if (hosts.length === 0 && version === 'HTTP/1.0') return;
  if (hosts.length !== 1) fail('RFC 9112 3.2', `${hosts.length} Host fields`);
  if (hosts[0] !== '' && !HOST.test(hosts[0])) fail('RFC 9110 7.2', `Host ${hosts[0]}`);
}

function requestBody(
  text: string,
  at: number,
  fields: readonly Field[],
): (Body & { framing: string }) | null {
  if (isChunked(fields)) {
    const chunked = parseChunked(text, at);
    return chunked && { ...chunked, framing: 'chunked' };
  }
  const length = contentLength(fields);
  if (text.length < at + (length ?? 0)) return null;
  return {
    body: text.slice(at, at + (length ?? 0)),
    trailers: [],
    end: at + (length ?? 0),
    framing: length === null ? 'none' : 'length',
  };
}

/**
 * One final response at `from`, with the informational ones before it.
 * `closed`: no more bytes will come, so a body may end here. @throws GrammarError
 */
export function parseResponse(
  text: string,
  from: number,
  method: string,
  closed: boolean,
): Parsed<OracleResponse> {
  const informational: { status: number; fields: readonly Field[] }[] = [];
  let at = from;
  for (;;) {
    const head = headLines(text, at);
    if (head === null) return null;
    const [line = '', ...rest] = head.lines;
    const match = /^(HTTP\/1\.[01]) ([1-5][0-9][0-9]) ([^]*)$/.exec(line);
    if (match === null) fail('RFC 9112 4', `status line ${JSON.stringify(line)}`);
    const [, version, code, reason] = match;
    if (!REASON.test(reason)) fail('RFC 9112 4', `reason phrase ${JSON.stringify(reason)}`);
    const fields = rest.map(parseField);
    const status = Number(code);
    at = head.end;
    if (status < 200 && status !== 101) {
      if (isChunked(fields) || contentLength(fields) !== null) {
        fail('RFC 9110 8.6', 'framing field in an informational response');
      }
      informational.push({ status, fields });
      continue;
    }
    const framed = responseBody(text, at, fields, method, status, closed);
    if (framed === null) return null;
    const { end, ...body } = framed;
    return { message: { version, status, reason, fields, informational, ...body }, end };
  }
}

function responseBody(
  text: string,
  at: number,
  fields: readonly Field[],
  method: string,
  status: number,
  closed: boolean,
): (Body & { framing: string }) | null {
  const chunked = isChunked(fields);
  const length = contentLength(fields);
  if ((status === 204 || status === 101) && (chunked || length !== null)) {
    fail('RFC 9110 8.6', `framing field in a ${status}`);
  }
  const empty = { body: '', trailers: [], end: at };
  if (method === 'HEAD' || status === 204 || status === 304 || status === 101) {
    return { ...empty, framing: 'none' };
  }
  if (chunked) {
    const parsed = parseChunked(text, at);
    return parsed && { ...parsed, framing: 'chunked' };
  }
  if (length !== null) {
    if (text.length < at + length) return null;
    const end = at + length;
    return { ...empty, body: text.slice(at, end), end, framing: 'length' };
  }
  if (!closed) return null;
  return { ...empty, body: text.slice(at), end: text.length, framing: 'close' };
}

/**
 * Every complete request in a byte stream, and the text of an incomplete one behind them. A
 * `tolerant` judge skips up to four empty lines in front of a request (RFC 9112 2.2).
 */
export function parseRequests(
  text: string,
  tolerant = false,
): { requests: OracleRequest[]; rest: string } {
  const requests: OracleRequest[] = [];
  let at = 0;
  while (at < text.length) {
    for (let i = 0; tolerant && i < 4 && text.startsWith('\r\n', at); i++) at += 2;
    const parsed = parseRequest(text, at);
    if (parsed === null) break;
    requests.push(parsed.message);
    at = parsed.end;
  }
  return { requests, rest: text.slice(at) };
}

/** Answers to requests with these methods, in order, and what is left over. */
export function parseResponses(
  text: string,
  methods: readonly string[],
  closed: boolean,
): { responses: OracleResponse[]; rest: string } {
  const responses: OracleResponse[] = [];
  let at = 0;
  for (const method of methods) {
    const parsed = at < text.length ? parseResponse(text, at, method, closed) : null;
    if (parsed === null) break;
    responses.push(parsed.message);
    at = parsed.end;
  }
  return { responses, rest: text.slice(at) };
}
