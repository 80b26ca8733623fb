/** Character classes: `[...]` with nesting and set operators, `\d`, `\p{...}`, `[:name:]`. */
import type { CodePoints, Range } from './code-points.js';
import {
  asciiClasses,
  complement,
  difference,
  foldCase,
  intersection,
  normalise,
  perlClasses,
  property,
  union,
} from './code-points.js';
import type { Cursor } from './cursor.js';
import { patternError } from './syntax.js';

const posix: Readonly<Record<string, CodePoints>> = {
  alnum: ascii('09', 'AZ', 'az'),
  alpha: ascii('AZ', 'az'),
  ascii: [[0, 127]],
  blank: ascii('\t\t', '  '),
  cntrl: [
    [0, 31],
    [127, 127],
  ],
  digit: ascii('09'),
  graph: ascii('!~'),
  lower: ascii('az'),
  print: ascii(' ~'),
  punct: ascii('!/', ':@', '[`', '{~'),
  space: ascii('\t\r', '  '),
  upper: ascii('AZ'),
  word: ascii('09', 'AZ', '__', 'az'),
  xdigit: ascii('09', 'AF', 'af'),
};

function ascii(...pairs: string[]): CodePoints {
  return pairs.map((pair): Range => [pair.charCodeAt(0), pair.charCodeAt(1)]);
}

/** The set of a class escape whose backslash was read, undefined where it is none. */
export function classEscape(cursor: Cursor, fold: boolean): CodePoints | undefined {
  const from = cursor.at - 1;
  const perl = cursor.match(/[dswDSW]/y);
  if (perl) {
    const set = (cursor.bytes ? asciiClasses : perlClasses)[perl[0].toLowerCase()]();
    return perl[0] >= 'a' ? set : complement(set);
  }
  const named = cursor.match(/([pP])(?:\{(\^?)([\w=: .-]+)\}|([A-Za-z]))/y);
  if (!named) return undefined;
  const name = (named[3] ?? named[4]).replace(':', '=').trim();
  const set = property(name);
  if (!set) throw patternError(`unknown Unicode class ${name}`, from);
  const folded = fold ? foldCase(set, cursor.bytes) : set;
  return (named[1] === 'P') !== (named[2] === '^') ? complement(folded) : folded;
}

/** The set of a bracketed class whose `[` was read. `depth` counts the brackets around it. */
export function bracketClass(cursor: Cursor, fold: boolean, depth: number): CodePoints {
  const from = cursor.at - 1;
  if (depth > 32) throw patternError('character classes are nested too deeply', from);
  const negated = cursor.take('^');
  let left: CodePoints | undefined;
  let operator = '';
  let items: Range[] = [];
  // a bracket right at the start is a literal one
  let first = true;
  const combine = () => {
    const set = normalise(items);
    const right = fold ? foldCase(set, cursor.bytes) : set;
    left = left === undefined ? right : apply(operator, left, right);
    items = [];
  };
  for (;;) {
    if (cursor.done) throw patternError('the character class is not closed', from);
    if (!first && cursor.take(']')) break;
    const operation = first ? null : cursor.match(/&&|--|~~/y);
    if (operation) {
      combine();
      operator = operation[0];
      continue;
    }
    first = false;
    if (cursor.startsWith('[:')) {
      items.push(...posixClass(cursor));
    } else if (cursor.take('[')) {
      items.push(...bracketClass(cursor, fold, depth + 1));
    } else {
      items.push(...item(cursor, fold));
    }
  }
  combine();
  const set = left ?? [];
  return negated ? complement(set) : set;
}

function apply(operator: string, a: CodePoints, b: CodePoints): CodePoints {
  if (operator === '&&') return intersection(a, b);
  if (operator === '--') return difference(a, b);
  return difference(union(a, b), intersection(a, b));
}

function posixClass(cursor: Cursor): CodePoints {
  const from = cursor.at;
  const found = cursor.match(/\[:(\^?)(\w+):\]/y);
  const set = found ? posix[found[2]] : undefined;
  if (!found || !set) throw patternError('unknown class in [: :]', from);
  return found[1] ? complement(set) : set;
}

/** One character, a range of two, or a class escape. */
function item(cursor: Cursor, fold: boolean): readonly Range[] {
  const from = cursor.at;
  if (cursor.startsWith('\\')) {
    cursor.next();
    const set = classEscape(cursor, fold);
    if (set) return set;
    cursor.at = from;
  }
  const low = character(cursor);
  const isRange = cursor.startsWith('-') && !/^-[\]-]/.test(cursor.text.slice(cursor.at));
  if (!isRange) return [[low, low]];
  cursor.next();
  const high = character(cursor);
  if (high < low) throw patternError('the range of characters runs backwards', from);
  return [[low, high]];
}

function character(cursor: Cursor): number {
  const from = cursor.at;
  const c = cursor.next();
  if (c === '') throw patternError('the character class is not closed', from);
  return c === '\\' ? cursor.escapedCode(from) : c.codePointAt(0)!;
}
