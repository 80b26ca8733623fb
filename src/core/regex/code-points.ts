/** Sets of Unicode code points as sorted lists of ranges, and where such sets come from. */
import { digits } from './digits.js';

export type Range = readonly [low: number, high: number];
export type CodePoints = readonly Range[];

export const MAX_CODE_POINT = 0x10ffff;

/** Sorts ranges and joins those that touch. */
export function normalise(ranges: readonly Range[]): CodePoints {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const out: [number, number][] = [];
  for (const [low, high] of sorted) {
    const last = out.at(-1);
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else out.push([low, high]);
  }
  return out;
}

export function complement(set: CodePoints): CodePoints {
  const out: Range[] = [];
  let next = 0;
  for (const [low, high] of set) {
    if (low > next) out.push([next, low - 1]);
    next = high + 1;
  }
  if (next <= MAX_CODE_POINT) out.push([next, MAX_CODE_POINT]);
  return out;
}

export function union(a: CodePoints, b: CodePoints): CodePoints {
  return normalise([...a, ...b]);
}

export function intersection(a: CodePoints, b: CodePoints): CodePoints {
  return complement(union(complement(a), complement(b)));
}

export function difference(a: CodePoints, b: CodePoints): CodePoints {
  return intersection(a, complement(b));
}

const properties = new Map<string, CodePoints>();

/** One object for all patterns: what is made of it is kept. */
const decimals = normalise(digits);

/** Perl classes with their Unicode meaning (UTS 18, annex C). */
export const perlClasses: Readonly<Record<string, () => CodePoints>> = {
  d: () => decimals,
  s: () => property('White_Space')!,
  w: () => scan('[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]', ''),
};

/** The same classes for subjects that are bytes. */
export const asciiClasses: typeof perlClasses = {
  d: () => [[48, 57]],
  s: () => [
    [9, 13],
    [32, 32],
  ],
  w: () => [
    [48, 57],
    [65, 90],
    [95, 95],
    [97, 122],
  ],
};

/**
 * The set of a Unicode property as it stands in `\p{...}`: a general category, a binary property,
 * a script, or `name=value`. Undefined where there is none of that name.
 */
export function property(name: string): CodePoints | undefined {
  const spellings = [name, `Script=${name}`, `gc=${name}`];
  if (name.toLowerCase() === 'any') return [[0, MAX_CODE_POINT]];
  for (const spelling of spellings) {
    try {
      return scan(`\\p{${spelling}}`, '');
    } catch {
      // not a name that the runtime's Unicode data knows
    }
  }
  return undefined;
}

/** The set closed under simple case folding; `bytes`: of ASCII letters only. */
export function foldCase(set: CodePoints, bytes = false): CodePoints {
  if (bytes) {
    const folded = set.flatMap(asciiFolds).filter(([, high]) => high < 128);
    return normalise([...set, ...folded]);
  }
  if (set.every(([, high]) => high < 128)) return normalise([...set, ...set.flatMap(asciiFolds)]);
  const hex = (code: number) => `\\u{${code.toString(16)}}`;
  return scan(`[${set.map(([low, high]) => `${hex(low)}-${hex(high)}`).join('')}]`, 'i');
}

/** Two letters outside ASCII fold to ASCII ones: the Kelvin sign and the long s. */
function asciiFolds([low, high]: Range): Range[] {
  const out: Range[] = [];
  const swap = (first: number, last: number, by: number) => {
    const from = Math.max(low, first);
    const to = Math.min(high, last);
    if (from > to) return;
    out.push([from + by, to + by]);
    const has = (letter: string) => {
      const code = letter.charCodeAt(0) - (by < 0 ? 0 : 32);
      return from <= code && code <= to;
    };
    if (has('k')) out.push([0x212a, 0x212a]);
    if (has('s')) out.push([0x17f, 0x17f]);
  };
  swap(65, 90, 32);
  swap(97, 122, -32);
  return out;
}

let everything: string | undefined;

/**
 * Code points that a class of the runtime's own engine matches, found in one pass over them all.
 */
function scan(source: string, flags: string): CodePoints {
  const key = `${flags}${source}`;
  const known = properties.get(key);
  if (known) return known;
  const pattern = new RegExp(`${source}+`, `gu${flags}`);
  everything ??= allCodePoints();
  const out: Range[] = [];
  for (const { 0: run, index } of everything.matchAll(pattern)) {
    out.push([codePointAt(index), codePointAt(index + run.length) - 1]);
  }
  // a run over the gap of the surrogates is two ranges to the text, one to us: no text has any
  const set = normalise(out);
  properties.set(key, set);
  return set;
}

/** Units before the surrogates, and before the code points that need two units. */
const GAP = 0xd800;
const PAIRS = 0xf800;

function allCodePoints(): string {
  const units = new Uint16Array(PAIRS + 2 * (MAX_CODE_POINT - 0xffff));
  let at = 0;
  for (let code = 0; code <= 0xffff; code++) {
    if (code < 0xd800 || code >= 0xe000) units[at++] = code;
  }
  for (let high = 0xd800; high < 0xdc00; high++) {
    for (let low = 0xdc00; low < 0xe000; low++) {
      units[at++] = high;
      units[at++] = low;
    }
  }
  return Buffer.from(units.buffer).toString('utf16le');
}

function codePointAt(index: number): number {
  if (index < GAP) return index;
  if (index < PAIRS) return index + 0x800;
  return 0x10000 + (index - PAIRS) / 2;
}
