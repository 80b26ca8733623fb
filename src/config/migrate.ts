/** What formats 1.1 and 2.1 wrote otherwise: paths that are regular expressions had no mark. */
import { EnvText } from './schema/env-text.js';
import { decodeRuns, normalizePath } from './schema/path.js';

const plain = /^[A-Za-z0-9._~/%-]*$/;

/** The input of a route of an old file with its paths in the form of 3.0; bad values stay. */
export function migrateRoute(input: Record<string, unknown>): Record<string, unknown> {
  const { paths } = input;
  if (!Array.isArray(paths)) return input;
  const migrated = paths.map((path) => {
    if (typeof path === 'string') return migratePath(path);
    return path instanceof EnvText ? new EnvText(migratePath(path.text), path.source) : path;
  });
  return { ...input, paths: migrated };
}

/** Plain paths are normalised; all others become regular expressions. */
export function migratePath(path: string): string {
  if (plain.test(path)) return normalizePath(path);
  return `~${decodeRuns(path, (text) => text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&'))}`;
}
