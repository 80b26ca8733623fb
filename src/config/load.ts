/**
 * From the text of a declarative configuration to a snapshot, or to every problem in it with its
 * position. Reads nothing: files and the environment are the caller's.
 */

import { itemsPerStep, runSteps, type Steps } from '../slices.js';
import { collectEntities, type Draft } from './collect.js';
import { type ConfigDocument, type DocumentProblem, documentSteps } from './document.js';
import { childrenOf, schemaOf } from './entities.js';
import { migrateRoute } from './migrate.js';
import type { Snapshot } from './model.js';
import { didYouMean } from './nearest.js';
import { resolveEntities } from './resolve.js';
import { shown, unwrap } from './schema/env-text.js';
import type { Path, PluginSchemas, RecordSchema, SchemaError } from './schema/field.js';
import { checkFilterChains, type FilterChecks } from './schema/filter-chain.js';
import { unknownPlugin } from './schema/plugin.js';
import { withSecrets } from './schema/references.js';
import { deprecations } from './schema/shorthand.js';
import { validateRecord } from './schema/validate.js';
import { buildSnapshot, type SecretReader } from './snapshot.js';
import { resolveReference } from './vault.js';

export interface ConfigSource {
  readonly text: string;
  /** Name for messages; its extension decides the format where `format` is absent. */
  readonly file?: string;
  /** Default: by the extension, else YAML, of which JSON is a part. */
  readonly format?: 'json' | 'yaml';
  /** Values for `${NAME}`; absent: `${` is ordinary text (what a POST /config should use). */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly pluginSchemas: PluginSchemas;
  /** Filters that chains may name; default none. */
  readonly filters?: FilterChecks;
  /** Variables behind `{vault://env/...}`; default none. */
  readonly vaultEnv?: Readonly<Record<string, string | undefined>>;
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
  | {
      readonly ok: true;
      readonly snapshot: Snapshot;
      /** References to secrets that do not exist, and names that are going to go. */
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Loads a configuration. Never throws for bad input; all problems come at once, in file order. */
export function loadConfig(source: ConfigSource): LoadResult {
  return runSteps(loadSteps(source));
}

/** What `loadConfig` does, in steps. */
export function* loadSteps(source: ConfigSource): Steps<LoadResult> {
  const json = source.format ? source.format === 'json' : /\.json$/i.test(source.file ?? '');
  const document = yield* documentSteps(source.text, { json, env: source.env });
  const found = document.problems.map(documentProblem);
  if (found.some((problem) => !problem.parsed)) return { ok: false, problems: found };

  const { drafts, errors, formatVersion, transform } = yield* collectEntities(document.value);
  for (const [index, draft] of drafts.entries()) {
    if (index % itemsPerStep === 0) yield;
    validateDraft(draft, formatVersion, source);
  }
  yield* resolveEntities(drafts, source.pluginSchemas);
  checkFilterChains(drafts, source.filters ?? new Map());

  // A reference to a variable that is missing says enough; what became of the field does not.
  const known = new Set(found.map((problem) => JSON.stringify(problem.path)));
  const report = (error: SchemaError, draft: Draft | null) => {
    if (known.has(JSON.stringify(error.given ?? error.path))) return;
    found.push(schemaProblem(error, draft, document));
  };
  for (const error of errors) report(error, null);
  for (const draft of drafts) for (const error of draft.errors) report(error, draft);
  if (found.length > 0) {
    found.sort((a, b) => a.line - b.line || a.column - b.column);
    return { ok: false, problems: found };
  }
  const nowMs = source.nowMs ?? Date.now();
  const warnings = drafts.flatMap((draft) => outdated(draft, source.pluginSchemas));
  const secrets = secretReader(drafts, source.vaultEnv ?? {}, warnings);
  const snapshot = yield* buildSnapshot({ drafts, transform }, source.text, nowMs, secrets);
  return { ok: true, snapshot, warnings };
}

function validateDraft(draft: Draft, formatVersion: string, source: ConfigSource): void {
  const { kind, path } = draft;
  const flavor = source.routerFlavor ?? 'traditional_compatible';
  const pluginName = kind.collection === 'plugins' ? unwrap(draft.input.name) : undefined;
  const schema = schemaOf(kind.collection, { flavor, plugins: source.pluginSchemas, pluginName });
  const old = formatVersion !== '3.0' && kind.collection === 'routes';
  const input = old ? migrateRoute(draft.input) : draft.input;
  const { value, errors } = validateRecord(schema, input, path);
  draft.value = value;
  draft.fields = source.pluginSchemas.get(pluginName as string)?.schema.fields ?? null;
  for (const error of errors) draft.errors.push(withNestedNames(error, draft, schema));
  if (typeof pluginName !== 'string') return;
  if (source.filters?.has(pluginName)) return;
  const unknown = unknownPlugin(pluginName, shown(draft.input.name), source.pluginSchemas);
  if (unknown) draft.errors.push({ ...unknown, path: [...path, 'name'] });
}

function outdated(draft: Draft, plugins: PluginSchemas): string[] {
  const { kind, input } = draft;
  if (kind.collection === 'routes') return oldField(draft);
  if (kind.collection !== 'plugins') return [];
  const schema = plugins.get(unwrap(input.name) as string)?.schema;
  const found = schema ? deprecations(schema, input.config) : [];
  return found.map((message) => `plugin '${shown(input.name)}': ${message}`);
}

function oldField(draft: Draft): string[] {
  const { expression } = draft.value;
  if (typeof expression !== 'string' || !/\bnet\.port\s*[=!<>]/.test(expression)) return [];
  return [`${describe(draft)}: expression: net.port is deprecated, write net.dst.port`];
}

/** Reads secrets out of the environment, through the vaults of the configuration, too. */
function secretReader(
  drafts: readonly Draft[],
  env: Readonly<Record<string, string | undefined>>,
  warnings: string[],
): SecretReader {
  const vaults = new Map<string, string>();
  for (const { kind, value } of drafts) {
    if (kind.collection !== 'vaults') continue;
    const config = value.config as { prefix: string | null };
    vaults.set(value.prefix as string, config.prefix ?? '');
  }
  return (fields, value) =>
    withSecrets(fields, value, (reference) => {
      const secret = resolveReference(reference, env, vaults);
      if (secret === null) warnings.push(`${reference} stands for nothing`);
      return secret ?? '';
    });
}

/** A misspelt nested collection is an unknown field, too: `routs` in a service. */
function withNestedNames(error: SchemaError, draft: Draft, schema: RecordSchema): SchemaError {
  const { path, at, hint } = error;
  if (at !== 'key' || hint !== undefined || path.length !== draft.path.length + 1) return error;
  const names = [...Object.keys(schema.fields), ...childrenOf(draft.kind.collection).keys()];
  return { ...error, hint: didYouMean(String(path.at(-1)), names) };
}

function documentProblem(problem: DocumentProblem): Problem {
  const { message, line, column, path, parsed } = problem;
  const text = parsed ? message : `failed parsing declarative configuration: ${message}`;
  return { message, text, at: 'value', line, column, path, entity: null, parsed };
}

function schemaProblem(error: SchemaError, draft: Draft | null, document: ConfigDocument): Problem {
  const { path, at, message: text, hint, given } = error;
  const { line, column } = document.locate(given ?? path, at);
  const below = path.slice(draft?.path.length ?? 0);
  const field = below.reduce<string>(
    (all, step) => (typeof step === 'number' ? `${all}[${step}]` : all ? `${all}.${step}` : step),
    '',
  );
  const parts = [draft ? describe(draft) : '', field].filter((part) => part !== '');
  const message = [...parts, text].join(': ') + (hint === undefined ? '' : ` (${hint})`);
  const entity = draft ? problemEntity(draft) : null;
  return { message, text, at, line, column, path, entity, parsed: true };
}

function describe(draft: Draft): string {
  const name = draft.input[draft.kind.label] ?? null;
  return name === null ? draft.kind.type : `${draft.kind.type} '${shown(name)}'`;
}

function problemEntity(draft: Draft): ProblemEntity {
  const raw = unwrap(draft.input, true) as Record<string, unknown>;
  const name = raw[draft.kind.label];
  const tags = raw.tags;
  return {
    type: draft.kind.type,
    id: typeof raw.id === 'string' ? raw.id : null,
    name: typeof name === 'string' ? name : null,
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : null,
    path: draft.path,
    raw,
  };
}

/** `file:line:column: message`, as compilers print it. */
export function formatProblem(problem: Problem, file = 'config'): string {
  return `${file}:${problem.line}:${problem.column}: ${problem.message}`;
}
