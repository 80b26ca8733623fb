/** The resource that spans and log lines belong to: this node, and what the config adds. */
import type { Node } from '../log/expression/nodes.js';
import { compileExpression } from '../log/expression/parser.js';
import type { LogEntry } from '../plugin/log-types.js';
import { nodeId, version } from '../product.js';
import type { OtelResource } from './otel-spans.js';
import type { Otlp } from './otlp.js';

export type ResourceAttributes = Readonly<Record<string, string>> | null | undefined;

type Template = readonly (string | Node)[];

const template = /\$\(((?:[^()"']|\([^()]*\)|"[^"]*"|'[^']*')*)\)/g;

/**
 * Resources of one config. Values may hold `$(expression)` over `headers` and `query_params` of the
 * request; requests whose values are equal share a resource, so that they are sent together.
 */
export class Resources {
  readonly #otlp: Otlp;
  readonly #fixed: Record<string, string>;
  readonly #templates: readonly (readonly [name: string, parts: Template])[];
  readonly #made = new Map<string, OtelResource>();

  constructor(otlp: Otlp, given: ResourceAttributes) {
    this.#otlp = otlp;
    const entries = Object.entries(given ?? {}).map(([name, text]) => [name, parse(text)] as const);
    const isFixed = ([, parts]: (typeof entries)[number]) => parts.length === 1;
    this.#fixed = Object.fromEntries(
      entries.filter(isFixed).map(([name, parts]) => [name, String(parts[0])]),
    );
    this.#templates = entries.filter((entry) => !isFixed(entry));
  }

  of(entry: LogEntry): OtelResource {
    const request = entry.request as { headers: object; querystring: object };
    const values = { headers: request.headers, query_params: request.querystring };
    const own = this.#templates.map(([name, parts]): [string, string] => [
      name,
      parts.map((part) => (typeof part === 'string' ? part : shown(part(values)))).join(''),
    ]);
    const key = JSON.stringify(own);
    let resource = this.#made.get(key);
    if (!resource) {
      // Values come from requests: what was made before is only worth keeping while it is little.
      if (this.#made.size >= keptResources) this.#made.clear();
      resource = this.#otlp.resource({
        'service.name': 'kong',
        'service.instance.id': nodeId,
        'service.version': version,
        ...this.#fixed,
        ...Object.fromEntries(own),
      });
      this.#made.set(key, resource);
    }
    return resource;
  }
}

const keptResources = 64;

/** The fault of a value, or undefined. */
export function templateFault(text: string): string | undefined {
  try {
    parse(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function parse(text: string): Template {
  const parts: (string | Node)[] = [];
  let at = 0;
  for (const match of text.matchAll(template)) {
    if (match.index > at) parts.push(text.slice(at, match.index));
    parts.push(compileExpression(match[1]));
    at = match.index + match[0].length;
  }
  if (at < text.length || parts.length === 0) parts.push(text.slice(at));
  // One expression alone is a template, too.
  return parts.length === 1 && typeof parts[0] !== 'string' ? ['', parts[0]] : parts;
}

const shown = (value: unknown): string =>
  value === null || value === undefined || typeof value === 'object' ? '' : String(value);
