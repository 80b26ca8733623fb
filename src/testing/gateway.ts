/**
 * A gateway for tests of plugins: the real data plane with the plugins under test, a mock upstream
 * and no admin listener. Everything lives on the loopback address and is gone after `close`.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { createGateway } from '../gateway.js';
import type { Gateway } from '../gateway-options.js';
import { createLogger } from '../observe/logger.js';
import type { AnyPlugin } from '../plugin/define.js';
import { PhaseRecorder } from './recorder.js';
import { type MockUpstream, startUpstream } from './upstream.js';

export interface TestGatewayOptions {
  /** The plugins under test; those that come with the gateway are there, too. */
  readonly plugins: readonly AnyPlugin[];
  /** `config` of each plugin by its name; default `{}`. */
  readonly configs?: Readonly<Record<string, object>>;
  /** Consumers of the declarative format, with their credentials. */
  readonly consumers?: readonly object[];
  /**
   * A whole declarative document instead of one service with one route `/` and the plugins on it;
   * the text `{{upstream}}` in it stands for the URL of the mock upstream.
   */
  readonly document?: object;
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** For `${NAME}` and `{vault://env/NAME}`; default empty. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface InjectOptions {
  readonly method?: string;
  /** Path and query; default `/`. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
}

export interface InjectedResponse {
  readonly status: number;
  /** By lower-case name; repeated fields joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  json(): unknown;
  /** Handlers of the plugins under test that ran, in order, as `name.phase`. */
  readonly phases: readonly string[];
}

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly upstream: MockUpstream;
  /** Lines of the gateway's log as objects: `level`, `msg`, `plugin`. */
  readonly logs: readonly Readonly<Record<string, unknown>>[];
  /** Sends a request and waits for the whole answer. */
  inject(request: string | InjectOptions): Promise<InjectedResponse>;
  close(): Promise<void>;
}

/**
 * Starts a gateway for a test.
 * @throws GatewayError where a plugin or the configuration is refused; the message says why
 */
export async function createTestGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const logs: Record<string, unknown>[] = [];
  const recorder = new PhaseRecorder();
  const upstream = await startUpstream();
  const gateway = createGateway({
    config: documentOf(options, upstream.url),
    plugins: options.plugins.map((plugin) => recorder.wrap(plugin)),
    settings: { proxy_listen: '127.0.0.1:0', admin_listen: 'off', ...options.settings },
    env: options.env ?? {},
    logger: createLogger({
      level: 'debug',
      stream: { write: (line: string) => void logs.push(JSON.parse(line)) },
    }),
  });
  const close = async () => {
    await gateway.close();
    await upstream.close();
  };
  try {
    await gateway.start();
  } catch (error) {
    await close();
    throw error;
  }
  const { port } = gateway.addresses[0];
  return {
    gateway,
    upstream,
    logs,
    close,
    [Symbol.asyncDispose]: close,
    inject: (request) =>
      inject(port, typeof request === 'string' ? { path: request } : request, recorder),
  };
}

function documentOf(options: TestGatewayOptions, url: string): object {
  const { plugins, configs = {}, consumers = [], document } = options;
  if (document) {
    return JSON.parse(JSON.stringify(document).replaceAll('{{upstream}}', url)) as object;
  }
  const used = plugins.map(({ name }) => ({ name, config: configs[name] ?? {} }));
  const routes = [{ name: 'test', paths: ['/'], plugins: used }];
  return { _format_version: '3.0', consumers, services: [{ name: 'test', url, routes }] };
}

async function inject(
  port: number,
  { method = 'GET', path = '/', headers = {}, body }: InjectOptions,
  recorder: PhaseRecorder,
): Promise<InjectedResponse> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const given = Object.entries(headers).map(([name, value]) => [name, value as string]);
    const fields = Object.fromEntries(given);
    const sent = httpRequest(
      { host: '127.0.0.1', port, method, path, headers: fields, agent: false },
      resolve,
    );
    sent.once('error', reject);
    sent.end(body);
  });
  const parts: Buffer[] = [];
  for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
  const text = Buffer.concat(parts).toString();
  const fields: Record<string, string> = {};
  for (const [name, values] of Object.entries(answer.headersDistinct)) {
    fields[name] = (values ?? []).join(', ');
  }
  return {
    status: answer.statusCode ?? 0,
    headers: fields,
    body: text,
    json: () => JSON.parse(text) as unknown,
    phases: recorder.phasesOf(fields['x-kong-request-id'] ?? ''),
  };
}
