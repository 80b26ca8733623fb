/** Trailer sections of bodies that go through plugins. */

/**
 * Fields that mean something before a body only, or that frame it: never sent as trailers
 * (RFC 9110 6.5.1).
 */
export const neverTrailers: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'max-forwards',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
]);

/**
 * Lines of a section that go on, each with its line end. `section`: octets as they came, checked by
 * the core, the empty line at the end included.
 */
export function passedTrailers(section: string): string {
  if (section === '') return '';
  let lines = '';
  for (const line of section.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 1 || neverTrailers.has(line.slice(0, colon).toLowerCase())) continue;
    lines += `${line}\r\n`;
  }
  return lines;
}
