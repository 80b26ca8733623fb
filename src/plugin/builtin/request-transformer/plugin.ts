/** Kong's request-transformer: path, method, headers, body and query on the way to the upstream. */
import type { AccessContext } from '../../context-types.js';
import { definePlugin } from '../../define.js';
import type { Infer } from '../../schema.js';
import { pairsOf } from '../shared/pairs.js';
import { readForm, transformBody } from './body.js';
import { fields } from './schema.js';
import { compileTemplate, isTemplate, type Scope } from './template.js';

export type Config = Infer<typeof fields>;
export type Context = AccessContext<Config>;

/** A pair with its value for this request. */
export interface Entry {
  readonly name: string;
  readonly value: string;
}

export default definePlugin({
  name: 'request-transformer',
  version: '3.10.0',
  priority: 801,
  schema: {
    fields,
    scopes: ['consumer', 'service', 'route', 'global'],
    protocols: ['http', 'https', 'grpc', 'grpcs'],
  },
  access(ctx) {
    const { config, service } = ctx;
    if (config.replace.uri !== null) {
      const path = render(ctx, config.replace.uri);
      service.request.setPath(path.startsWith('/') ? path : `/${path}`);
    }
    const { http_method: method } = config;
    if (method !== null) service.request.setMethod(method);
    transformHeaders(ctx);
    if (touchesBody(config) || copiesForm(ctx)) return finishWithBody(ctx);
    transformQuery(ctx, {});
  },
});

async function finishWithBody(ctx: Context): Promise<void> {
  // The form as it came: what is done to the body is not done to the query.
  const form = copiesForm(ctx) ? await readForm(ctx) : {};
  if (touchesBody(ctx.config)) await transformBody(ctx);
  transformQuery(ctx, form);
}

const ops = ['remove', 'rename', 'replace', 'add', 'append'] as const;

const touchesBody = (config: Config): boolean => ops.some((op) => config[op].body.length > 0);

/** A form that a method without body cannot carry goes into the query. */
function copiesForm({ config, request }: Context): boolean {
  if (!['GET', 'HEAD', 'TRACE'].includes(config.http_method ?? '')) return false;
  return /application\/x-www-form-urlencoded/i.test(request.header('content-type') ?? '');
}

/** The entries of an operation with their values for this request; without a value: nothing. */
export function entriesOf(ctx: Context, list: readonly string[]): Entry[] {
  const entries: Entry[] = [];
  for (const { name, value } of pairsOf(list)) {
    if (value) entries.push({ name, value: render(ctx, value) });
  }
  return entries;
}

function render(ctx: Context, text: string): string {
  return isTemplate(text) ? compileTemplate(text)(scopeOf(ctx)) : text;
}

/** What templates see; made once per request. */
function scopeOf(ctx: Context): Scope {
  ctx.plugin.scope ??= {
    headers: ctx.service.request.headers(),
    query_params: ctx.request.queryArguments(1000),
    uri_captures: capturesOf(ctx),
    shared: ctx.shared,
  };
  return ctx.plugin.scope as Scope;
}

/** Captures by name and by number, 0 being the whole match. */
function capturesOf({ request }: Context): Record<string, string> {
  const { named, unnamed } = request.uriCaptures;
  return { ...Object.fromEntries(unnamed.map((text, i) => [String(i), text])), ...named };
}

function transformHeaders(ctx: Context): void {
  const { config } = ctx;
  if (ops.every((op) => config[op].headers.length === 0)) return;
  const { request } = ctx.service;
  const present = request.headers();
  const isHost = (name: string) => name.toLowerCase() === 'host';
  const has = (name: string) => present[name.toLowerCase()] !== undefined;
  for (const name of config.remove.headers) {
    if (isHost(name) || !has(name)) continue;
    request.removeHeader(name);
    delete present[name.toLowerCase()];
  }
  for (const { name, value } of entriesOf(ctx, config.rename.headers)) {
    if (isHost(name) || !has(name) || value === '') continue;
    const [from, to] = [name.toLowerCase(), value.toLowerCase()];
    if (from === to) continue;
    request.setHeaders({ [value]: present[from] });
    present[to] = present[from];
    request.removeHeader(name);
    delete present[from];
  }
  for (const { name, value } of entriesOf(ctx, config.replace.headers)) {
    if (has(name) || isHost(name)) request.setHeader(name, value);
  }
  for (const { name, value } of entriesOf(ctx, config.add.headers)) {
    if (has(name) || isHost(name)) continue;
    request.setHeader(name, value);
    present[name.toLowerCase()] = value;
  }
  for (const { name, value } of entriesOf(ctx, config.append.headers)) {
    if (!isHost(name)) request.addHeader(name, value);
  }
}

function transformQuery(ctx: Context, extra: Readonly<Record<string, unknown>>): void {
  const { config, request } = ctx;
  const none = ops.every((op) => config[op].querystring.length === 0);
  if (none && Object.keys(extra).length === 0) return;
  // Names are the client's: nothing of a prototype may be found by one.
  const values: Record<string, unknown> = Object.assign(
    Object.create(null),
    request.queryArguments(1000),
  );
  for (const [name, value] of Object.entries(extra)) {
    values[name] = values[name] === undefined ? value : [values[name], value].flat();
  }
  transformValues(ctx, values, 'querystring');
  ctx.service.request.setQueryArguments(values as never);
}

/** Kong takes false for absent. */
const isPresent = (value: unknown): boolean => value !== undefined && value !== false;

/**
 * remove, rename, replace, add, append over named values; an empty body has nothing to remove,
 * rename or replace.
 * @returns whether the body is to be written anew
 */
export function transformValues(
  ctx: Context,
  values: Record<string, unknown>,
  part: 'querystring' | 'body',
  isEmpty = false,
): boolean {
  const { remove, rename, replace, add, append } = ctx.config;
  let isChanged = append[part].length > 0;
  if (!isEmpty) {
    isChanged ||= remove[part].length > 0;
    for (const name of remove[part]) delete values[name];
    for (const { name, value } of entriesOf(ctx, rename[part])) {
      if (!isPresent(values[name]) || value === '' || value === name) continue;
      values[value] = values[name];
      delete values[name];
      isChanged = true;
    }
    for (const { name, value } of entriesOf(ctx, replace[part])) {
      if (!isPresent(values[name])) continue;
      values[name] = value;
      isChanged = true;
    }
  }
  for (const { name, value } of entriesOf(ctx, add[part])) {
    if (isPresent(values[name])) continue;
    values[name] = value;
    isChanged = true;
  }
  for (const { name, value } of entriesOf(ctx, append[part])) {
    const old = values[name];
    // Only texts and lists are kept beside what is appended.
    if (Array.isArray(old)) values[name] = [...old, value];
    else values[name] = typeof old === 'string' ? [old, value] : [value];
  }
  return isChanged;
}
