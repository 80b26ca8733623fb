/**
 * What the groups of a route's patterns matched (kong-router reference, section 13). Worked out by
 * running the patterns once more, for the plugin that asks; look-ups keep nothing for it.
 */
import type { Route } from '../config/model.js';
import { compileExpression } from './expression/index.js';
import type { Node } from './expression/syntax.js';
import { type ExpressionSource, runExpression } from './expression-captures.js';
import type { Core } from './instance.js';
import { Region } from './layout.js';
import { type CompiledPattern, compilePattern } from './regex/compile.js';
import type { RouterFlavor } from './route-checks.js';
import { lowerAscii, pathPattern } from './route-patterns.js';
import { binary } from './table-writer.js';

/** By position, `0` being the whole match, and by name. Groups that took no part are absent. */
export type Captures = Readonly<Record<string, string>>;

/** What a request shows to patterns. */
export type CaptureSource = Pick<ExpressionSource, 'path' | 'headers'>;

interface RoutePatterns {
  readonly expression: Node | null;
  readonly paths: readonly CompiledPattern[];
  readonly headers: readonly (readonly [name: string, values: readonly HeaderValue[]])[];
}

/** A value in lower case, or a pattern. */
type HeaderValue = string | CompiledPattern;

const known = new WeakMap<Route, Map<RouterFlavor, RoutePatterns>>();
const nothing = 0xffffffff;

/** Null where no group of any pattern took part. */
export function routeCaptures(
  core: Core,
  flavor: RouterFlavor,
  route: Route,
  source: CaptureSource,
): Captures | null {
  const { expression, paths, headers } = patternsOf(route, flavor);
  const found: Record<string, string> = Object.create(null);
  if (expression)
    runExpression(expression, source, (pattern, text) => runPattern(core, pattern, text, found));
  const matched = paths.find((pattern) => runPattern(core, pattern, source.path, found));
  if (matched && flavor === 'traditional') {
    // the match goes on to the end of the path there, and the last group is our own
    found['0'] = text(source.path);
    delete found[String(matched.groupCount)];
  }
  for (const [name, values] of headers) runHeader(core, values, source.headers(name), found);
  return Object.keys(found).some((key) => key !== '0') ? found : null;
}

function runHeader(
  core: Core,
  wanted: readonly HeaderValue[],
  lines: readonly string[],
  found: Record<string, string>,
): void {
  for (const value of wanted) {
    for (const line of lines) {
      if (typeof value === 'string') {
        if (value === lowerLine(line)) return;
      } else if (runPattern(core, value, lowerLine(line), found)) return;
    }
  }
}

/** Runs a pattern; puts its captures over those that are there. */
export function runPattern(
  core: Core,
  pattern: CompiledPattern,
  subject: string,
  found: Record<string, string>,
): boolean {
  const { u32, buffer, exports } = core;
  const at = exports.regex_scratch();
  const { words } = pattern;
  const textAt = at + words.byteLength;
  if (textAt + subject.length > Region.regex.offset + Region.regex.bytes) return false;
  u32.set(words, at >> 2);
  buffer.latin1Write(subject, textAt);
  const slots = exports.regex_search(at, words.byteLength, textAt, subject.length) >> 2;
  if (slots === 0) return false;
  const take = (group: number, key: string) => {
    const start = u32[slots + group * 2];
    const end = u32[slots + group * 2 + 1];
    if (start !== nothing && end !== nothing) found[key] = text(subject.slice(start, end));
  };
  for (let group = 0; group <= pattern.groupCount; group++) take(group, String(group));
  for (const [name, group] of pattern.names) take(group, name);
  return true;
}

function patternsOf(route: Route, flavor: RouterFlavor): RoutePatterns {
  let byFlavor = known.get(route);
  if (!byFlavor) {
    byFlavor = new Map();
    known.set(route, byFlavor);
  }
  let patterns = byFlavor.get(flavor);
  if (!patterns) {
    patterns = compileRoute(route, flavor);
    byFlavor.set(flavor, patterns);
  }
  return patterns;
}

function compileRoute(route: Route, flavor: RouterFlavor): RoutePatterns {
  if (flavor === 'expressions' && route.expression !== null) {
    return { expression: compileExpression(route.expression).node, paths: [], headers: [] };
  }
  const own = (route.paths ?? []).filter((path) => path.startsWith('~'));
  const sources = own.map((path) => path.slice(1));
  if (flavor === 'traditional') {
    return { expression: null, paths: sources.map((text) => compiled(text, true)), headers: [] };
  }
  const headers = Object.entries(route.headers ?? {}).filter(([, values]) =>
    values.some((value) => value.startsWith('~*')),
  );
  return {
    expression: null,
    paths: sources.map((text) => compiled(text, false)),
    headers: headers.map(([name, values]) => [
      name,
      values.map((value) => {
        const lowered = lowerAscii(value);
        return lowered.startsWith('~*') ? compilePattern(lowered.slice(2)) : binary(lowered);
      }),
    ]),
  };
}

function compiled(text: string, traditional: boolean): CompiledPattern {
  const { source, options } = pathPattern(text, traditional);
  return compilePattern(source, options);
}

/** A line of a request: lower case by Unicode where it is UTF-8. */
function lowerLine(bytes: string): string {
  const decoded = text(bytes);
  return binary(decoded) === bytes ? binary(decoded.toLowerCase()) : lowerAscii(bytes);
}

function text(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
