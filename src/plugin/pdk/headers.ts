/** Header lists as objects. */
import type { EditList } from '../../core/exchange-edits.js';
import type { HeaderSide } from '../../core/exchange-view.js';
import { EditOp } from '../../core/layout.js';
import { argumentsDefault, checkMax } from './arguments.js';

export interface HeaderReads {
  eachHeader(side: HeaderSide, visit: (name: string, value: string) => void): void;
}

/** Fields by lower-case name, an array where one is repeated; those after `max` are left out. */
export function headersOf(
  from: HeaderReads,
  side: HeaderSide,
  max = argumentsDefault,
): Record<string, string | string[]> {
  const most = checkMax('headers', max);
  const headers: Record<string, string | string[]> = Object.create(null);
  let count = 0;
  from.eachHeader(side, (name, value) => {
    if (++count <= most) addTo(headers, name, value);
  });
  return headers;
}

/** Puts a further value of a field into such an object. */
export function addTo(
  headers: Record<string, string | string[]>,
  name: string,
  value: string,
): void {
  const known = headers[name];
  if (known === undefined) headers[name] = value;
  else if (typeof known === 'string') headers[name] = [known, value];
  else known.push(value);
}

/** The same object with the edits of plugins carried out on it. */
export function withEdits(
  headers: Record<string, string | string[]>,
  edits: EditList,
): Record<string, string | string[]> {
  for (let i = 0; i < edits.count; i++) {
    const name = edits.names[i].toLowerCase();
    const op = edits.ops[i];
    if (op === EditOp.SET || op === EditOp.REMOVE) delete headers[name];
    if (op === EditOp.SET || op === EditOp.ADD) addTo(headers, name, edits.values[i]);
  }
  return headers;
}
