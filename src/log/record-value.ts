/**
 * Changes values inside a log record by dotted paths (Kong's `set_serialize_value`). Records share
 * the objects of routes and services, so a change copies what it passes through.
 */
import { GatewayError } from '../errors.js';
import type { LogEntry } from '../plugin/log-types.js';

/** `set`: always; `add`: where nothing is yet; `replace`: where something is. */
export type ValueMode = 'set' | 'add' | 'replace';

export const valueModes: readonly ValueMode[] = ['set', 'add', 'replace'];

type Names = readonly string[];
type Value = Readonly<Record<string, unknown>>;

/** The names of a dotted path; `\.` is a dot inside a name. */
export function splitPath(path: string): string[] {
  const names = [''];
  for (let i = 0; i < path.length; i++) {
    if (path[i] === '\\' && path[i + 1] === '.') names[names.length - 1] += path[++i];
    else if (path[i] === '.') names.push('');
    else names[names.length - 1] += path[i];
  }
  return names;
}

/**
 * The entry with `value` at `path`; null or undefined deletes. Missing levels are made, except by
 * `replace`, which then changes nothing.
 * @throws GatewayError GW_E_PLUGIN_FAILED where something that is no object is in the way
 */
export function withValue(entry: LogEntry, path: Names, value: unknown, mode: ValueMode): LogEntry {
  return change(entry, path, 0, value, mode);
}

function change(object: Value, path: Names, at: number, value: unknown, mode: ValueMode): Value {
  const name = path[at];
  const present = Object.hasOwn(object, name) ? (object[name] ?? null) : null;
  if (at === path.length - 1) {
    if (mode === 'add' && present !== null) return object;
    if (mode === 'replace' && present === null) return object;
    if (value === null || value === undefined) return without(object, name);
    return assign(object, name, value);
  }
  if (present === null) {
    if (mode === 'replace' || value === null || value === undefined) return object;
    return assign(object, name, change({}, path, at + 1, value, mode));
  }
  if (typeof present !== 'object' || Array.isArray(present)) {
    const place = path.slice(0, at + 1).join('.');
    throw new GatewayError('GW_E_PLUGIN_FAILED', `log record: ${place} is not an object`);
  }
  const changed = change(present as Value, path, at + 1, value, mode);
  return changed === present ? object : assign(object, name, changed);
}

/** A copy with one more property; `__proto__` becomes an ordinary one. */
function assign(object: Value, name: string, value: unknown): Value {
  const copy = { ...object };
  Object.defineProperty(copy, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return copy;
}

function without(object: Value, name: string): Value {
  if (!Object.hasOwn(object, name)) return object;
  const { [name]: _gone, ...rest } = object;
  return rest;
}
