/**
 * The Admin API over `node:http`, on its own listeners: Kong's paths, answers and errors for a node
 * without a database (kong-config reference, sections 8 to 11).
 */
import { createHash } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { ListenSpec } from '../driver/contract.js';
import { GatewayError } from '../errors.js';
import { runInSlices } from '../slices.js';
import type { ServerContexts } from '../tls/server-contexts.js';
import { configSteps, readBody } from './body.js';
import { type AdminAnswer, readEntities } from './entities.js';
import { readFilters } from './filters.js';
import { entitiesText, JsonText } from './json-text.js';
import { answerProxyCache } from './proxy-cache.js';
import { isValidation, readSchema, validateEntity } from './schemas.js';
import type { AdminSource } from './source.js';
import { readTargets } from './targets.js';
import { answerHealth } from './upstream-health.js';

export interface AdminOptions {
  readonly source: AdminSource;
  /** Certificates of listeners with `ssl`. */
  readonly contexts: ServerContexts;
  /** Largest body of `POST /config`, in bytes. */
  readonly bodyBytesMax: number;
  /** Told of what was answered 500. */
  readonly onError: (error: unknown) => void;
}

export interface AdminServer {
  readonly address: string;
  readonly port: number;
  readonly ssl: boolean;
  close(): Promise<void>;
}

/**
 * Opens one address of `admin_listen`.
 * @throws GatewayError GW_E_LISTEN
 */
export async function openAdmin(spec: ListenSpec, options: AdminOptions): Promise<AdminServer> {
  if (spec.http2 || spec.proxyProtocol) {
    const flag = spec.http2 ? 'http2' : 'proxy_protocol';
    throw new GatewayError('GW_E_LISTEN', `admin_listen: ${flag} is not supported yet`);
  }
  const answer: RequestListener = (request, response) => void handle(request, response, options);
  const server = spec.ssl
    ? createSecureServer(options.contexts.serverOptions(), answer)
    : createServer(answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new GatewayError('GW_E_LISTEN', `admin_listen: ${cause.message}`, { cause }));
    });
    if (spec.unix) server.listen(spec.host, resolve);
    else server.listen({ host: spec.host, port: spec.port, backlog: spec.backlog }, resolve);
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  const bound = server.address() as AddressInfo | string;
  return {
    ssl: spec.ssl,
    address: typeof bound === 'string' ? bound : bound.address,
    port: typeof bound === 'string' ? 0 : bound.port,
    close: () => closeServer(server),
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  options: AdminOptions,
): Promise<void> {
  const startedMs = performance.now();
  let answer: AdminAnswer;
  response.on('error', () => response.destroy());
  try {
    answer = await route(request, options);
  } catch (error) {
    answer = failure(error);
    if (answer.status >= 500) options.onError(error);
  }
  send(request, response, answer, options.source.version, performance.now() - startedMs);
}

/** What a refused or failed request is answered with. */
function failure(error: unknown): AdminAnswer {
  if (!(error instanceof GatewayError) || error.status === null || error.status >= 500) {
    return { status: 500, body: { message: 'An unexpected error occurred' } };
  }
  const { message } = error;
  if (error.code === 'GW_E_ADMIN_BODY') {
    return { status: 413, body: { message }, headers: { connection: 'close' } };
  }
  // What the core cannot carry out (such as a limit) is known only when the plan is compiled.
  const text = `declarative config is invalid: ${message}`;
  const name = 'invalid declarative configuration';
  return { status: 400, body: { code: 14, name, message: text, fields: {} } };
}

