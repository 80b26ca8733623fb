/**
 * A YAML or JSON text as plain values, with a way back from a path to its line and column.
 */
import { LineCounter } from 'yaml';
import { limits } from '../limits.js';
import { runSteps, type Steps } from '../slices.js';
import { interpolate } from './interpolate.js';
import { brokenJson, jsonSteps } from './json-document.js';
import { JsonSyntaxError } from './json-reader.js';
import { plainYamlSteps } from './plain-yaml.js';
import { NotPlain, Scalars } from './plain-yaml-scalars.js';
import { EnvText } from './schema/env-text.js';
import type { Path } from './schema/field.js';
import { NestingError, yamlSteps } from './yaml-document.js';
import { YamlReader } from './yaml-reader.js';

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface DocumentProblem extends Position {
  readonly message: string;
  readonly path: Path;
  /** False: the text is no document. */
  readonly parsed: boolean;
}

export interface ConfigDocument {
  readonly value: unknown;
  readonly problems: readonly DocumentProblem[];
  /** Where a path stands; the nearest place that exists where it does not. */
  locate(path: Path, at: 'value' | 'key' | 'entity'): Position;
}

const tooDeep = 'nested too deeply';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What `documentSteps` does, at once. */
export function parseConfig(
  text: string,
  options: { json: boolean; env?: Environment },
): ConfigDocument {
  return runSteps(documentSteps(text, options));
}

/**
 * Parses a text in steps. Problems leave `value` as complete as it could be
 * made. Never throws.
 */
export function* documentSteps(
  text: string,
  options: { json: boolean; env?: Environment },
): Steps<ConfigDocument> {
  if (Buffer.byteLength(text) > limits.configBytes.value) {
    return unparsed(`larger than ${limits.configBytes.value} bytes`);
  }
  const bare = text.startsWith('\ufeff') ? text.slice(1) : text;
  if (options.json || /^\s*\{/.test(bare)) {
    try {
      return yield* jsonSteps(bare, options.env);
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error;
      // A brace may open a flow mapping of YAML as well.
      if (options.json) return brokenJson(bare, error);
    }
  }
  return (yield* plainDocument(bare, options.env)) ?? (yield* fullDocument(bare, options.env));
}

/** Null where the text needs the full parser. */
function* plainDocument(text: string, env?: Environment): Steps<ConfigDocument | null> {
  const string = (value: string): unknown => {
    if (!env || !value.includes('${')) return value;
    const { text: expanded, faults } = interpolate(value, env);
    if (faults.length > 0) throw new NotPlain();
    return new EnvText(expanded, value);
  };
  try {
    const value = yield* plainYamlSteps(text, new Scalars(text, string));
    let full: ConfigDocument | undefined;
    const locate: ConfigDocument['locate'] = (path, at) => {
      full ??= runSteps(fullDocument(text, env));
      return full.locate(path, at);
    };
    return { value, problems: [], locate };
  } catch (error) {
    if (error instanceof NotPlain) return null;
    throw error;
  }
}

function* fullDocument(text: string, env?: Environment): Steps<ConfigDocument> {
  const lines = new LineCounter();
  try {
    return new YamlReader(yield* yamlSteps(text, lines), lines, env).read();
  } catch (error) {
    if (error instanceof NestingError) return unparsed(tooDeep);
    throw error;
  }
}

function unparsed(message: string): ConfigDocument {
  const problem = { message, line: 1, column: 1, path: [], parsed: false };
  return { value: null, problems: [problem], locate: () => ({ line: 1, column: 1 }) };
}
