/** The body of a request: a JSON object, a form, or a multipart form. */
import { parseArguments, writeArguments } from '../../pdk/arguments.js';
import { parseJson } from '../shared/json.js';
import { readParts, textPart, writeParts } from '../shared/multipart.js';
import { type Context, entriesOf, transformValues } from './plugin.js';

/** Transforms the body where its type is one of the three. */
export async function transformBody(ctx: Context): Promise<void> {
  const type = ctx.request.header('content-type') ?? '';
  if (/application\/json/i.test(type)) return transformJson(ctx);
  if (/application\/x-www-form-urlencoded/i.test(type)) return transformForm(ctx);
  const boundary = /multipart\/form-data.*boundary="?([^";,]+)"?/i.exec(type)?.[1];
  if (boundary !== undefined) await transformMultipart(ctx, boundary);
}

const textOf = async (ctx: Context): Promise<string> =>
  Buffer.from(await ctx.request.body()).toString('utf8');

/** The arguments of a form. */
export async function readForm(ctx: Context): Promise<Record<string, unknown>> {
  return { ...parseArguments(await textOf(ctx), 1000) };
}

async function transformJson(ctx: Context): Promise<void> {
  const text = await textOf(ctx);
  const values = text === '' ? {} : parseJson(text);
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return;
  // A body that nothing applies to stays as it was written.
  if (!transformValues(ctx, values as Record<string, unknown>, 'body', text === '')) return;
  ctx.service.request.setBody(JSON.stringify(values));
}

async function transformForm(ctx: Context): Promise<void> {
  const text = await textOf(ctx);
  const values: Record<string, unknown> = { ...parseArguments(text, 1000) };
  if (!transformValues(ctx, values, 'body', text === '')) return;
  ctx.service.request.setBody(writeArguments(values as never));
}

/** Rename comes before remove here, and nothing is appended. */
async function transformMultipart(ctx: Context, boundary: string): Promise<void> {
  const { config } = ctx;
  let parts = readParts(await ctx.request.body(), boundary);
  const has = (name: string) => parts.some((part) => part.name === name);
  const without = (name: string) => parts.filter((part) => part.name !== name);
  let isChanged = config.remove.body.length > 0;
  for (const { name, value } of entriesOf(ctx, config.rename.body)) {
    const old = parts.find((part) => part.name === name);
    if (!old || value === '' || value === name) continue;
    parts = [...without(name), textPart(value, old.content.toString('utf8'))];
    isChanged = true;
  }
  for (const name of config.remove.body) parts = without(name);
  for (const { name, value } of entriesOf(ctx, config.replace.body)) {
    if (!has(name)) continue;
    parts = [...without(name), textPart(name, value)];
    isChanged = true;
  }
  for (const { name, value } of entriesOf(ctx, config.add.body)) {
    if (has(name)) continue;
    parts = [...parts, textPart(name, value)];
    isChanged = true;
  }
  if (!isChanged) return;
  ctx.service.request.setBody(writeParts(parts, boundary));
}
