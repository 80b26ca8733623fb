/** Which pattern a path or header value of a route stands for, by flavour. */
import { GatewayError } from '../errors.js';
import { compilePattern, type PatternOptions } from './regex/compile.js';
import { binary } from './table-writer.js';

export interface PatternSource {
  readonly source: string;
  readonly options: PatternOptions;
}

/** The pattern of a path; `text` is what stands behind the `~`. */
export function pathPattern(text: string, traditional: boolean): PatternSource {
  // the anchor is text put in front: it binds to the first alternative only
  if (!traditional) return { source: `^${text}`, options: {} };
  // All alternatives are anchored; only the last one has a rest behind it that is kept when
  // the prefix is stripped, so an empty group marks the end of that one.
  return { source: `^(?:${binary(text)}())`, options: { bytes: true } };
}

/** The pattern among the values of a header, null: the value is none. */
export function headerPattern(
  value: string,
  values: readonly string[],
  traditional: boolean,
): PatternSource | null {
  if (!value.startsWith('~*')) return null;
  const text = value.slice(2);
  // the pattern is lower-cased like any other value
  if (!traditional) return { source: lowerAscii(text), options: { foldText: true } };
  // there it counts only where it stands alone
  if (values.length > 1) return null;
  return { source: binary(text), options: { foldText: true, bytes: true } };
}

/** What keeps a pattern from being compiled, undefined: nothing. */
export function sourceProblem({ source, options }: PatternSource): string | undefined {
  try {
    compilePattern(source, options);
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return `${source}: ${error.message}`;
    throw error;
  }
}

/** Lower-cases ASCII letters only: what the reference does to the configured side. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
