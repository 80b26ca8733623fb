/** Cookies of a request (RFC 6265 5.4) and one cookie for an answer (4.1). */

/** Value of the first cookie of a name in the Cookie fields; null where it is absent. */
export function readCookie(fields: readonly string[], name: string): string | null {
  for (const field of fields) {
    for (const pair of field.split(';')) {
      const equals = pair.indexOf('=');
      if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
      const value = pair.slice(equals + 1).trim();
      return /^".*"$/.test(value) ? value.slice(1, -1) : value;
    }
  }
  return null;
}

/** The Cookie field without some cookies; null where nothing stays. */
export function withoutCookies(field: string, names: readonly string[]): string | null {
  const kept = field
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !names.includes(pair.split('=', 1)[0].trim()));
  return kept.length === 0 ? null : kept.join('; ');
}

export interface CookieAttributes {
  readonly path?: string | null;
  readonly domain?: string | null;
  readonly sameSite?: string | null;
  readonly httpOnly?: boolean | null;
  readonly secure?: boolean | null;
  /** Seconds; null: until the browser closes. */
  readonly maxAge?: number | null;
}

/** A Set-Cookie value. */
export function setCookie(name: string, value: string, attributes: CookieAttributes): string {
  const { path, domain, sameSite, httpOnly, secure, maxAge } = attributes;
  let text = `${name}=${value}`;
  if (path) text += `; Path=${path}`;
  if (domain) text += `; Domain=${domain}`;
  if (sameSite && sameSite !== 'Default') text += `; SameSite=${sameSite}`;
  if (secure) text += '; Secure';
  if (httpOnly) text += '; HttpOnly';
  if (maxAge !== null && maxAge !== undefined) text += `; Max-Age=${Math.floor(maxAge)}`;
  return text;
}
