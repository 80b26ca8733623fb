/**
 * Compiles routes and services into a route table and hands it to the core. A table is position
 * independent bytes; the core checks every offset before it takes the table into use.
 */
import type { Protocol as ProtocolName, Route, Service } from '../config/model.js';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import { itemsPerStep, runSteps, type Steps } from '../slices.js';
import type { Core } from './instance.js';
import {
  Control,
  Matcher,
  Protocol,
  Region,
  RouteFlag,
  RouteRecord,
  ServiceRecord,
  TableError,
  TableHeader,
} from './layout.js';
import type { PolicyTableInput } from './policy-input.js';
import type { RouteProblem, RouterFlavor } from './route-checks.js';
import { matcherSteps } from './route-matcher.js';
import { policySteps } from './route-policies.js';
import { binary, TableWriter } from './table-writer.js';

export type { RouteProblem, RouterFlavor } from './route-checks.js';

/** What the shell decides about one route. */
export interface RoutePlan {
  /** Phase bits that have code to run in the shell. */
  readonly phases: number;
  readonly metricSlot: number;
  /** Rings that get the log record, at most limits.ringsPerRoute. */
  readonly ringIds: readonly number[];
  /** Index of the frozen plan in the shell. */
  readonly plan: number;
  /** Index + 1 of the policy that the core runs instead; default 0: none. */
  readonly policy?: number;
}

export interface TableInput {
  /** Default `traditional_compatible`. */
  readonly flavor?: RouterFlavor;
  /** Routes in index order, without those of disabled services. */
  readonly routes: readonly Route[];
  readonly services: readonly Service[];
  readonly perRoute: (route: Route, index: number) => RoutePlan;
  /** Plan of requests that no route matches. */
  readonly unmatched: RoutePlan;
  /** Index of the interned host:port of a service. */
  readonly targetIndex: (service: Service) => number;
  /** Number of the view of the upstream that a service uses instead; default null: none. */
  readonly viewIndex?: (service: Service) => number | null;
  /** Default: none. */
  readonly policies?: PolicyTableInput;
}

export interface EncodedTable {
  readonly bytes: Uint8Array;
}

const MAGIC = 0x48475254;
/** Of a table for each of its routes. */
const usualBytes = 384;

/** A table, or why the routes that are no part of it cannot be. */
export type EncodeResult = EncodedTable | { readonly problems: readonly RouteProblem[] };

/** What `tableSteps` does, at once. */
export function encodeTable(input: TableInput): EncodeResult {
  return runSteps(tableSteps(input));
}

/**
 * Encodes a table, or says for every route that cannot be encoded why not.
 * @throws GatewayError GW_E_CONFIG_LIMIT where the table or a route's list of rings is too large
 */
export function* tableSteps(input: TableInput): Steps<EncodeResult> {
  const { routes, services, flavor = 'traditional_compatible' } = input;
  const writer = new TableWriter((1 << 16) + routes.length * usualBytes);
  writer.allocate(TableHeader.size);
  const routeRecords = writer.allocate((routes.length + 1) * RouteRecord.size);
  const serviceRecords = writer.allocate(services.length * ServiceRecord.size);
  const matcher = writer.allocate(Matcher.size);

  const { problems, needs } = yield* matcherSteps(writer, matcher, routes, flavor);
  if (problems.length > 0) return { problems };

  const serviceIndex = new Map(services.map((service, index) => [service.id, index]));
  for (const [index, service] of services.entries()) {
    if (index % itemsPerStep === 0) yield;
    writeService(writer, serviceRecords + index * ServiceRecord.size, service, input);
  }
  for (const [index, route] of routes.entries()) {
    if (index % itemsPerStep === 0) yield;
    const at = routeRecords + index * RouteRecord.size;
    const service = route.service ? serviceIndex.get(route.service.id) : -1;
    if (service === undefined) {
      throw new GatewayError('GW_E_STATE', `route ${route.id} refers to a service left out`);
    }
    writeRoute(writer, at, route, service, flavor);
    writePlan(writer, at, input.perRoute(route, index));
  }
  const unmatched = routeRecords + routes.length * RouteRecord.size;
  writer.set(unmatched + RouteRecord.service, -1);
  writePlan(writer, unmatched, input.unmatched);

  if (input.policies) yield* policySteps(writer, input.policies);

  writer.set(TableHeader.magic, MAGIC);
  writer.set(TableHeader.routeCount, routes.length);
  writer.set(TableHeader.routes, routeRecords);
  writer.set(TableHeader.serviceCount, services.length);
  writer.set(TableHeader.services, serviceRecords);
  writer.set(TableHeader.matcher, matcher);
  writer.set(TableHeader.needs, needs);
  const size = (writer.size + 3) & ~3;
  writer.set(TableHeader.bytes, size);
  if (size > limits.routeArenaBytes.value) throw tooLarge(size);
  return { bytes: writer.finish() };
}

/**
 * Puts a table into use between two batches and returns its generation.
 * @throws GatewayError GW_E_CONFIG_LIMIT where it does not fit into an arena, GW_E_CONFIG_INVALID
 * where the core refuses it; the table in use stays
 */
