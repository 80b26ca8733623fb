/** Kong's request-size-limiting: refuses large request bodies. */
import { GatewayError } from '../../errors.js';
import type { AccessContext } from '../context-types.js';
import { definePlugin } from '../define.js';
import type { Infer } from '../schema.js';

const unitBytes = { megabytes: 2 ** 20, kilobytes: 2 ** 10, bytes: 1 } as const;

const fields = {
  allowed_payload_size: { type: 'integer', default: 128, description: 'In `size_unit`.' },
  size_unit: {
    type: 'string',
    required: true,
    default: 'megabytes',
    one_of: ['megabytes', 'kilobytes', 'bytes'],
  },
  require_content_length: {
    type: 'boolean',
    required: true,
    default: false,
    description: 'Refuse bodies of unknown length.',
  },
} as const;

type Context = AccessContext<Infer<typeof fields>>;

export default definePlugin({
  name: 'request-size-limiting',
  version: '3.10.0',
  priority: 951,
  schema: { fields, scopes: ['consumer', 'service', 'route', 'global'] },
  access(ctx) {
    const { config, request, response } = ctx;
    const given = request.header('content-length');
    const length = given !== null && /^\d+$/.test(given) ? Number(given) : null;
    if (length !== null) {
      check(ctx, length);
      return;
    }
    const isChunked = request.header('transfer-encoding') !== null;
    if (config.require_content_length && !isChunked) {
      return response.error(411, 'A valid Content-Length header is required');
    }
    if (isChunked) return readAndCheck(ctx);
  },
});

/**
 * A body of unknown length is read as far as plugins may. One that is larger than that is refused
 * where the limit is lower, and counted on its way where it is not.
 */
async function readAndCheck(ctx: Context): Promise<void> {
  try {
    check(ctx, (await ctx.request.body()).length);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'GW_E_BODY_TOO_LARGE') throw error;
    const { limit } = error.details as { limit: number };
    if (check(ctx, limit + 1)) return;
    ctx.service.request.limitBody(mostOf(ctx.config), statusFor(ctx), exceeded);
  }
}

const mostOf = (config: Context['config']): number =>
  (config.allowed_payload_size ?? 128) * unitBytes[config.size_unit];

const exceeded = 'Request size limit exceeded';

const statusFor = ({ request }: Context): number =>
  request.header('expect')?.toLowerCase() === '100-continue' ? 417 : 413;

/** True: the body is too large, and that was answered. */
function check(ctx: Context, bytes: number): boolean {
  if (bytes <= mostOf(ctx.config)) return false;
  ctx.response.error(statusFor(ctx), exceeded);
  return true;
}
