/**
 * Function bodies of a configuration as functions. They run with everything that the gateway's
 * process may do: whoever writes the configuration is trusted where the setting allows them.
 */
import { compileFunction } from 'node:vm';
import type { FunctionPhase } from './schema.js';

type Body = (...values: unknown[]) => unknown;

const parameters: Readonly<Record<FunctionPhase, readonly string[]>> = {
  certificate: ['ctx'],
  rewrite: ['ctx'],
  access: ['ctx'],
  header_filter: ['ctx'],
  body_filter: ['ctx', 'chunk', 'isLast'],
  log: ['entry'],
};

const mayWait: ReadonlySet<FunctionPhase> = new Set(['certificate', 'rewrite', 'access', 'log']);

/**
 * One body; one with `await` gives a promise.
 * @throws SyntaxError with the place
 */
export function compile(name: string, phase: FunctionPhase, body: string): Body {
  const filename = `${name}.${phase}`;
  const isAsync = mayWait.has(phase) && /\bawait\b/.test(body);
  // The line of the wrapping counts as none, so that places are those of the body.
  const text = isAsync ? `return (async () => {\n${body}\n})();` : body;
  const lineOffset = isAsync ? -1 : 0;
  return compileFunction(text, [...parameters[phase]], { filename, lineOffset }) as Body;
}

/** What is Lua, or at least no JavaScript, in a text that does not parse. */
const lua = [
  /^\s*--/m,
  /^\s*local\s+[\w, ]+(=|$)/m,
  /\b(then|elseif)\s*$/m,
  /^\s*end\b/m,
  /~=|\bnil\b|\.\./,
  /\bfunction\b[^{]*\bend\b/,
];

/** Calls such as `kong.response.exit()` parse as JavaScript, too, and would fail when they run. */
const luaName = /(^|[^\w.])(kong|ngx)\.\w/;
const textLiteral = /(['"`])(?:\\.|(?!\1)[^\\])*\1/g;

/** Whether a body was written for Kong; `parses`: it is JavaScript by its form. */
export function looksLikeLua(body: string, parses: boolean): boolean {
  if (luaName.test(body.replace(textLiteral, '""'))) return true;
  return !parses && lua.some((sign) => sign.test(body));
}

/** The bodies of one phase, run one after the other. */
export class Bodies {
  readonly #bodies: Body[];
  readonly #begun: boolean[];

  constructor(name: string, phase: FunctionPhase, texts: readonly string[]) {
    this.#bodies = texts.map((text) => compile(name, phase, text));
    this.#begun = texts.map(() => false);
  }

  /** Those of a phase that cannot wait; the last result that is something. */
  run(...values: unknown[]): unknown {
    let result: unknown;
    for (let i = 0; i < this.#bodies.length; i++) {
      const own = this.#call(i, values);
      if (own !== undefined) result = own;
    }
    return result;
  }

  get count(): number {
    return this.#bodies.length;
  }

  /** Those that may wait; nothing further runs once `isOver`. No promise where none waits. */
  runUntil(isOver: () => boolean, ...values: unknown[]): void | Promise<void> {
    for (let i = 0; i < this.#bodies.length && !isOver(); i++) {
      const result = this.#call(i, values);
      if (result instanceof Promise) return this.#goOn(result, i, isOver, values);
    }
  }

  async #goOn(
    first: Promise<unknown>,
    at: number,
    isOver: () => boolean,
    values: unknown[],
  ): Promise<void> {
    const made = await first;
    if (typeof made === 'function') await this.#adopt(at, made as Body)(...values);
    for (let i = at + 1; i < this.#bodies.length && !isOver(); i++) {
      const result = await this.#call(i, values);
      if (typeof result === 'function') await this.#adopt(i, result as Body)(...values);
    }
  }

  /** A body that gives a function stands for it from then on: what it set up before it keeps. */
  #call(i: number, values: unknown[]): unknown {
    const result = this.#bodies[i](...values);
    if (this.#begun[i]) return result;
    this.#begun[i] = true;
    if (typeof result !== 'function') return result;
    return this.#adopt(i, result as Body)(...values);
  }

  #adopt(i: number, made: Body): Body {
    this.#bodies[i] = made;
    this.#begun[i] = true;
    return made;
  }
}