export function installTable(core: Core, encoded: EncodedTable): number {
  const { bytes } = encoded;
  if (bytes.length > limits.routeArenaBytes.value) throw tooLarge(bytes.length);
  core.u8.set(bytes, core.exports.route_stage());
  const error = core.exports.route_commit();
  if (error !== 0) {
    const part = Object.entries(TableError).find(([, code]) => code === error)?.[0] ?? error;
    throw new GatewayError('GW_E_CONFIG_INVALID', `the core refused the route table: ${part}`);
  }
  return core.u32[(Region.control.offset + Control.generation) >> 2];
}

/** The error for a table of at least so many bytes. */
function tooLarge(size: number): GatewayError {
  const limit = limits.routeArenaBytes.value;
  const message = `the route table needs ${size} bytes, more than the limit of ${limit}`;
  return new GatewayError('GW_E_CONFIG_LIMIT', message);
}

function writeRoute(
  writer: TableWriter,
  at: number,
  route: Route,
  service: number,
  flavor: RouterFlavor,
): void {
  writer.set(at + RouteRecord.service, service);
  let protocols = 0;
  for (const protocol of route.protocols) protocols |= protocolBit(protocol);
  writer.set(at + RouteRecord.protocols, protocols);
  const flags =
    (route.strip_path ? RouteFlag.STRIP_PATH : 0) |
    (flavor === 'traditional' && route.path_handling === 'v1' ? RouteFlag.PATH_V1 : 0) |
    (route.preserve_host ? RouteFlag.PRESERVE_HOST : 0) |
    (route.request_buffering ? RouteFlag.REQUEST_BUFFERING : 0) |
    (route.response_buffering ? RouteFlag.RESPONSE_BUFFERING : 0);
  writer.set(at + RouteRecord.flags, flags);
  writer.set(at + RouteRecord.redirectStatus, route.https_redirect_status_code);
  const debug = writer.ownUtf8(debugLines(route));
  writer.set(at + RouteRecord.debug, debug);
  writer.set(at + RouteRecord.debugLength, writer.size - debug);
}

function writePlan(writer: TableWriter, at: number, plan: RoutePlan): void {
  if (plan.ringIds.length > limits.ringsPerRoute.value) {
    const message = `${plan.ringIds.length} log queues on one route, more than the limit of `;
    throw new GatewayError('GW_E_CONFIG_LIMIT', message + limits.ringsPerRoute.value);
  }
  writer.set(at + RouteRecord.phases, plan.phases);
  writer.set(at + RouteRecord.metricSlot, plan.metricSlot);
  writer.set(at + RouteRecord.rings, writer.words(plan.ringIds));
  writer.set(at + RouteRecord.ringCount, plan.ringIds.length);
  writer.set(at + RouteRecord.plan, plan.plan);
  writer.set(at + RouteRecord.policy, plan.policy ?? 0);
}

function writeService(writer: TableWriter, at: number, service: Service, input: TableInput): void {
  const path = binary(service.path || '/');
  const host = binary(upstreamHost(service));
  writer.set(at + ServiceRecord.target, input.targetIndex(service));
  writer.set(at + ServiceRecord.connectTimeoutMs, service.connect_timeout);
  writer.set(at + ServiceRecord.writeTimeoutMs, service.write_timeout);
  writer.set(at + ServiceRecord.readTimeoutMs, service.read_timeout);
  writer.set(at + ServiceRecord.retries, service.retries);
  writer.set(at + ServiceRecord.path, writer.text(path));
  writer.set(at + ServiceRecord.pathLength, path.length);
  writer.set(at + ServiceRecord.host, writer.text(host));
  writer.set(at + ServiceRecord.hostLength, host.length);
  writer.set(at + ServiceRecord.protocols, protocolBit(service.protocol));
  const view = input.viewIndex?.(service) ?? null;
  writer.set(at + ServiceRecord.view, view === null ? 0 : view + 1);
}

/** Host header toward a service: the port only where it is not the protocol's own. */
export function upstreamHost(service: Service): string {
  const bare = service.host.includes(':') && !service.host.startsWith('[');
  const host = bare ? `[${service.host}]` : service.host;
  const secure = /^(?:https|grpcs|wss)$/.test(service.protocol);
  return service.port === (secure ? 443 : 80) ? host : `${host}:${service.port}`;
}

const protocolBits: Readonly<Partial<Record<ProtocolName, number>>> = {
  http: Protocol.HTTP,
  https: Protocol.HTTPS,
  grpc: Protocol.GRPC,
  grpcs: Protocol.GRPCS,
  ws: Protocol.HTTP,
  wss: Protocol.HTTPS,
};

function protocolBit(protocol: ProtocolName): number {
  return protocolBits[protocol] ?? 0;
}

/** What `Kong-Debug` adds to an answer; names only where they are set. */
function debugLines(route: Route): string {
  const { service } = route;
  const name = route.name ? `\r\nKong-Route-Name: ${route.name}` : '';
  const lines = `Kong-Route-Id: ${route.id}${name}\r\n`;
  if (!service) return lines;
  const named = service.name ? `\r\nKong-Service-Name: ${service.name}` : '';
  return `${lines}Kong-Service-Id: ${service.id}${named}\r\n`;
}
