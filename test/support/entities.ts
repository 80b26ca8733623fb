/** Entities with every field, for what works on them directly: a service, a route. */
import type { Route, Service } from '../../src/config/model.js';

const idStart = '00000000-0000-4000-8000-';
const base = { tags: null, created_at: 1, updated_at: 1 };

/** What the table of routes asks for besides the route: no phases, no rings. */
export const emptyPlan = { phases: 0, metricSlot: 0, ringIds: [], plan: 0 };

/** A service with defaults; `index` makes its id. */
export function makeService(index: number, fields: Partial<Service> = {}): Service {
  return {
    ...base,
    id: `${idStart}5${String(index).padStart(11, '0')}`,
    name: `service-${index}`,
    protocol: 'http',
    host: 'svc.internal',
    port: 80,
    path: null,
    retries: 5,
    connect_timeout: 60000,
    write_timeout: 60000,
    read_timeout: 60000,
    tls_verify: null,
    tls_verify_depth: null,
    ca_certificates: null,
    client_certificate: null,
    enabled: true,
    ...fields,
  };
}

/** A route with defaults; `index` makes its id, so that ids sort like indices. */
export function makeRoute(index: number, fields: Partial<Route> = {}): Route {
  return {
    ...base,
    id: `${idStart}${String(index).padStart(12, '0')}`,
    name: `route-${index}`,
    protocols: ['http', 'https'],
    https_redirect_status_code: 426,
    strip_path: true,
    preserve_host: false,
    request_buffering: true,
    response_buffering: true,
    regex_priority: 0,
    path_handling: 'v0',
    methods: null,
    hosts: null,
    paths: null,
    headers: null,
    snis: null,
    sources: null,
    destinations: null,
    expression: null,
    priority: 0,
    service: null,
    ...fields,
  };
}
