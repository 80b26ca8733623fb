/** Kong's correlation-id: an id for each request that has none, for the upstream and the client. */
import { randomUUID } from 'node:crypto';
import type { AccessContext, HeaderFilterContext } from '../context-types.js';
import { definePlugin } from '../define.js';
import type { Infer } from '../schema.js';

const fields = {
  header_name: {
    type: 'string',
    format: 'header_name',
    default: 'Kong-Request-ID',
    description: 'Where the id stands.',
  },
  generator: {
    type: 'string',
    required: true,
    default: 'uuid#counter',
    one_of: ['uuid', 'uuid#counter', 'tracker'],
  },
  echo_downstream: {
    type: 'boolean',
    required: true,
    default: false,
    description: 'Show the id to the client.',
  },
} as const;

type Config = Infer<typeof fields>;
type Context = AccessContext<Config> | HeaderFilterContext<Config>;

/** What `uuid#counter` counts behind: one id per worker. */
const workerId = randomUUID();
let counter = 0;
let tracked = 0;

export default definePlugin({
  name: 'correlation-id',
  version: '3.10.0',
  priority: 100_001,
  schema: { fields, scopes: ['consumer', 'service', 'route', 'global'] },
  access(ctx) {
    const name = ctx.config.header_name ?? 'Kong-Request-ID';
    const given = ctx.request.header(name);
    const id = given || generate(ctx);
    if (!given) ctx.service.request.setHeader(name, id);
    if (ctx.config.echo_downstream) ctx.plugin.id = id;
    ctx.shared.correlation_id = id;
  },
  headerFilter(ctx) {
    if (!ctx.config.echo_downstream) return;
    const name = ctx.config.header_name ?? 'Kong-Request-ID';
    const id = (ctx.plugin.id as string | undefined) ?? (ctx.request.header(name) || generate(ctx));
    ctx.response.setHeader(name, id);
  },
});

function generate(ctx: Context): string {
  switch (ctx.config.generator) {
    case 'uuid':
      return randomUUID();
    case 'uuid#counter':
      return `${workerId}#${++counter}`;
    default:
      return trackerOf(ctx);
  }
}

/** `<server ip>-<port>-<pid>-<connection>-<request>-<epoch with ms>` */
function trackerOf({ request, client }: Context): string {
  tracked++;
  const epoch = (Date.now() / 1000).toFixed(3);
  return `${client.peerIp}-${request.port}-${process.pid}-${client.port}-${tracked}-${epoch}`;
}
