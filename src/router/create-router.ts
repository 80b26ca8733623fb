/**
 * The router by itself: `import { createRouter } from 'headgate/router'`. It compiles routes of
 * Kong's configuration language and says which of them a request matches, by the same core and the
 * same rules as the gateway. No sockets, no plugins, no settings.
 */
import { loadConfig } from '../config/load.js';
import type { Route, Service } from '../config/model.js';
import { problemsError } from '../config/problems.js';
import { type Core, createCore } from '../core/instance.js';
import { type Captures, routeCaptures } from '../core/route-captures.js';
import { type LookupRequest, lookUpRoute, upstreamTarget } from '../core/route-lookup.js';
import { encodeTable, installTable, type RouterFlavor, upstreamHost } from '../core/router.js';
import { binary } from '../core/table-writer.js';
import { GatewayError } from '../errors.js';

export interface RouterOptions {
  /** A declarative configuration: an object, or YAML or JSON text. Plugins are refused. */
  readonly config: string | object;
  /** Default `traditional_compatible`. */
  readonly flavor?: RouterFlavor;
}

export interface RouterRequest {
  /** Default GET. */
  readonly method?: string;
  /** The Host header as sent, port included; null (the default): none. */
  readonly host?: string | null;
  /** The request target as sent: path, and query if there is one. */
  readonly path: string;
  /** Values by name, several for several lines. Host is not looked for here. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Of the connection. Default http. */
  readonly scheme?: 'http' | 'https';
  /** Server name of the TLS handshake; null (the default): none. */
  readonly sni?: string | null;
  /** The client. Default 127.0.0.1, port 50000. */
  readonly source?: { readonly ip?: string; readonly port?: number };
  /** The end that accepted. Default 127.0.0.1, port 80, or 443 for https. */
  readonly destination?: { readonly ip?: string; readonly port?: number };
}

export interface RouteMatch {
  readonly route: Route;
  readonly service: Service | null;
  /** What the groups of patterns matched, by number (as text) and by name; null: none did. */
  readonly captures: Captures | null;
  /** The part of the normalised path that the route matched; empty where it looks at no path. */
  readonly matchedPath: string;
  /** Request target toward the upstream, query included; null without a service. */
  readonly upstreamPath: string | null;
  /** Host header toward the upstream; null without a service. */
  readonly upstreamHost: string | null;
}

export interface Router {
  readonly routes: readonly Route[];
  /** Null where no route matches, or the request is one that a gateway refuses unseen. */
  match(request: RouterRequest): RouteMatch | null;
  /**
   * Replaces the routes.
   * @throws GatewayError as createRouter; the routes in use stay
   */
  replace(config: string | object): void;
}

/**
 * Compiles the routes of a configuration. A router reserves 512 MiB of address space, of which it
 * uses what its routes need: make one and keep it.
 * @throws GatewayError GW_E_CONFIG_PARSE or GW_E_CONFIG_INVALID with every problem,
 * GW_E_CONFIG_LIMIT
 */
export function createRouter(options: RouterOptions): Router {
  return new CoreRouter(options);
}

class CoreRouter implements Router {
  readonly #core: Core = createCore();
  readonly #flavor: RouterFlavor;
  #routes: readonly Route[] = [];

  constructor({ config, flavor = 'traditional_compatible' }: RouterOptions) {
    this.#flavor = flavor;
    this.replace(config);
  }

  get routes(): readonly Route[] {
    return this.#routes;
  }

  replace(config: string | object): void {
    const text = typeof config === 'string' ? config : JSON.stringify(config);
    const result = loadConfig({ text, pluginSchemas: new Map(), routerFlavor: this.#flavor });
    if (!result.ok) throw problemsError(result.problems);
    const { snapshot } = result;
    const routes = snapshot.routes.filter(({ service }) => service?.enabled !== false);
    const plan = { phases: 0, metricSlot: 0, ringIds: [], plan: 0 };
    const encoded = encodeTable({
      flavor: this.#flavor,
      routes,
      services: snapshot.services,
      perRoute: () => plan,
      unmatched: plan,
      targetIndex: () => 0,
    });
    if ('problems' in encoded) {
      const lines = encoded.problems.map(({ route, field, message }) => {
        return `route ${routes[route].name ?? routes[route].id}: ${field}: ${message}`;
      });
      throw new GatewayError('GW_E_CONFIG_INVALID', lines.join('\n'));
    }
    installTable(this.#core, encoded);
    this.#routes = routes;
  }

  match(request: RouterRequest): RouteMatch | null {
    const asked = lookupRequest(request);
    const found = lookUpRoute(this.#core, asked);
    if (!found || found.route < 0) return null;
    const route = this.#routes[found.route];
    const { service } = route;
    const kept = route.preserve_host && request.host ? request.host : null;
    const upstreamPath = service ? upstreamTarget(this.#core, found) : null;
    const matched = Buffer.from(found.path.slice(0, found.prefixLength), 'latin1');
    return {
      route,
      service,
      captures: routeCaptures(this.#core, this.#flavor, route, {
        path: found.path,
        headers: (name) => linesOf(asked, name),
      }),
      matchedPath: matched.toString('utf8'),
      upstreamPath,
      upstreamHost: service ? (kept ?? upstreamHost(service)) : null,
    };
  }
}

function lookupRequest(request: RouterRequest): LookupRequest {
  const { method = 'GET', host = null, path, headers = {}, source, destination } = request;
  const secure = request.scheme === 'https';
  return {
    method: binary(method),
    host: host === null ? null : binary(host),
    target: binary(path),
    headers: Object.entries(headers).flatMap(([name, value]) =>
      [value].flat().map((line) => [binary(name), binary(line as string)] as const),
    ),
    secure,
    localPort: destination?.port ?? (secure ? 443 : 80),
    local: destination?.ip ?? '127.0.0.1',
    peer: source?.ip ?? '127.0.0.1',
    peerPort: source?.port ?? 50000,
    sni: request.sni ?? null,
  };
}

function linesOf({ headers }: LookupRequest, name: string): string[] {
  const fold = (text: string) => text.toLowerCase().replaceAll('-', '_');
  return headers.filter(([key]) => fold(key) === fold(name)).map(([, value]) => value);
}