function jsonOf(body: unknown): string {
  return body instanceof JsonText ? body.text : JSON.stringify(body);
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: AdminAnswer,
  version: string,
  latencyMs: number,
): void {
  const isText = typeof answer.body === 'string';
  const text = isText ? (answer.body as string) : jsonOf(answer.body);
  const headers: Record<string, string | number> = {
    'access-control-allow-origin': request.headers.origin ?? '*',
    'access-control-allow-credentials': 'true',
    'x-kong-admin-latency': Math.round(latencyMs),
    server: `headgate/${version}`,
    ...answer.headers,
  };
  if (answer.body !== undefined) {
    headers['content-type'] ??= isText
      ? 'text/plain; charset=utf-8'
      : 'application/json; charset=utf-8';
    headers['content-length'] = Buffer.byteLength(text);
  } else if (answer.status !== 204 && answer.status !== 304) headers['content-length'] = 0;
  response.writeHead(answer.status, headers);
  response.end(request.method === 'HEAD' || answer.body === undefined ? undefined : text);
}

type Handler = (
  options: AdminOptions,
  query: URLSearchParams,
  request: IncomingMessage,
) => AdminAnswer | Promise<AdminAnswer>;

/** Fixed endpoints by path, then by method. HEAD is GET, OPTIONS lists the methods. */
const endpoints: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  '/': { GET: (options) => ({ status: 200, body: nodeInfo(options.source) }) },
  '/status': {
    GET: async ({ source }) => ({
      status: 200,
      body: { ...(await source.status()), configuration_hash: source.snapshot().hash },
    }),
  },
  '/status/ready': { GET: ({ source }) => readiness(source), POST: failReadiness },
  '/config': {
    GET: ({ source }) => ({ status: 200, body: { config: source.configText() } }),
    POST: postConfig,
  },
  '/metrics': {
    GET: async ({ source }) => ({
      status: 200,
      body: await source.metrics(),
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    }),
  },
  '/endpoints': { GET: () => ({ status: 200, body: { data: endpointList() } }) },
  '/plugins/enabled': {
    GET: ({ source }) => ({
      status: 200,
      body: { enabled_plugins: source.plugins().map((plugin) => plugin.name) },
    }),
  },
};

async function route(request: IncomingMessage, options: AdminOptions): Promise<AdminAnswer> {
  const url = urlOf(request.url ?? '/');
  if (!url) return { status: 400, body: { message: 'Bad request' } };
  const path = url.pathname.length > 1 ? url.pathname.replace(/\/$/, '') : '/';
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
  const fixed = endpoints[path];
  if (fixed) {
    if (method === 'OPTIONS') return allowed(Object.keys(fixed), request);
    const handler = fixed[method];
    return handler ? handler(options, url.searchParams, request) : notAllowed;
  }
  const parts = path.slice(1).split('/').map(decodePart);
  const cached =
    answerProxyCache(method, parts, options.source.snapshot()) ??
    (await answerHealth(method, parts, url.searchParams, options.source));
  if (cached && 'length' in cached) {
    return method === 'OPTIONS' ? allowed([...cached], request) : notAllowed;
  }
  if (cached) return cached;
  const schemas = options.source.schemas();
  if (isValidation(parts)) {
    if (method === 'OPTIONS') return allowed(['POST'], request);
    if (method !== 'POST') return notAllowed;
    return validateEntity(parts, request, options.bodyBytesMax, schemas);
  }
  const answer = readSchema(parts, schemas) ?? entityAnswer(parts, url, options);
  if (answer === null) return { status: 404, body: { message: 'Not found' } };
  if (method === 'OPTIONS') return allowed(['GET'], request);
  return method === 'GET' ? answer : refuseWrite(method, parts, answer);
}

