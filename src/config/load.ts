/**
 * From the text of a declarative configuration to a snapshot, or to every problem in it with its
 * position. Reads nothing: files and the environment are the caller's.
 */
import type { Snapshot } from './model.js';
import type { Path, PluginSchemas } from './schema/field.js';

export interface ConfigSource {
  readonly text: string;
  /** Name for messages; its extension decides the format where `format` is absent. */
  readonly file?: string;
  /** Default: by the extension, else YAML, of which JSON is a part. */
  readonly format?: 'json' | 'yaml';
  /** Values for `${NAME}`; absent: `${` is ordinary text (what a POST /config should use). */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly pluginSchemas: PluginSchemas;
  /** Fields `expression` and `priority` are refused unless this is `expressions`. */
  readonly routerFlavor?: string;
  /** Epoch milliseconds for `created_at` and `updated_at`; default Date.now(). */
  readonly nowMs?: number;
}

/** The entity that a problem is in. */
export interface ProblemEntity {
  /** Singular: `service`, `route`, `consumer`, `plugin`. */
  readonly type: string;
  readonly id: string | null;
  readonly name: string | null;
  readonly tags: readonly string[] | null;
  /** Where the entity stands in the document. */
  readonly path: Path;
  /** The entity as written, nested ones left out; `${NAME}` stands unexpanded. */
  readonly raw: unknown;
}

export interface Problem {
  /** One line for people: the entity, the field, Kong's text, a hint; no position. */
  readonly message: string;
  /** Kong's text alone. */
  readonly text: string;
  readonly at: 'value' | 'key' | 'entity';
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  readonly path: Path;
  readonly entity: ProblemEntity | null;
  /** False where the text is no document at all (Kong answers those differently). */
  readonly parsed: boolean;
}

export type LoadResult =
  | { readonly ok: true; readonly snapshot: Snapshot }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Loads a configuration. Never throws for bad input. */
export function loadConfig(source: ConfigSource): LoadResult {
  throw new Error(`not there yet: ${source.file}`);
}

/** `file:line:column: message`, as compilers print it. */
export function formatProblem(problem: Problem, file = 'config'): string {
  return `${file}:${problem.line}:${problem.column}: ${problem.message}`;
}
