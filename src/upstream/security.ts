/** Which services nothing here can speak to. */
import type { Route, Service } from '../config/model.js';

/**
 * A line for each service that requests could reach and that nothing here can speak to. gRPC needs
 * HTTP/2; its routes answer HTTP/1.1 by themselves, so that a service behind such routes only is
 * never asked.
 */
export function unspokenProblems(services: readonly Service[], routes: readonly Route[]): string[] {
  const reached = new Set(
    routes.filter(({ protocols }) => protocols.some(isWeb)).map(({ service }) => service?.id),
  );
  return services
    .filter(({ id, protocol }) => !isWeb(protocol) && (reached.has(id) || !isGrpc(protocol)))
    .map(({ name, id, protocol }) => {
      return `service ${name ?? id}: protocol: '${protocol}' upstreams are not supported yet`;
    });
}

const isWeb = (protocol: string): boolean => /^(?:http|ws)s?$/.test(protocol);
const isGrpc = (protocol: string): boolean => protocol === 'grpc' || protocol === 'grpcs';
