/** Reads the raw heads and targets of log records into what Kong's log fields hold. */

export type HeaderValue = string | string[];
export type HeaderMap = Record<string, HeaderValue>;
export type QueryMap = Record<string, string | true | (string | true)[]>;

export interface HeadText {
  /** Request or status line. */
  readonly startLine: string;
  /** Lower-case names; a repeated field is an array in order of appearance. */
  readonly headers: HeaderMap;
}

/**
 * Splits a head of CRLF lines. The core has checked its grammar; `cut` says that the end is
 * missing, and then the last line, which may be half a field, is left out.
 */
export function readHead(text: string, cut: boolean): HeadText {
  const headers = emptyMap<HeaderValue>();
  const first = text.indexOf('\r\n');
  if (first < 0) return { startLine: text, headers };
  let at = first + 2;
  for (;;) {
    let end = text.indexOf('\r\n', at);
    if (end < 0) {
      if (cut) break;
      end = text.length;
    }
    if (end <= at) break;
    addField(headers, text, at, end);
    at = end + 2;
  }
  return { startLine: text.slice(0, first), headers };
}

function addField(headers: HeaderMap, text: string, from: number, end: number): void {
  const colon = text.indexOf(':', from);
  if (colon < 0 || colon >= end) return;
  const name = text.slice(from, colon).toLowerCase();
  const value = text.slice(colon + 1, end).trim();
  const known = headers[name];
  if (known === undefined) headers[name] = value;
  else if (Array.isArray(known)) known.push(value);
  else headers[name] = [known, value];
}

/**
 * The decoded arguments of a query (without its question mark): a repeated name is an array, a name
 * without `=` is true, `+` is a blank, nameless arguments are left out. At most 100, as in Kong.
 */
export function readQuery(query: string): QueryMap {
  const args = emptyMap<string | true | (string | true)[]>();
  if (query === '') return args;
  let count = 0;
  for (const part of query.split('&')) {
    const equals = part.indexOf('=');
    const name = unescapeText(equals < 0 ? part : part.slice(0, equals));
    if (name === '') continue;
    if (++count > 100) break;
    const value = equals < 0 ? true : unescapeText(part.slice(equals + 1));
    const known = args[name];
    if (known === undefined) args[name] = value;
    else if (Array.isArray(known)) known.push(value);
    else args[name] = [known, value];
  }
  return args;
}

/** Percent-decoding that leaves malformed escapes as they are. */
function unescapeText(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const blanks = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(blanks);
  } catch {
    return blanks.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) =>
      Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
    );
  }
}

/** Names come from the network: a map without a prototype has no names of its own. */
function emptyMap<V>(): Record<string, V> {
  return Object.create(null) as Record<string, V>;
}

export interface RequestTarget {
  /** Path and query as sent; the scheme and authority of an absolute-form target removed. */
  readonly uri: string;
  /** Authority of an absolute-form target, else null. */
  readonly authority: string | null;
}

/** Splits a request target (RFC 9112 3.2). */
export function readTarget(target: string): RequestTarget {
  const match = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(.*)$/is.exec(target);
  if (!match) return { uri: target, authority: null };
  const rest = match[2];
  return { uri: rest.startsWith('/') ? rest : `/${rest}`, authority: match[1] };
}

/** Lower-case host of an authority or Host value, without user info and port. */
export function hostOf(authority: string): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':');
  return (end > 0 ? host.slice(0, end) : host).toLowerCase();
}
