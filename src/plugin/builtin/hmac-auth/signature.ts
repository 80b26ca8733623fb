/** What hmac-auth signs, and how (kong-bundled-plugins reference, section 21). */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { RequestReader } from '../../request-types.js';

export interface HmacParameters {
  readonly username: string;
  readonly algorithm: string;
  /** Names of what was signed, in order, as written. */
  readonly headers: readonly string[];
  readonly signature: string;
}

const quoted = (name: string): string => `${name}="([^"]+)"`;
const form = new RegExp(
  `\\s*[Hh]mac\\s*${['username', 'algorithm', 'headers', 'signature'].map(quoted).join(',\\s*')}`,
);

/** The four parameters of a header, in their fixed order; null where it has another form. */
export function readParameters(value: string): HmacParameters | null {
  const match = form.exec(value);
  if (!match) return null;
  const [, username, algorithm, headers, signature] = match;
  return { username, algorithm, headers: headers.split(/\s+/).filter(Boolean), signature };
}

/** One line per signed name. */
export function signingText(request: RequestReader, names: readonly string[]): string {
  const target = request.pathWithQuery;
  const lines = names.map((name) => {
    if (name === 'request-line') {
      const version = request.httpVersion === 1 ? '1.0' : '1.1';
      return `${request.method} ${target} HTTP/${version}`;
    }
    if (name === '@request-target') return `${name}: ${request.method.toLowerCase()} ${target}`;
    const value = request.header(name);
    return value === null ? `${name}:` : `${name}: ${value}`;
  });
  return lines.join('\n');
}

/** Whether a base64 signature is the HMAC of a text; `algorithm`: `hmac-sha256` and the like. */
export function isSignature(given: string, text: string, algorithm: string, secret: string) {
  const made = createHmac(algorithm.slice('hmac-'.length), secret).update(text).digest('base64');
  const [a, b] = [Buffer.from(made), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Whether a Digest header (RFC 3230) fits a body; without header only an empty body does. */
export function isDigest(header: string | null, body: Uint8Array): boolean {
  if (header === null) return body.length === 0;
  return header === `SHA-256=${createHash('sha256').update(body).digest('base64')}`;
}
