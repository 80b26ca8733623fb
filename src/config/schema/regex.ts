/**
 * Whether a regular expression is one that both dialects of Kong's router accept: the engine's own
 * has neither look-around nor back-references, atomic groups or possessive quantifiers.
 */

const unsupported: readonly (readonly [RegExp, string])[] = [
  [/^\(\?(?:[=!]|<[=!])/, 'look-around is not supported'],
  [/^\(\?>/, 'atomic groups are not supported'],
  [/^\(\?[|#&R(]/, 'this kind of group is not supported'],
  [/^\\[1-9]/, 'backreferences are not supported'],
  [/^\\k[<{']/, 'backreferences are not supported'],
  [/^(?:[*+?]|\{\d+(?:,\d*)?\})\+/, 'possessive quantifiers are not supported'],
];

/** Constructs that JavaScript spells otherwise: pattern and what stands for it while checking. */
const translations: readonly (readonly [RegExp, string])[] = [
  [/^\(\?P</, '(?<'],
  [/^\(\?[a-zA-Z]*(?:-[a-zA-Z]+)?\)/, '(?:)'],
  [/^\(\?[a-zA-Z]*(?:-[a-zA-Z]+)?:/, '(?:'],
  [/^\\A/, '^'],
  [/^\\[zZ]/, '$'],
  [/^\[\[:\^?[a-z]+:\]/, '[a'],
  [/^\[:\^?[a-z]+:\]/, 'a'],
  [/^\\x\{[0-9a-fA-F]+\}/, 'a'],
  [/^\\[pP](?:\{\^?\w+\}|[A-Z])/, 'a'],
  [/^\\./s, '$&'],
];

/** The reason why an expression is refused, or undefined. */
export function regexFault(source: string): string | undefined {
  let out = '';
  let at = 0;
  while (at < source.length) {
    const rest = source.slice(at, at + 64);
    for (const [pattern, fault] of unsupported) {
      if (pattern.test(rest)) return fault;
    }
    const found = translations.find(([pattern]) => pattern.test(rest));
    const taken = found ? (found[0].exec(rest)?.[0] ?? '') : source[at];
    out += found && found[1] !== '$&' ? found[1] : taken;
    at += taken.length;
  }
  try {
    new RegExp(out);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^Invalid regular expression: \/.*\/[a-z]*: /s, '');
  }
}
