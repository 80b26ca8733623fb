/**
 * A slow, obvious judge of routing in the `traditional` flavour: parts of routes by category, each
 * condition as a regular expression or a comparison, bytes throughout.
 */
import type { Route } from '../../src/config/model.js';
import type { LookUp, RouterRequest } from '../unit/router/harness.js';
import { normalisePath, upstreamTarget } from './router-path.js';

interface Part {
  readonly route: Route;
  readonly index: number;
  /** Configured spelling; null: the route has no paths. */
  readonly path: string | null;
  readonly category: number;
}

/** Prepares the routes; the returned judge answers like the core's look-up. */
export function traditionalJudgeOf(routes: readonly Route[]) {
  const parts = routes.flatMap((route, index): Part[] => {
    const category = categoryOf(route);
    const paths = route.paths?.length ? route.paths : [null];
    return paths.map((path) => ({ route, index, path, category }));
  });
  parts.sort((a, b) => weigh(b) - weigh(a) || a.route.created_at - b.route.created_at);
  return (request: RouterRequest): LookUp => {
    const mark = request.target.indexOf('?', 1);
    const path = normalisePath(mark < 0 ? request.target : request.target.slice(0, mark));
    if (path === null) return { route: -2, prefixLength: 0, target: null };
    const fitting = parts.flatMap((part) => {
      const prefixLength = holds(part, request, path);
      return prefixLength === false ? [] : [{ ...part, prefixLength }];
    });
    const highest = Math.max(...fitting.map((part) => part.category));
    const best = fitting.filter((part) => part.category === highest);
    const named = best.find(({ route }) => bytes(route.hosts).includes(request.host ?? ''));
    const chosen = named ?? best[0];
    if (!chosen) return { route: -1, prefixLength: 0, target: null };
    const { route, index: found, prefixLength } = chosen;
    const target = route.service
      ? upstreamTarget(route, path, prefixLength, request.target, route.path_handling)
      : null;
    return { route: found, prefixLength: prefixLength ?? 0, target };
  };
}

function categoryOf(route: Route): number {
  const headers = Object.keys(route.headers ?? {});
  const lists = [route.hosts, headers, route.paths, route.methods, route.snis];
  const digits = lists.map((list) => (list?.length ? '1' : '0')).join('');
  return digits.replaceAll('0', '').length * 1000 + Number.parseInt(digits, 2);
}

/** Everything but the age, as digits of one number. */
function weigh({ route, path, category }: Part): number {
  const hosts = route.hosts ?? [];
  let kind = path?.startsWith('~') ? 1 : 0;
  if (hosts.length > 0 && !hosts.join().includes('*')) kind += 2;
  if (hosts.some((host) => /\*.*:|:.*\*/.test(host))) kind += 4;
  const headers = Object.keys(route.headers ?? {}).length;
  const priority = path?.startsWith('~') ? route.regex_priority : 0;
  const length = path === null || path.startsWith('~') ? 0 : bytes([path])[0].length;
  return [category, kind, headers, priority, length].reduce((all, digit) => all * 1000 + digit);
}

/** False, or the bytes of the path that were matched; null where there is no path to strip. */
function holds(part: Part, request: RouterRequest, path: string): number | null | false {
  const { route } = part;
  if (route.methods?.length && !route.methods.includes(request.method)) return false;
  if (route.hosts?.length && !route.hosts.some((host) => hostHolds(host, request))) return false;
  for (const [name, values] of Object.entries(route.headers ?? {})) {
    if (!headerHolds(name.toLowerCase(), values, request)) return false;
  }
  if (route.snis?.length && request.secure) {
    const names = route.snis.map((sni) => sni.replace(/(.)\.$/, '$1'));
    if (!names.includes(request.sni ?? '')) return false;
  }
  if (part.path === null) return null;
  if (!part.path.startsWith('~')) {
    const [plain] = bytes([part.path]);
    return path.startsWith(plain) ? plain.length : false;
  }
  const [pattern] = bytes([part.path.slice(1)]);
  const found = inline(`^(?:${pattern}(?<rest_of_path>[^]*))`).exec(path);
  if (!found) return false;
  const rest = found.groups?.rest_of_path;
  return rest === undefined ? null : path.length - rest.length;
}

/** The one inline flag that the cases use, in the only place where they use it. */
function inline(source: string): RegExp {
  return new RegExp(source.replace('(?i)b', '[bB]').replaceAll('(?P<', '(?<'));
}

function hostHolds(wanted: string, { host, secure }: RouterRequest): boolean {
  if (host === null) return false;
  const bracketed = /^\[(.*)\](:[0-9]+)?$/.exec(host);
  const [name, port] = bracketed
    ? [bracketed[1], bracketed[2]]
    : [host.replace(/:[0-9]+$/, ''), /:[0-9]+$/.exec(host)?.[0]];
  if (!wanted.includes('*')) return wanted === host || wanted === name;
  if (bracketed) return false;
  const whole = `${name}${port ?? (secure ? ':443' : ':80')}`;
  const end = /:[0-9]+$/.test(wanted) ? '' : '(?::[0-9]+)?';
  const source = wanted.replaceAll('.', '\\.').replace('*', '.+');
  return new RegExp(`^${source}${end}$`).test(whole);
}

function headerHolds(name: string, values: readonly string[], request: RouterRequest): boolean {
  const seen = new Map<string, string[]>();
  for (const [key, value] of request.headers) {
    const folded = key.toLowerCase();
    seen.set(folded, [...(seen.get(folded) ?? []), lower(value)]);
  }
  const lines = seen.get(name) ?? seen.get(name.replaceAll('_', '-')) ?? [];
  const wanted = bytes(values).map(lower);
  if (lines.some((line) => wanted.includes(line))) return true;
  if (values.length !== 1 || !values[0].startsWith('~*')) return false;
  const pattern = new RegExp(bytes(values)[0].slice(2));
  return lines.some((line) => pattern.test(line));
}

function lower(text: string): string {
  return text.replace(/[A-Z]/g, (c) => c.toLowerCase());
}

function bytes(texts: readonly string[] | null): string[] {
  return (texts ?? []).map((text) => Buffer.from(text, 'utf8').toString('latin1'));
}
