/**
 * Slow and obvious: path normalisation, escaping and the upstream target, as the router reference
 * words them. Texts are binary strings, one character per byte.
 */
import type { Route } from '../../src/config/model.js';

const RESERVED = "!*'();:@&=+$,/?%#[]";
const KEPT = `${RESERVED}-_.~`;

/** The normal form, or null where the request is refused with 400. */
export function normalisePath(path: string): string | null {
  if (path.includes('\0')) return null;
  let malformed = false;
  const decoded = path.replace(/%([^]{0,2})/g, (_, digits: string) => {
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) {
      malformed = true;
      return '';
    }
    const octet = String.fromCharCode(Number.parseInt(digits, 16));
    return RESERVED.includes(octet) ? `%${digits.toUpperCase()}` : octet;
  });
  if (malformed || decoded.includes('\0')) return null;
  if (decoded.includes('%2F') && popSegments(decoded.replaceAll('%2F', '/')) === null) return null;
  return decoded.startsWith('/') ? popSegments(decoded) : decoded;
}

/** Dot segments and empty segments removed; null where the path leaves the root. */
function popSegments(path: string): string | null {
  const out: string[] = [];
  const segments = path.slice(1).split('/');
  for (const segment of segments) {
    if (segment === '..') {
      if (out.pop() === undefined) return null;
    } else if (segment !== '.' && segment !== '') out.push(segment);
  }
  const last = segments.at(-1);
  const open = last === '' || last === '.' || last === '..';
  return `/${out.join('/')}${open && out.length > 0 ? '/' : ''}`;
}

export function escapePath(path: string): string {
  return [...path]
    .map((c) => {
      if (/[A-Za-z0-9]/.test(c) || KEPT.includes(c)) return c;
      return `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

/**
 * The target toward the upstream for a normalised path.
 * @param prefixLength bytes that the path condition of the route matched, null: it has none
 */
export function upstreamTarget(
  route: Route,
  path: string,
  prefixLength: number | null,
  rawTarget: string,
  handling: 'v0' | 'v1' = 'v0',
): string {
  const base = Buffer.from(route.service?.path || '/', 'utf8').toString('latin1');
  const query = rawTarget.indexOf('?', 1);
  const tail = query < 0 ? '' : rawTarget.slice(query);
  const rule = handling === 'v1' ? joinV1 : join;
  return escapePath(rule(base, path, route.strip_path, prefixLength)) + tail;
}

/** The table of v0, row by row. */
function join(base: string, path: string, strip: boolean, prefixLength: number | null): string {
  const stem = base.endsWith('/') ? base.slice(0, -1) : null;
  if (!strip) {
    if (stem !== null) return base + path.slice(1);
    return path === '/' ? base : base + path;
  }
  const rest = sanitise(path.slice(prefixLength || 1));
  if (stem !== null) {
    if (rest === '') {
      if (base === '/') return '/';
      return path.endsWith('/') ? base : stem;
    }
    return rest.startsWith('/') ? stem + rest : base + rest;
  }
  if (rest === '') return path.length > 1 && path.endsWith('/') ? `${base}/` : base;
  return rest.startsWith('/') ? base + rest : `${base}/${rest}`;
}

/** v1: nothing is put in between, one of two slashes goes. */
function joinV1(base: string, path: string, strip: boolean, prefixLength: number | null): string {
  if (!strip) return base + path.slice(1);
  const rest = sanitise(path.slice(prefixLength || 1));
  return base.endsWith('/') && rest.startsWith('/') ? base + rest.slice(1) : base + rest;
}

function sanitise(rest: string): string {
  if (rest === '.' || rest === '..') return '';
  return rest.replace(/^\.{1,2}\//, '');
}
