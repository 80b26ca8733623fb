/** Fills header lists of filters from an exchange: pseudo-headers first, then what plugins made. */
import type { EditList } from '../core/exchange-edits.js';
import type { ExchangeView } from '../core/exchange-view.js';
import { EditOp } from '../core/layout.js';
import type { HeaderMap } from './header-map.js';

const names = {
  method: Buffer.from(':method'),
  path: Buffer.from(':path'),
  scheme: Buffer.from(':scheme'),
  authority: Buffer.from(':authority'),
  status: Buffer.from(':status'),
};
const schemes = { http: Buffer.from('http'), https: Buffer.from('https') };
const slash = 47;

/** The first `count` of `edits`: what plugins changed on the way to the upstream. */
export function fillRequest(
  view: ExchangeView,
  edits: EditList,
  count: number,
  into: HeaderMap,
): void {
  view.place('method', names.method, into);
  view.place('target', names.path, into);
  const at = into.count - 1;
  if (into.valueSource(at)[into.valueAt(at)] !== slash) {
    into.replace(names.path, Buffer.from(originForm(into.valueText(at)), 'latin1'));
  }
  const scheme = view.tls ? schemes.https : schemes.http;
  into.refer(names.scheme, 0, names.scheme.length, scheme, 0, scheme.length);
  // Its place is before the fields; its value is found among them.
  into.refer(names.authority, 0, names.authority.length, scheme, 0, 0);
  const authority = into.count - 1;
  view.eachPlace('request', into);
  const host = into.findText('host');
  if (host >= 0) into.share(authority, host);
  if (count > 0) applyRequestEdits(edits, count, into);
}

/** The first `count` of `edits`: what plugins changed on the way to the client. */
export function fillResponse(
  view: ExchangeView,
  edits: EditList,
  count: number,
  into: HeaderMap,
): void {
  const status = Buffer.from(String(view.status));
  into.refer(names.status, 0, names.status.length, status, 0, status.length);
  view.eachPlace('response', into);
  for (let i = 0; i < count; i++) applyEdit(edits, i, into);
}

function applyRequestEdits(edits: EditList, count: number, into: HeaderMap): void {
  const [before = '', queryBefore] = split(into.text(':path') ?? '');
  let path = before;
  let query = queryBefore;
  for (let i = 0; i < count; i++) {
    const op = edits.ops[i];
    const value = edits.values[i];
    if (op === EditOp.SET_PATH) path = value;
    else if (op === EditOp.SET_QUERY) query = value === '' ? undefined : value;
    else if (op === EditOp.SET_METHOD) into.replace(names.method, Buffer.from(value, 'latin1'));
    else {
      applyEdit(edits, i, into);
      const isHost = edits.names[i].toLowerCase() === 'host';
      if (op === EditOp.SET && isHost) into.replace(names.authority, Buffer.from(value, 'latin1'));
    }
  }
  if (path === before && query === queryBefore) return;
  const text = query === undefined ? path : `${path}?${query}`;
  into.replace(names.path, Buffer.from(text, 'latin1'));
}

function applyEdit(edits: EditList, index: number, into: HeaderMap): void {
  const name = Buffer.from(edits.names[index], 'latin1');
  const value = Buffer.from(edits.values[index], 'latin1');
  const op = edits.ops[index];
  if (op === EditOp.SET) into.replace(name, value);
  else if (op === EditOp.ADD) into.append(name, value);
  else if (op === EditOp.REMOVE) into.remove(name);
  else if (op === EditOp.STATUS) into.replace(names.status, value);
}

/** Path and query of an absolute-form target (RFC 9112 3.2.2); others as they are. */
function originForm(target: string): string {
  const match = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(target);
  if (!match) return target;
  const rest = target.slice(match[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function split(path: string): [string, string | undefined] {
  const mark = path.indexOf('?');
  return mark < 0 ? [path, undefined] : [path.slice(0, mark), path.slice(mark + 1)];
}