/** Two slashes at the front are no authority here; null for an absolute form that is no URL. */
function urlOf(target: string): URL | null {
  const path = target.replace(/^\/+/, '/');
  return URL.canParse(path, 'http://admin') ? new URL(path, 'http://admin') : null;
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function entityAnswer(
  parts: readonly string[],
  url: URL,
  options: AdminOptions,
): AdminAnswer | null {
  const { source } = options;
  const snapshot = source.snapshot();
  const hasFilters = source.schemas().filters.size > 0;
  return (
    readFilters(parts, snapshot, hasFilters) ??
    readTargets(parts, url.searchParams, snapshot) ??
    readEntities(parts, url.searchParams, snapshot)
  );
}

const notAllowed: AdminAnswer = { status: 405, body: { message: 'Method not allowed' } };

/** Without a database entities are written through `POST /config` only; `found` is GET's answer. */
function refuseWrite(method: string, parts: readonly string[], found: AdminAnswer): AdminAnswer {
  const verb = { POST: 'create', PUT: 'create or update', PATCH: 'update', DELETE: 'remove' }[
    method
  ];
  const isList = parts.length % 2 === 1;
  if (verb === undefined || isList !== (method === 'POST')) return notAllowed;
  if (found.status === 404 && method === 'DELETE') return { status: 204 };
  if (found.status === 404 && method === 'PATCH') return found;
  const collection = parts.at(isList ? -1 : -2);
  const message = `cannot ${verb} '${collection}' entities when not using a database`;
  return { status: 405, body: { code: 12, name: 'operation unsupported', message } };
}

function allowed(methods: readonly string[], request: IncomingMessage): AdminAnswer {
  const list = [...new Set([...methods, 'HEAD', 'OPTIONS'])].sort().join(', ');
  const asked = request.headers['access-control-request-headers'];
  return {
    status: 204,
    headers: {
      allow: list,
      'access-control-allow-methods': list,
      'access-control-allow-headers': asked ?? 'Content-Type',
    },
  };
}

function readiness(source: AdminSource): AdminAnswer {
  const reason = source.notReady();
  return { status: reason === null ? 200 : 503, body: { message: reason ?? 'ready' } };
}

function nodeInfo(source: AdminSource): Record<string, unknown> {
  const plugins = source.plugins();
  const used = new Set(source.snapshot().plugins.map((plugin) => plugin.name));
  return {
    tagline: 'Welcome to headgate',
    version: source.version,
    edition: 'community',
    hostname: hostname(),
    node_id: source.nodeId,
    plugins: {
      available_on_server: Object.fromEntries(
        plugins.map(({ name, version, priority }) => [name, { version, priority }]),
      ),
      enabled_in_cluster: [...used].sort(),
    },
    configuration: source.settings(),
    pids: { master: process.pid, workers: [process.pid] },
  };
}

function endpointList(): string[] {
  const entities = ['/services', '/routes', '/consumers', '/plugins', '/upstreams'];
  return [...Object.keys(endpoints), ...entities, ...entities.map((path) => `${path}/{id}`)].sort();
}

async function postConfig(
  { source, bodyBytesMax }: AdminOptions,
  query: URLSearchParams,
  request: IncomingMessage,
): Promise<AdminAnswer> {
  const body = await readBody(request, bodyBytesMax);
  const config = await runInSlices(configSteps(body, request.headers['content-type'] ?? ''));
  if ('status' in config) {
    if (config.status === 415) return { status: 415 };
    return { status: 400, body: { message: config.message } };
  }
  const option = (name: string) => isOn(config.options[name] ?? query.get(name));
  if (option('check_hash') && md5(config.text) === source.snapshot().hash) return { status: 304 };
  const outcome = await source.apply(config.text, config.format);
  if (!outcome.ok) return { status: 400, body: outcome.error(option('flatten_errors')) };
  return { status: 201, body: await runInSlices(entitiesText(outcome.snapshot.entities)) };
}

/** The hash that snapshots carry: of the text as it was sent. */
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** `status=draining`: load balancers that ask shall send no more. */
async function failReadiness(
  { source, bodyBytesMax }: AdminOptions,
  query: URLSearchParams,
  request: IncomingMessage,
): Promise<AdminAnswer> {
  const body = (await readBody(request, bodyBytesMax)).toString('utf8');
  // A form, or JSON with the one member: `{"status": "draining"}`.
  const status = new URLSearchParams(body).get('status') ?? query.get('status');
  if (status !== 'draining' && !/^\s*\{\s*"status"\s*:\s*"draining"\s*\}\s*$/.test(body)) {
    return { status: 400, body: { message: 'expected status=draining' } };
  }
  source.failReadiness();
  return { status: 204 };
}

function isOn(value: string | null): boolean {
  return value !== null && ['1', 'true', 'on', 'yes'].includes(value);
}
