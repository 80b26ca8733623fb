/** Kong's basic-auth: username and password (RFC 7617). */
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
    const given = readCredentials(ctx);
    const credential =
      given && ctx.entities.find('basicauth_credentials', 'username', given.username);
    const hash = credential && passwordHash(given.password, credential.consumer.id);
    if (credential && hash && sameText(credential.password, hash)) {
      return identify(ctx, credential.consumer, credential, credential.username);
    }
    const headers = challenge('Basic', ctx.config.realm);
    refuse(ctx, { status: 401, body: 'Unauthorized', headers });
  },
});

/** The first header of the two that holds a username and a password. */
function readCredentials(ctx: Context): { username: string; password: string } | null {
  for (const name of headerNames) {
    const value = ctx.request.header(name);
    if (value === null) continue;
    if (ctx.config.hide_credentials) ctx.service.request.removeHeader(name);
    const encoded = /^\s*[Bb]asic\s+(\S+)/.exec(value)?.[1];
    const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon < 0) continue;
    const [username, password] = [text.slice(0, colon), text.slice(colon + 1)];
    if (username !== '' && password !== '') return { username, password };
  }
  return null;
}
