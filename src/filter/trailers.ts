/** Trailer sections: from the octets that came to a list of fields, and back to lines. */
import { limits } from '../limits.js';
import { neverTrailers } from '../plugin/trailers.js';
import type { HeaderMap } from './header-map.js';

/** Appends the fields of a section that the core has checked, each line with its line end. */
export function fillTrailers(section: string, into: HeaderMap): void {
  for (const line of section.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) into.appendText(line.slice(0, colon), trimmed(line.slice(colon + 1)));
  }
}

/** The list as lines; what may not stand there, or finds no room, is left out. */
export function trailerLines(map: HeaderMap | null): string {
  let lines = '';
  for (let i = 0; i < (map?.count ?? 0); i++) {
    const name = map?.nameText(i) ?? '';
    const line = `${name}: ${map?.valueText(i)}\r\n`;
    const fits = lines.length + line.length <= limits.trailerBytes.value;
    if (fits && !neverTrailers.has(name)) lines += line;
  }
  return lines;
}

const trimmed = (value: string): string => value.replace(/^[ \t]+|[ \t]+$/g, '');
