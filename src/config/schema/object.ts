import { EnvText } from './env-text.js';

/** Whether a value is a plain object (arrays and EnvText are not). */
export function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return !Array.isArray(value) && !(value instanceof EnvText);
}
