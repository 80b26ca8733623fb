/** Kong's response-transformer: headers and JSON members of every answer. */
import type { HeaderFilterContext } from '../../context-types.js';
import { definePlugin } from '../../define.js';
import type { Infer } from '../../schema.js';
import { pairsOf } from '../shared/pairs.js';
import { transformJson } from './json.js';

const names = { type: 'array', required: true, elements: { type: 'string' }, default: [] } as const;

const pairs = {
  ...names,
  elements: { type: 'string', match: '[^:]+:.*', err: 'invalid value' },
} as const;

const types = {
  ...names,
  elements: { type: 'string', one_of: ['boolean', 'number', 'string'] },
} as const;

const valued = {
  type: 'record',
  fields: { json: pairs, json_types: types, headers: pairs },
} as const;

const fields = {
  remove: { type: 'record', fields: { json: names, headers: names } },
  rename: { type: 'record', fields: { json: pairs, headers: pairs } },
  replace: valued,
  add: valued,
  append: valued,
} as const;

export type Config = Infer<typeof fields>;
type Context = HeaderFilterContext<Config>;

/** Larger JSON bodies are passed through as they are. */
const bodyBytesMax = 8 * 2 ** 20;

export default definePlugin({
  name: 'response-transformer',
  version: '3.10.0',
  priority: 800,
  schema: { fields, scopes: ['consumer', 'service', 'route', 'global'] },
  headerFilter(ctx) {
    transformHeaders(ctx);
    if (!touchesJson(ctx.config) || !isJson(ctx.response.header('content-type'))) {
      return ctx.response.skipBodyFilter();
    }
    ctx.plugin.parts = [];
    ctx.plugin.bytes = 0;
    ctx.response.removeHeader('Content-Length');
  },
  bodyFilter(ctx, chunk, isLast) {
    const parts = ctx.plugin.parts as Uint8Array[] | null | undefined;
    if (!parts) return undefined;
    if (chunk.length > 0) parts.push(Uint8Array.from(chunk));
    const bytes = (ctx.plugin.bytes as number) + chunk.length;
    ctx.plugin.bytes = bytes;
    if (bytes > bodyBytesMax) {
      ctx.log.warn(`body over ${bodyBytesMax} bytes is not transformed`);
      ctx.plugin.parts = null;
      return Buffer.concat(parts);
    }
    if (!isLast) return new Uint8Array(0);
    const body = Buffer.concat(parts);
    const made = transformJson(ctx.config, body.toString('utf8'));
    if (made === null) ctx.log.warn('the body is no JSON object and is not transformed');
    return made === null ? body : Buffer.from(made);
  },
});

const touchesJson = (config: Config): boolean =>
  [config.remove, config.rename, config.replace, config.add, config.append].some(
    ({ json }) => json.length > 0,
  );

function isJson(type: string | null): boolean {
  const essence = type?.split(';', 1)[0].trim().toLowerCase() ?? '';
  return essence === 'application/json' || /^application\/[^/]+\+json$/.test(essence);
}

/** Presence, and what is renamed, is judged on the headers as they were at the start. */
function transformHeaders({ config, response }: Context): void {
  const { remove, rename, replace, add, append } = config;
  if ([remove, rename, replace, add, append].every(({ headers }) => headers.length === 0)) return;
  const before = response.headers(1000);
  const was = (name: string) => before[name.toLowerCase()];
  for (const name of remove.headers) response.removeHeader(name);
  for (const { name, value } of pairsOf(rename.headers)) {
    const old = was(name);
    if (old === undefined || !value) continue;
    response.setHeaders({ [value]: old });
    response.removeHeader(name);
  }
  for (const { name, value } of pairsOf(replace.headers)) {
    if (was(name) !== undefined && value) response.setHeader(name, value);
  }
  for (const { name, value } of pairsOf(add.headers)) {
    if (was(name) === undefined && value) response.setHeader(name, value);
  }
  for (const { name, value } of pairsOf(append.headers)) response.addHeader(name, value ?? '');
}
