/** A JSON text as a configuration document: values, problems, and positions when asked. */

import type { Steps } from '../slices.js';
import type { ConfigDocument, DocumentProblem, Position } from './document.js';
import { interpolate } from './interpolate.js';
import { JsonReader, type JsonSyntaxError } from './json-reader.js';
import { EnvText } from './schema/env-text.js';
import type { Path } from './schema/field.js';

/**
 * Reads in steps.
 * @throws JsonSyntaxError
 */
export function* jsonSteps(
  text: string,
  env?: Readonly<Record<string, string | undefined>>,
): Steps<ConfigDocument> {
  const lines = lineStarts(text);
  const problems: DocumentProblem[] = [];
  const report = (message: string, offset: number, path: Path) => {
    problems.push({ message, ...positionOf(lines, offset), path: [...path], parsed: true });
  };
  const onString = (value: string, offset: number, path: Path) => {
    if (!env || !value.includes('${')) return value;
    const { text: expanded, faults } = interpolate(value, env);
    for (const fault of faults) report(fault, offset, path);
    return new EnvText(expanded, value);
  };
  const reader = new JsonReader(text, { onString });
  const value = yield* reader.steps();
  for (const { path, offset } of reader.duplicates) {
    report(`duplicate key '${path.at(-1)}'`, offset, path);
  }
  let locator: ReturnType<typeof createLocator> | undefined;
  const locate: ConfigDocument['locate'] = (path, at) => {
    locator ??= createLocator(text);
    return positionOf(lines, locator(path, at));
  };
  return { value, problems, locate };
}

/** The document for a text that is not JSON: nothing but that problem. */
export function brokenJson(text: string, error: JsonSyntaxError): ConfigDocument {
  const position = positionOf(lineStarts(text), error.offset);
  const problem = { message: error.message, ...position, path: [], parsed: false };
  return { value: null, problems: [problem], locate: () => position };
}

/** Reads the text a second time, now noting offsets: only for documents with problems. */
function createLocator(text: string): (path: Path, at: 'value' | 'key' | 'entity') => number {
  const reader = new JsonReader(text, { offsets: true });
  const root = reader.read();
  return (path, at) => {
    let current = root;
    let offset = text.search(/\S/);
    for (const [index, step] of path.entries()) {
      const found = reader.offsets?.get(current as object)?.get(step);
      if (!found) break;
      const last = index === path.length - 1;
      offset = last && at === 'key' ? found[0] : found[1];
      current = (current as Record<string | number, unknown>)[step];
    }
    return Math.max(offset, 0);
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function positionOf(starts: readonly number[], offset: number): Position {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= offset) low = middle;
    else high = middle;
  }
  return { line: low + 1, column: offset - starts[low] + 1 };
}
