/**
 * YAML text as a document of the `yaml` package, with its nesting bounded before anything recurses:
 * a stack that is all but used up makes V8 end the process where it compiles a regular expression,
 * and no `catch` sees that.
 */
import { Composer, CST, type Document, Lexer, type LineCounter, Parser } from 'yaml';
import { limits } from '../limits.js';
import type { Steps } from '../slices.js';

/** The text nests deeper than `limits.configDepth`. */
export class NestingError extends Error {}

/** Tokens that may be open at a time: one for each level, the document and a scalar. */
const openMost = limits.configDepth.value + 4;
/** Pieces in a row that lead to a value, blanks included: the lexer recurses over them. */
const leadingMost = 4 * limits.configDepth.value;
const leading = new Set<CST.TokenType | null>([
  'anchor',
  'tag',
  'space',
  'seq-item-ind',
  'explicit-key-ind',
  'map-value-ind',
]);

/** Pieces of text between two yields. */
const lexemesPerStep = 256;

/** Where a second document begins, if there is one. */
export interface YamlText {
  readonly document: Document.Parsed;
  readonly second: number | null;
}

/**
 * Parses in steps; what the tokens mean is found in one of them.
 * @throws NestingError
 */
export function* yamlSteps(text: string, lines: LineCounter): Steps<YamlText> {
  const tokens = yield* boundedTokens(text, lines);
  const composer = new Composer({
    lineCounter: lines,
    prettyErrors: false,
    // Checked by the reader with a set; this check is quadratic.
    uniqueKeys: false,
    logLevel: 'error',
  });
  let document: Document.Parsed | undefined;
  for (const one of composer.compose(tokens, true, text.length)) {
    if (document) return { document, second: one.range[0] };
    document = one;
  }
  // With `true` above the composer gives a document even for an empty text.
  return { document: document as Document.Parsed, second: null };
}

function* boundedTokens(text: string, lines: LineCounter): Steps<CST.Token[]> {
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  lines.addNewLine(0);
  let run = 0;
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++count % lexemesPerStep === 0) yield;
    run = leading.has(CST.tokenType(lexeme)) ? run + 1 : 0;
    if (run > leadingMost) throw new NestingError();
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > openMost) throw new NestingError();
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}
