/**
 * Fields that a configuration adds to the log record, `custom_fields_by_expression`: the
 * counterpart of Kong's `custom_fields_by_lua`, for which there is no interpreter here.
 */
import { limits } from '../limits.js';
import type { LogEntry } from '../plugin/log-types.js';
import type { MapField } from '../plugin/schema.js';
import type { Node } from './expression/nodes.js';
import { compileExpression } from './expression/parser.js';
import { splitPath, withValue } from './record-value.js';

/** The schema fields of every plugin whose record is JSON. */
export const customFields = {
  custom_fields_by_expression: {
    type: 'map',
    keys: { type: 'string', len_min: 1 },
    values: { type: 'string', len_min: 1, check: expressionFaultOf },
    len_max: limits.expressionFields.value,
    description: 'Record path to an expression over the record; a null result removes the field.',
  },
  custom_fields_by_lua: {
    type: 'map',
    keys: { type: 'string', len_min: 1 },
    values: { type: 'string', len_min: 1, check: () => luaText },
    description: 'Refused: there is no Lua here. Use `custom_fields_by_expression`.',
  },
} as const satisfies Record<string, MapField>;

export interface CustomFieldsConfig {
  readonly custom_fields_by_expression?: Readonly<Record<string, string>> | null;
}

const luaText =
  'Lua code cannot be run; write an expression in custom_fields_by_expression instead';
const luaPattern =
  /^\s*(?:return|local|function|if|for|while|do|repeat|--)(?![\w.])|\b(?:kong|ngx)\.\w/;

type Assignment = readonly [path: readonly string[], value: Node];

const compiled = new WeakMap<object, readonly Assignment[]>();

/**
 * The entry with the custom fields of a config. A field whose path leads through something that is
 * no object is left out.
 */
export function withCustomFields(entry: LogEntry, config: CustomFieldsConfig): LogEntry {
  const fields = config.custom_fields_by_expression;
  if (!fields) return entry;
  let assignments = compiled.get(fields);
  if (!assignments) {
    assignments = Object.entries(fields).map(
      ([path, source]): Assignment => [splitPath(path), compileExpression(source)],
    );
    compiled.set(fields, assignments);
  }
  let changed = entry;
  for (const [path, value] of assignments) {
    try {
      changed = withValue(changed, path, value(changed), 'set');
    } catch {
      // What is in the way stays: a record with the other fields is worth more than none.
    }
  }
  return changed;
}

/** The JSON text of an entry with the custom fields of a config. */
export function recordText(entry: LogEntry, config: CustomFieldsConfig): string {
  return JSON.stringify(withCustomFields(entry, config));
}

function expressionFaultOf(source: string): string | undefined {
  if (luaPattern.test(source)) return luaText;
  try {
    compileExpression(source);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
