/**
 * The compatibility vectors that need no socket, straight through the encoder and the core. What a
 * gateway answers by itself (redirects, X-Forwarded-*, 503) is judged over sockets elsewhere.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Protocol, Route, Service } from '../../../src/config/model.js';
import { createCore } from '../../../src/core/instance.js';
import { type RouterFlavor, upstreamHost } from '../../../src/core/router.js';
import { makeRoute, makeService } from '../../support/entities.js';
import type { RouterRequest } from './harness.js';
import { install, lookUp, makeRequest } from './harness.js';

interface Vector {
  readonly name: string;
  readonly class: string;
  readonly flavor: RouterFlavor;
  readonly services: readonly (Partial<Service> & { name: string })[];
  readonly routes: readonly (Omit<Partial<Route>, 'service'> & { service?: string | null })[];
  readonly request: {
    readonly method?: string;
    readonly host?: string | null;
    readonly path: string;
    readonly scheme?: string;
    readonly sni?: string | null;
    readonly headers?: Readonly<Record<string, string | readonly string[]>>;
    readonly source?: { readonly ip?: string; readonly port?: number };
    readonly destination?: { readonly ip?: string; readonly port?: number };
  };
  readonly expect: {
    readonly route: string | null;
    readonly upstream_path?: string;
    readonly upstream_host?: string;
  };
}

const file = new URL('../../compat/router.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };
const core = createCore();

function routesOf(vector: Vector): Route[] {
  const services = vector.services.map((fields, index) => makeService(index, fields));
  return vector.routes.flatMap((fields, index) => {
    const { service: name, ...rest } = fields;
    const service = services.find((one) => one.name === name) ?? null;
    if (service?.enabled === false) return [];
    const grpc = (rest.protocols ?? []).some((protocol: Protocol) => protocol.startsWith('grpc'));
    return makeRoute(index, { strip_path: !grpc, ...rest, service });
  });
}

function requestOf({ request }: Vector): RouterRequest {
  const secure = request.scheme === 'https';
  const headers = Object.entries(request.headers ?? {}).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, one]),
  );
  return makeRequest({
    method: request.method ?? 'GET',
    host: request.host ?? null,
    target: Buffer.from(request.path, 'utf8').toString('latin1'),
    headers,
    secure,
    peer: request.source?.ip ?? '127.0.0.1',
    peerPort: request.source?.port ?? 50000,
    local: request.destination?.ip ?? '127.0.0.1',
    localPort: request.destination?.port ?? (secure ? 443 : 80),
    sni: request.sni ?? null,
  });
}

describe('compatibility vectors', () => {
  test.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const routes = routesOf(vector);
    install(core, routes, vector.flavor);
    const found = lookUp(core, routes, requestOf(vector));
    const { route, upstream_path: target, upstream_host: host } = vector.expect;
    expect(found.route < 0 ? null : routes[found.route].name).toBe(route);
    if (target !== undefined) expect(found.target).toBe(target);
    const { service, preserve_host: preserved } = routes[found.route] ?? {};
    if (host !== undefined && service && !(preserved && vector.request.host)) {
      expect(upstreamHost(service)).toBe(host);
    }
  });
});
