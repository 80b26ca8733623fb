import { RouteQuery, RouteRecord } from '../layout';

/** Index of the route that matches, or -1. */
export function matchRoute(query: RouteQuery): i32 {
  return -1;
}

/** Writes the upstream target; returns the end. */
export function putUpstreamTarget(d: usize, query: RouteQuery, route: RouteRecord): usize {
  return d;
}
