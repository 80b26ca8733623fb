/** Which services nothing here can speak to. */
import type { Route, Service } from '../config/model.js';
import { GatewayError } from '../errors.js';

/**
 * Services that requests could reach and that nothing here can speak to. gRPC needs HTTP/2; its
 * routes answer HTTP/1.1 by themselves, so that a service behind such routes only is never asked.
 * @throws GatewayError GW_E_CONFIG_INVALID
 */
export function refuseUnspoken(services: readonly Service[], routes: readonly Route[]): void {
  const reached = new Set(
    routes.filter(({ protocols }) => protocols.some(isWeb)).map(({ service }) => service?.id),
  );
  const lines = services
    .filter(({ id, protocol }) => !isWeb(protocol) && (reached.has(id) || !isGrpc(protocol)))
    .map(({ name, id, protocol }) => {
      return `service ${name ?? id}: protocol: '${protocol}' upstreams are not supported yet`;
    });
  if (lines.length > 0) throw new GatewayError('GW_E_CONFIG_INVALID', lines.join('\n'));
}

const isWeb = (protocol: string): boolean => protocol === 'http' || protocol === 'https';
const isGrpc = (protocol: string): boolean => protocol === 'grpc' || protocol === 'grpcs';
