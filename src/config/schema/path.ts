/** The normal form of paths in a configuration, the same that requests are brought into. */

const reservedOctets = new Set([..."!*'();:@&=+$,/?%#[]"].map((c) => c.charCodeAt(0)));

/**
 * The normal form of a route's plain path: percent-encoded octets outside the reserved set are
 * decoded, the rest get upper-case hex, dot segments and repeated slashes go away.
 */
export function normalizePath(path: string): string {
  const decoded = decodeRuns(path, (text) => text);
  return decoded.includes('.') || decoded.includes('//') ? removeDots(decoded) : decoded;
}

/** Decodes the percent-encoded octets that need no encoding; `quote` sees the decoded text. */
export function decodeRuns(path: string, quote: (text: string) => string): string {
  return path.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => {
    let text = '';
    let octets: number[] = [];
    for (let at = 0; at < run.length; at += 3) {
      const octet = Number.parseInt(run.slice(at + 1, at + 3), 16);
      if (!reservedOctets.has(octet)) {
        octets.push(octet);
        continue;
      }
      text += quote(decodeOctets(octets)) + run.slice(at, at + 3).toUpperCase();
      octets = [];
    }
    return text + quote(decodeOctets(octets));
  });
}

/** Octets that are no UTF-8 stay encoded: a JavaScript string has no other way to hold them. */
function decodeOctets(octets: readonly number[]): string {
  const bytes = Uint8Array.from(octets);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return octets.map((octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  }
}

function removeDots(path: string): string {
  const segments = path.split('/').slice(1);
  const out: string[] = [];
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === '..') out.pop();
    if (segment !== '' && segment !== '.' && segment !== '..') out.push(segment);
    else if (last) out.push('');
  });
  return `/${out.join('/')}`;
}
