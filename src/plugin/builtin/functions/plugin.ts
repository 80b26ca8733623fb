/**
 * Kong's pre-function and post-function with JavaScript instead of Lua: what is too small for a
 * plugin, before all plugins or after them.
 */
import type { AccessContext, RewriteContext } from '../../context-types.js';
import { type AnyPlugin, definePlugin } from '../../define.js';
import type { Infer } from '../../schema.js';
import { Bodies } from './compile.js';
import { type FunctionPhase, type fields, functionPhases, functionSchema } from './schema.js';

type Config = Infer<typeof fields>;
type Compiled = Readonly<Record<FunctionPhase, Bodies>>;

/** Both plugins; `allowed` is the setting `untrusted_js`. */
export const functionPlugins = (allowed: boolean): readonly AnyPlugin[] => [
  functionPlugin('pre-function', 1_000_000, allowed),
  functionPlugin('post-function', -1000, allowed),
];

function functionPlugin(name: string, priority: number, allowed: boolean): AnyPlugin {
  const known = new WeakMap<Config, Compiled>();
  const compiled = (config: Config): Compiled => {
    let made = known.get(config);
    if (!made) {
      const entries = functionPhases.map((phase) => {
        return [phase, new Bodies(name, phase, config[phase])] as const;
      });
      made = Object.fromEntries(entries) as Compiled;
      known.set(config, made);
    }
    return made;
  };
  return definePlugin({
    name,
    version: '3.10.0',
    priority,
    schema: functionSchema(name, allowed),
    certificate: (ctx) => compiled(ctx.config).certificate.runUntil(() => false, ctx),
    rewrite: (ctx) => runWatched(compiled(ctx.config).rewrite, ctx),
    access: (ctx) => runWatched(compiled(ctx.config).access, ctx),
    headerFilter: (ctx) => {
      const { header_filter: ofHeaders, body_filter: ofBody } = compiled(ctx.config);
      if (ofBody.count === 0) ctx.response.skipBodyFilter();
      ofHeaders.run(ctx);
    },
    bodyFilter: (ctx, chunk, isLast) =>
      compiled(ctx.config).body_filter.run(ctx, chunk, isLast) as Uint8Array | string | undefined,
    log: (entry, config) => compiled(config).log.runUntil(() => false, entry),
  });
}

/** Runs bodies until one answers. */
function runWatched(
  bodies: Bodies,
  ctx: AccessContext<Config> | RewriteContext<Config>,
): void | Promise<void> {
  if (bodies.count === 0) return;
  let isOver = false;
  const response = new Proxy(ctx.response, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      if (key === 'exit' || key === 'error') isOver = true;
      return value.bind(target);
    },
  });
  const watched = new Proxy(ctx, {
    get: (target, key) => (key === 'response' ? response : Reflect.get(target, key, target)),
  });
  return bodies.runUntil(() => isOver, watched);
}
