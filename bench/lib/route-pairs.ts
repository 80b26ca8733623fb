/** What the benchmarks of the router look up: routes by host and prefix, and requests for them. */
import type { Core } from '../../src/core/instance.js';
import { Protocol, Region, RouteQuery } from '../../src/core/layout.js';

/** Look-ups cycle through this many different requests. */
export const REQUESTS = 512;

export interface Wanted {
  readonly host: string;
  readonly prefix: string;
}

/** `count` pairs of host and prefix, as many hosts as prefixes. */
export function pairs(count: number): Wanted[] {
  const side = Math.ceil(Math.sqrt(count));
  return Array.from({ length: count }, (_, index) => ({
    host: `tenant-${Math.floor(index / side)}.example.com`,
    prefix: `/api/v1/resource-${index % side}`,
  }));
}

/** As many requests as there are look-ups, in no order. */
export function requestsFor(all: readonly Wanted[]): Wanted[] {
  // a stride that shares no factor with the counts visits hosts and prefixes in no order
  return Array.from({ length: REQUESTS }, (_, index) => all[(index * 7919) % all.length]);
}

/** Writes a text for the core; its pointer. */
export type Put = (text: string) => number;

/**
 * Writes one RouteQuery per request; returns their pointers.
 * @param headers writes the headers that all of them have: pointer of the first entry, and how many
 */
export function writeQueries(
  core: Core,
  requests: readonly Wanted[],
  headers: (put: Put) => readonly [entry: number, count: number] = () => [0, 0],
): number[] {
  let end = Region.read.offset;
  const put: Put = (text) => {
    const at = end;
    end += core.buffer.write(text, at, 'latin1');
    return at;
  };
  const [entry, headerCount] = headers(put);
  return requests.map(({ host, prefix }, index) => {
    const query = Region.out.offset + index * RouteQuery.size;
    const path = `${prefix}/items/42`;
    const fields: [number, number][] = [
      [RouteQuery.method, put('GET')],
      [RouteQuery.methodLength, 3],
      [RouteQuery.host, put(host)],
      [RouteQuery.hostLength, host.length],
      [RouteQuery.path, put(path)],
      [RouteQuery.pathLength, path.length],
      [RouteQuery.headers, entry],
      [RouteQuery.headerCount, headerCount],
      [RouteQuery.protocol, Protocol.HTTP],
      [RouteQuery.localPort, 80],
    ];
    for (const [field, value] of fields) core.u32[(query + field) >> 2] = value;
    return query;
  });
}
