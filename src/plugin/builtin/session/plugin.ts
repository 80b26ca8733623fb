/** Kong's session: who was authenticated once stays so, by an encrypted cookie. */
import type { AccessContext, HeaderFilterContext } from '../../context-types.js';
import { definePlugin } from '../../define.js';
import { readBodyArguments } from '../shared/body-arguments.js';
import { readCookie, setCookie } from '../shared/cookies.js';
import { identify } from '../shared/identity.js';
import { type Config, type Kind, kindsOf, sessionHeaders } from './kinds.js';
import { schema } from './schema.js';
import { newSessionId, type Session, seal, unseal } from './seal.js';
import { isOver, refreshed } from './times.js';

type Context = AccessContext<Config>;

/** Browsers take no longer cookie. */
const cookieBytesMax = 4096;

export default definePlugin({
  name: 'session',
  version: '3.10.0',
  priority: 1900,
  schema,
  access(ctx) {
    const found = open(ctx);
    if (!found) return hideHeaders(ctx);
    if (!ctx.config.logout_methods?.includes(ctx.request.method as 'POST')) {
      return resume(ctx, found);
    }
    if (ctx.request.queryArgument(ctx.config.logout_query_arg ?? '') !== null) return leave(ctx);
    if (ctx.config.read_body_for_logout) return leaveByBody(ctx, found);
    resume(ctx, found);
  },
  headerFilter(ctx) {
    const { config, client, response } = ctx;
    if (ctx.plugin.left || !client.credential) return;
    const session = sessionToSend(ctx);
    if (!session) return;
    const now = Date.now() / 1000;
    if (session !== ctx.plugin.known) {
      for (const kind of kindsOf(config)) send(ctx, kind, session);
    }
    const told = sessionHeaders(config, session, now);
    for (const name of config.response_headers ?? []) {
      response.setHeader(`Session-${name}`, told[name]);
    }
  },
});

interface Found {
  readonly kind: Kind;
  readonly session: Session;
}

/** The session that a cookie of the request holds, if it is still good. */
function open({ config, request }: Context): Found | null {
  const fields = request.headerValues('cookie');
  if (fields.length === 0) return null;
  const now = Date.now() / 1000;
  for (const kind of kindsOf(config)) {
    const cookie = readCookie(fields, kind.name);
    const session = cookie && unseal(cookie, config.secret, kind.purpose);
    if (!session) continue;
    const began = kind.isRemember ? session.first : session.began;
    if (!isOver({ ...session, began }, kind.timeouts, now)) return { kind, session };
  }
  return null;
}

function resume(ctx: Context, { kind, session }: Found): void {
  const { config, entities, service } = ctx;
  const { consumer: id, credential, groups } = session;
  const consumer = id === null ? null : entities.consumer(id);
  // Whoever was taken out of the configuration is nobody from then on.
  if (id !== null && !consumer) return hideHeaders(ctx);
  identify(ctx, consumer, { id: credential }, null);
  if (groups) {
    ctx.shared.authenticated_groups = groups;
    service.request.setHeader('X-Authenticated-Groups', groups.join(', '));
  }
  const now = Date.now() / 1000;
  ctx.plugin.known = session;
  const next = kind.isRemember
    ? { ...session, began: now, rolled: now, used: now }
    : refreshed(session, kind.timeouts, now);
  ctx.plugin.next = next;
  hideHeaders(ctx);
  const told = sessionHeaders(config, next, now);
  for (const name of config.request_headers ?? []) {
    service.request.setHeader(`Session-${name}`, told[name]);
  }
}

/** What the upstream believes comes from here only. */
function hideHeaders({ config, service }: Context): void {
  for (const name of config.request_headers ?? []) service.request.removeHeader(`Session-${name}`);
}

async function leaveByBody(ctx: Context, found: Found): Promise<void> {
  const { values } = await readBodyArguments(ctx);
  if (Object.hasOwn(values, ctx.config.logout_post_arg ?? '')) leave(ctx);
  else resume(ctx, found);
}

/** Takes the cookies back and answers with nothing. */
function leave(ctx: Context): void {
  ctx.plugin.left = true;
  const cookies = kindsOf(ctx.config).map((kind) => {
    return setCookie(kind.name, '', { ...kind.attributes, maxAge: 0 });
  });
  ctx.response.exit(200, null, { 'Set-Cookie': cookies });
}

/** The session of who is authenticated now: the one that was opened, or a new one. */
function sessionToSend(ctx: HeaderFilterContext<Config>): Session | null {
  const { consumer, credential } = ctx.client;
  const known = ctx.plugin.known as Session | undefined;
  const credentialId = credential?.id ?? consumer?.id;
  if (!credentialId) return null;
  const who = { consumer: consumer?.id ?? null, credential: credentialId };
  if (known && known.consumer === who.consumer && known.credential === who.credential) {
    return ctx.plugin.next as Session;
  }
  const groups = ctx.shared.authenticated_groups;
  const now = Date.now() / 1000;
  return {
    id: newSessionId(),
    ...who,
    groups: Array.isArray(groups) ? groups : null,
    first: now,
    began: now,
    rolled: now,
    used: now,
  };
}

function send(ctx: HeaderFilterContext<Config>, kind: Kind, session: Session): void {
  const value = seal(session, ctx.config.secret, kind.purpose);
  if (value.length > cookieBytesMax) {
    return ctx.log.warn('the session is too large for a cookie: it has too many groups');
  }
  ctx.response.addHeader('Set-Cookie', setCookie(kind.name, value, kind.attributes));
}
