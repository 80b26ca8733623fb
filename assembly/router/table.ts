/**
 * The route tables: the one in use and the arena where the shell writes the next. A table is one
 * block of bytes with offsets from its base; src/codegen/matcher.ts draws the part that matches.
 */
import {
  CONTROL,
  Control,
  Matcher,
  ROUTES_A,
  ROUTES_B,
  ROUTE_RECORD_SIZE,
  RouteRecord,
  SERVICE_RECORD_SIZE,
  ServiceRecord,
  TABLE_ERROR_NONE,
  TableHeader,
} from '../layout';
import { tableError } from './validate';

/** Pointer to where the shell writes the next table; routeArenaBytes fit. */
export function stage(): usize {
  return changetype<Control>(CONTROL).routeBase == <u32>ROUTES_A ? ROUTES_B : ROUTES_A;
}

/**
 * Checks the staged table and puts it in use: 0, or the tableError code that kept the old one.
 * Every offset is checked here once, so that no look-up has to.
 */
export function commit(): i32 {
  const base = stage();
  const error = tableError(base);
  if (error != TABLE_ERROR_NONE) return <i32>error;
  const control = changetype<Control>(CONTROL);
  control.routeBase = <u32>base;
  control.generation++;
  return 0;
}

/** Record of a route of the table in use. */
// @ts-ignore: decorator
@inline
export function routeAt(index: u32): RouteRecord {
  const base = tableBase();
  const routes = changetype<TableHeader>(base).routes;
  return changetype<RouteRecord>(base + routes + <usize>index * ROUTE_RECORD_SIZE);
}

/** Record of a service of the table in use. */
// @ts-ignore: decorator
@inline
export function serviceAt(index: u32): ServiceRecord {
  const base = tableBase();
  const services = changetype<TableHeader>(base).services;
  return changetype<ServiceRecord>(base + services + <usize>index * SERVICE_RECORD_SIZE);
}

/** What happens to a request that no route matches: the record at routeCount. */
export function unmatchedRoute(): RouteRecord {
  return routeAt(changetype<TableHeader>(tableBase()).routeCount);
}

/** Pointer that offsets of the table in use count from; 0 before the first commit. */
// @ts-ignore: decorator
@inline
export function tableBase(): usize {
  return changetype<Control>(CONTROL).routeBase;
}

// @ts-ignore: decorator
@inline
export function matcherAt(base: usize): Matcher {
  return changetype<Matcher>(base + changetype<TableHeader>(base).matcher);
}
