/** Arguments of a request body: a form, a multipart form, or the members of a JSON object. */
import type { AccessContext } from '../../context-types.js';
import { parseArguments } from '../../pdk/arguments.js';
import { parseJson } from './json.js';
import { type Part, readParts, writeParts } from './multipart.js';

export interface BodyArguments {
  /** Text, true for a name without value, an array where it is repeated; anything of JSON. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Takes an argument out of what the upstream gets. */
  remove(name: string): void;
}

const none: BodyArguments = { values: {}, remove: () => {} };

/** Reads the body where its type is one of the three; no arguments otherwise, or if it breaks. */
export async function readBodyArguments(ctx: AccessContext<unknown>): Promise<BodyArguments> {
  const type = ctx.request.header('content-type') ?? '';
  if (/application\/json/i.test(type)) return jsonArguments(ctx);
  if (/application\/x-www-form-urlencoded/i.test(type)) return formArguments(ctx);
  const boundary = /multipart\/form-data.*boundary="?([^";,]+)"?/i.exec(type)?.[1];
  return boundary === undefined ? none : multipartArguments(ctx, boundary);
}

const textOf = async (ctx: AccessContext<unknown>): Promise<string> =>
  Buffer.from(await ctx.request.body()).toString('utf8');

async function jsonArguments(ctx: AccessContext<unknown>): Promise<BodyArguments> {
  const parsed = parseJson(await textOf(ctx));
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return none;
  const values = parsed as Record<string, unknown>;
  return {
    values,
    remove(name) {
      delete values[name];
      ctx.service.request.setBody(JSON.stringify(values));
    },
  };
}

async function formArguments(ctx: AccessContext<unknown>): Promise<BodyArguments> {
  const text = await textOf(ctx);
  return {
    values: parseArguments(text, 1000),
    remove(name) {
      const kept = text.split('&').filter((pair) => !(name in parseArguments(pair, 1)));
      ctx.service.request.setBody(kept.join('&'));
    },
  };
}

async function multipartArguments(
  ctx: AccessContext<unknown>,
  boundary: string,
): Promise<BodyArguments> {
  let parts: readonly Part[] = readParts(await ctx.request.body(), boundary);
  const values: Record<string, string> = {};
  for (const { name, content } of parts) values[name] ??= content.toString('utf8');
  return {
    values,
    remove(name) {
      parts = parts.filter((part) => part.name !== name);
      ctx.service.request.setBody(writeParts(parts, boundary));
    },
  };
}
