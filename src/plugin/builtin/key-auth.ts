/** Kong's key-auth: a key in a header, a query argument or the body says who the client is. */
import type { AccessContext } from '../context-types.js';
import { definePlugin } from '../define.js';
import type { Infer } from '../schema.js';
import { type BodyArguments, readBodyArguments } from './shared/body-arguments.js';
import { challenge, identify, isSettled, refuse } from './shared/identity.js';

const fields = {
  key_names: {
    type: 'array',
    required: true,
    elements: { type: 'string', format: 'header_name' },
    default: ['apikey'],
    description: 'Names that a key may have, in the order of look-up.',
  },
  hide_credentials: {
    type: 'boolean',
    required: true,
    default: false,
    description: 'Do not show the key to the upstream.',
  },
  anonymous: { type: 'string', description: 'Id or username of whom requests without key are.' },
  key_in_header: { type: 'boolean', required: true, default: true },
  key_in_query: { type: 'boolean', required: true, default: true },
  key_in_body: { type: 'boolean', required: true, default: false },
  run_on_preflight: {
    type: 'boolean',
    required: true,
    default: true,
    description: 'Whether OPTIONS requests need a key, too.',
  },
  realm: { type: 'string', description: 'Realm of the challenge.' },
} as const;

type Config = Infer<typeof fields>;
type Context = AccessContext<Config>;

/** Where a key was found. */
interface Found {
  readonly name: string;
  readonly key: string | null;
  readonly isRepeated: boolean;
}

export default definePlugin({
  name: 'key-auth',
  version: '3.10.0',
  priority: 1250,
  schema: { fields, scopes: ['service', 'route', 'global'] },
  access(ctx) {
    if (!ctx.config.run_on_preflight && ctx.request.method === 'OPTIONS') return;
    if (isSettled(ctx)) return;
    if (ctx.config.key_in_body) return accessWithBody(ctx);
    decide(ctx, find(ctx, null), null);
  },
});

async function accessWithBody(ctx: Context): Promise<void> {
  const body = await readBodyArguments(ctx);
  decide(ctx, find(ctx, body), body);
}

function decide(ctx: Context, found: Found | null, body: BodyArguments | null): void {
  const refused = (text: string) =>
    refuse(ctx, { status: 401, body: text, headers: challenge('Key', ctx.config.realm) });
  if (found?.isRepeated) return refused('Duplicate API key found');
  if (!found?.key) return refused('No API key found in request');
  if (ctx.config.hide_credentials) hide(ctx, found.name, body);
  const credential = ctx.entities.find('keyauth_credentials', 'key', found.key);
  if (!credential || isExpired(credential)) return refused('Unauthorized');
  identify(ctx, credential.consumer, credential, credential.id);
}

/** The first text under any of the names; header before query before body. */
function find(ctx: Context, body: BodyArguments | null): Found | null {
  const { key_names: names, key_in_header: inHeader, key_in_query: inQuery } = ctx.config;
  const query = inQuery && ctx.request.rawQuery !== '' ? ctx.request.queryArguments(1000) : null;
  for (const name of names) {
    const inHead = inHeader ? ctx.request.headerValues(name) : [];
    if (inHead.length > 0) return { name, key: inHead[0], isRepeated: inHead.length > 1 };
    for (const value of [query?.[name], body?.values[name]]) {
      if (typeof value === 'string') return { name, key: value, isRepeated: false };
      if (Array.isArray(value)) return { name, key: null, isRepeated: true };
      // A name without value stands for the argument, too: the body is not looked at.
      if (value === true) break;
    }
  }
  return null;
}

function hide(ctx: Context, name: string, body: BodyArguments | null): void {
  ctx.service.request.removeHeader(name);
  if (ctx.request.rawQuery !== '') ctx.service.request.removeQueryArgument(name);
  body?.remove(name);
}

function isExpired({ created_at, ttl }: { created_at: number; ttl: number | null }): boolean {
  return ttl !== null && ttl > 0 && (created_at + ttl) * 1000 <= Date.now();
}
