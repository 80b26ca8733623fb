/**
 * A gateway for tests of plugins: the real data plane with the plugins under test, a mock upstream
 * and no admin listener. Everything happens in memory, without a socket, unless a test asks for the
 * loopback address.
 */
import type { RequestOptions } from 'node:http';
import { createGatewayOn } from '../gateway.js';
import type { Gateway, GatewayOptions } from '../gateway-options.js';
import { createLogger } from '../observe/logger.js';
import type { AnyPlugin } from '../plugin/define.js';
import { type InjectedResponse, type InjectOptions, inject } from './inject.js';
import { MemoryNetwork } from './memory-network.js';
import { PhaseRecorder } from './recorder.js';
import {
  echo,
  type MockUpstream,
  startUpstream,
  type UpstreamAnswer,
  UpstreamServer,
} from './upstream.js';

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
  /** Answers of the mock upstream; default: 200 with the request as JSON. */
  readonly upstream?: UpstreamAnswer;
  /**
   * The gateway and its upstream listen on free ports of the loopback address. Default false: only
   * the mock upstream can be reached, every other address refuses connections.
   */
  readonly sockets?: boolean;
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** For `${NAME}` and `{vault://env/NAME}`; default empty. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly upstream: MockUpstream;
  /** `http://127.0.0.1:port` with `sockets`, else null. */
  readonly url: string | null;
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
  const network = options.sockets ? null : new MemoryNetwork();
  const upstream = await (network
    ? memoryUpstream(network, options)
    : startUpstream(options.upstream));
  const gateway = createGatewayOn(network?.makeDriver ?? null, {
    ...gatewayOptions(options, upstream.url, recorder),
    logger: createLogger({
      level: 'debug',
      stream: { write: (line: string) => void logs.push(JSON.parse(line)) },
    }),
  });
  const close = async () => {
    await gateway.close();
    await upstream.close();
    network?.close();
  };
  try {
    await gateway.start();
  } catch (error) {
    await close();
    throw error;
  }
  const port = gateway.addresses[0]?.port;
  const over = ({ address = '127.0.0.1', tls = false }: InjectOptions): RequestOptions =>
    network
      ? { host: '127.0.0.1', createConnection: () => network.connect(address, tls) as never }
      : { host: '127.0.0.1', port, agent: false };
  return {
    gateway,
    upstream,
    url: network ? null : `http://127.0.0.1:${port}`,
    logs,
    close,
    [Symbol.asyncDispose]: close,
    inject: (request) => {
      const given = typeof request === 'string' ? { path: request } : request;
      return inject(over(given), given, recorder);
    },
  };
}

function gatewayOptions(
  options: TestGatewayOptions,
  url: string,
  recorder: PhaseRecorder,
): GatewayOptions {
  const proxy = options.sockets ? '127.0.0.1:0' : 'off';
  return {
    config: documentOf(options, url),
    plugins: options.plugins.map((plugin) => recorder.wrap(plugin)),
    settings: { proxy_listen: proxy, admin_listen: 'off', ...options.settings },
    env: options.env ?? {},
  };
}

/** No name that resolves: only the network in memory knows it. */
const host = 'upstream.invalid';

function memoryUpstream(network: MemoryNetwork, options: TestGatewayOptions): MockUpstream {
  const { server, requests, respond } = new UpstreamServer(options.upstream ?? echo);
  network.serve(host, 80, server);
  return { url: `http://${host}`, requests, respond, close: async () => {} };
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
