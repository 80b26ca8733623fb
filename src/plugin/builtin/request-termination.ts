/**
 * Kong's request-termination: answers instead of the upstream, always or where a trigger is given.
 */
import { hostname } from 'node:os';
import { nodeId } from '../../product.js';
import type { AccessContext } from '../context-types.js';
import { definePlugin } from '../define.js';
import type { Infer } from '../schema.js';
import { readBodyArguments } from './shared/body-arguments.js';

const fields = {
  status_code: {
    type: 'integer',
    required: true,
    default: 503,
    between: [100, 599],
    description: 'Status of the answer.',
  },
  message: { type: 'string', description: 'Text of a JSON body {"message": ...}.' },
  content_type: { type: 'string', description: 'Content type of `body`.' },
  body: { type: 'string', description: 'The whole body, sent as it is.' },
  echo: {
    type: 'boolean',
    required: true,
    default: false,
    description: 'Answer with a copy of the request, for debugging.',
  },
  trigger: {
    type: 'string',
    format: 'header_name',
    description: 'Only requests with a header or query argument of this name are answered.',
  },
} as const;

type Config = Infer<typeof fields>;

export default definePlugin({
  name: 'request-termination',
  version: '3.10.0',
  priority: 2,
  schema: { fields, scopes: ['service', 'route', 'consumer', 'global'], check: faultsOf },
  access(ctx) {
    const { config } = ctx;
    if (config.trigger !== null && !isTriggered(ctx, config.trigger)) return;
    if (config.echo) return echo(ctx);
    if (config.body !== null) {
      const type = config.content_type;
      ctx.response.exit(config.status_code, config.body, type === null ? {} : contentType(type));
    } else {
      const message = config.message ?? defaultMessages[config.status_code];
      ctx.response.exit(config.status_code, message === undefined ? null : { message });
    }
  },
});

const contentType = (type: string) => ({ 'Content-Type': type });

/** Kong has texts of its own for these; every other status has an empty body. */
const defaultMessages: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  404: 'Not found',
  405: 'Method not allowed',
  500: 'An unexpected error occurred',
  502: 'Bad Gateway',
  503: 'Service unavailable',
};

function isTriggered(ctx: AccessContext<Config>, name: string): boolean {
  return ctx.request.header(name) !== null || ctx.request.query(name) !== null;
}

async function echo(ctx: AccessContext<Config>): Promise<void> {
  const { request, route, service, config } = ctx;
  const raw = await request.text();
  ctx.response.exit(config.status_code, {
    message: config.message ?? defaultMessages[config.status_code],
    kong: { node_id: nodeId, worker_pid: process.pid, hostname: hostname() },
    request: {
      scheme: request.scheme,
      host: request.host,
      port: request.port,
      headers: request.headers(),
      query: request.queryArguments(),
      body: raw === '' ? undefined : (await readBodyArguments(ctx)).values,
      raw_body: raw,
      method: request.method,
      path: request.path,
      uri_captures: request.uriCaptures,
    },
    matched_route: route ?? undefined,
    matched_service: service.entity ?? undefined,
  });
}

function faultsOf(config: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = (name: string) => (config[name] ?? null) !== null;
  if (given('message') && (given('content_type') || given('body'))) {
    return { '@entity': 'message cannot be used with content_type or body' };
  }
  if (given('content_type') && !given('body')) {
    return { '@entity': 'content_type requires a body' };
  }
  if (config.echo === true && (given('content_type') || given('body'))) {
    return { '@entity': 'echo cannot be used with content_type and body' };
  }
  return {};
}
