import type { Path, RecordSchema, Validated } from './field.js';

/** Checks a value against a schema and fills the defaults in; `path` is put before error paths. */
export function validateRecord(schema: RecordSchema, value: unknown, path: Path = []): Validated {
  throw new Error(`not there yet: ${schema} ${value} ${path}`);
}
