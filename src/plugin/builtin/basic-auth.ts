/** Kong's basic-auth: username and password (RFC 7617). */
import type { BasicAuthCredential } from '../../config/model.js';
import { passwordHash, sameText } from '../../config/secret-hash.js';
import type { AccessContext } from '../context-types.js';
import { definePlugin } from '../define.js';
import type { Infer } from '../schema.js';
import { challenge, identify, isSettled, refuse } from './shared/identity.js';

const fields = {
  anonymous: { type: 'string', description: 'Id or username of whom unknown clients are.' },
  hide_credentials: {
    type: 'boolean',
    required: true,
    default: false,
    description: 'Do not show the credentials to the upstream.',
  },
  realm: { type: 'string', required: true, default: 'service', description: 'Of the challenge.' },
} as const;

type Context = AccessContext<Infer<typeof fields>>;

/** In the order of look-up. */
const headerNames = ['proxy-authorization', 'authorization'] as const;

export default definePlugin({
  name: 'basic-auth',
  version: '3.10.0',
  priority: 1100,
  schema: { fields, scopes: ['service', 'route', 'global'] },
  access(ctx) {
    if (isSettled(ctx)) return;
    const credential = credentialOf(ctx);
    if (credential) return identify(ctx, credential.consumer, credential, credential.username);
    const headers = challenge('Basic', ctx.config.realm);
    refuse(ctx, { status: 401, body: 'Unauthorized', headers });
  },
});

/** The credential of the first header whose user is known, where its password is right. */
function credentialOf(ctx: Context): BasicAuthCredential | null {
  for (const name of headerNames) {
    const given = readCredentials(ctx, name);
    if (!given) continue;
    const known = ctx.entities.find('basicauth_credentials', 'username', given.username);
    if (!known) continue;
    const hash = passwordHash(given.password, known.consumer.id);
    return sameText(known.password, hash) ? known : null;
  }
  return null;
}

/** What a header says; it is hidden when it is looked at. */
function readCredentials(
  ctx: Context,
  name: string,
): { username: string; password: string } | null {
  const value = ctx.request.header(name);
  if (value === null) return null;
  if (ctx.config.hide_credentials) ctx.service.request.removeHeader(name);
  const encoded = /[Bb]asic\s*(\S+)/.exec(value)?.[1];
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) return null;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
