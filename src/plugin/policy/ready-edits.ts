/** Edits that are known before any request, checked as those of plugins are. */
import type { ReadyEdit } from '../../core/policy-input.js';
import { checkHeader } from '../header-check.js';

/** So much text one step of a policy may write. */
const textMax = 8192;

/** The edits with their values as they are sent; null: a plugin would fail with them. */
export function checkedEdits<T extends Omit<ReadyEdit, 'op'>>(edits: readonly T[]): T[] | null {
  try {
    const checked = edits.map((one) => ({ ...one, value: checkHeader(one.name, one.value) }));
    const text = checked.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
    return text > textMax ? null : checked;
  } catch {
    return null;
  }
}
