/** Regular expressions of configurations, which Kong takes for PCRE. */

/**
 * A pattern as it is written, or between `before` and `after`; `(?i)` at its start makes case not
 * matter.
 * @throws SyntaxError where it is none
 */
export function patternOf(source: string, before = '', after = ''): RegExp {
  const ignoresCase = source.startsWith('(?i)');
  const bare = ignoresCase ? source.slice(4) : source;
  return new RegExp(`${before}${bare}${after}`, ignoresCase ? 'i' : '');
}
