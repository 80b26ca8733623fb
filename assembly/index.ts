/**
 * The export surface of the core, documented like a foreign interface. No logic lives here.
 * Nothing below throws for bad input; a trap is a bug, and the worker is replaced.
 */
import * as layout from './layout';
import { hash32 } from './balance/hash';
import { reportProbe, setHealth } from './balance/health';
import { commitBalancers, stageBalancers } from './balance/table';
import { putRecord } from './log/text';
import { initClasses } from './http/classes';
import { parseRequest, parseResponse } from './http/head';
import { normalizePath } from './http/path';
import { processBatch } from './proxy/batch';
import { chooseRings } from './proxy/log';
import { generationUsers, seedIds } from './proxy/exchange';
import {
  ringBytes,
  ringClose,
  ringCommit,
  ringCount,
  ringDropped,
  ringFirst,
  ringHead,
  ringNext,
  ringOpen,
  ringRelease,
  ringReserve,
} from './queue/ring';
import { SCRATCH_SPACE, searchFor } from './router/captures';
import { matchRoute, putUpstreamTarget } from './router/match';
import { commit, routeAt, stage } from './router/table';

/** Hash of the shared layout; the shell refuses a core whose hash differs from its own. */
export function layout_hash(): u32 {
  return layout.LAYOUT_HASH;
}

/** Prepares tables and seeds request ids. Once, before anything else. Never fails. */
export function init(seedLow: u32, seedHigh: u32): void {
  initClasses();
  seedIds(seedLow, seedHigh);
}

/**
 * Handles `count` event records (limits.eventsPerBatch at most) in the events region at the clock
 * in Control; returns the number of command records in the commands region. Memory that commands
 * point at stays as it is until the next call. Control.eventsTaken says how many events fitted; the
 * caller moves the rest to the front and calls again, once the commands are carried out.
 */
export function process(count: u32): u32 {
  return processBatch(count);
}

/** Pointer to the arena that the next route table is to be written into. */
export function route_stage(): usize {
  return stage();
}

/** Checks the staged table and swaps it in. 0: done; else the number of what is wrong with it. */
export function route_commit(): i32 {
  return commit();
}

/** Pointer to the arena that the next balancer table is to be written into. */
export function balancer_stage(): usize {
  return stageBalancers();
}

/** Checks the staged table and swaps it in. 0: done; else the number of what is wrong with it. */
export function balancer_commit(): i32 {
  return commitBalancers();
}

/**
 * Takes a probe of a peer into account: indices in the table in use, a healthEvent, and how many of
 * those in a row change the peer's state (0: none do). Ignored for a peer that is not there.
 */
export function balancer_report(balancer: u32, peer: u32, event: u32, limit: u32): void {
  reportProbe(balancer, peer, event, limit);
}

/** Makes a peer healthy or unhealthy. Ignored for a peer that is not there. */
export function balancer_set_health(balancer: u32, peer: u32, healthy: bool): void {
  setHealth(balancer, peer, healthy);
}

/** The hash of `length` bytes, as the rings of balancers use it. */
export function balancer_hash(text: usize, length: u32): u32 {
  return hash32(text, length);
}

/** Index of the route for a RouteQuery, or -1. Sets its prefixLength. */
export function route_match(query: usize): i32 {
  return matchRoute(changetype<layout.RouteQuery>(query));
}

/**
 * Writes the upstream target of a RouteQuery that `route_match` found this route for to `out`; the
 * route must have a service. Returns the length.
 */
export function route_target(query: usize, route: u32, out: usize): u32 {
  const end = putUpstreamTarget(out, changetype<layout.RouteQuery>(query), routeAt(route));
  return <u32>(end - out);
}

/** Pointer to where the shell may put a pattern and its text for regex_search. */
export function regex_scratch(): usize {
  return SCRATCH_SPACE;
}

/**
 * Searches `length` bytes of valid text for a compiled pattern, both inside the scratch space.
 * Returns the pointer to two u32 per group, the offsets of start and end (0xffffffff: the group
 * took no part), or 0 where nothing matches or the pattern is none.
 */
export function regex_search(pattern: usize, bytes: u32, text: usize, length: u32): usize {
  return searchFor(pattern, bytes, text, length);
}

/** Exchanges of a generation that have not ended. */
export function generation_users(generation: u32): u32 {
  return generationUsers(generation);
}

/**
 * Sends the log record of exchange `sequence` of a connection to `count` rings instead of those of
 * its route; their ids are the bytes of `low`, then of `high`. Ignored where the exchange is over.
 */
export function log_rings(
  connection: u32,
  sequence: u32,
  count: u32,
  low: u32,
  high: u32,
): void {
  chooseRings(connection, sequence, count, low, high);
}

/**
 * Writes the ring entry at `entry` as JSON text into [out, limit). `entities` and `peer` are what
 * its route and its target add, `client` what plugins said of the client (0: nothing), `routed`
 * says that there is a route, `secure` is the last member of its `request` where the connection has
 * TLS; the four texts begin with their size as u32. Returns the end, or 0: too long for the room,
 * or not a common shape.
 */
export function log_text(
  entry: usize,
  routed: bool,
  entities: usize,
  peer: usize,
  client: usize,
  secure: usize,
  out: usize,
  limit: usize,
): usize {
  return putRecord(entry, routed, entities, peer, client, secure, out, limit);
}

/** See queue/ring.ts for the ring functions. */
export function ring_open(ring: u32, maxEntries: u32, maxBytes: u32): u32 {
  return ringOpen(ring, maxEntries, maxBytes);
}
export function ring_close(ring: u32): void {
  ringClose(ring);
}
export function ring_reserve(ring: u32, size: u32): usize {
  return ringReserve(ring, size);
}
export function ring_commit(ring: u32, size: u32): void {
  ringCommit(ring, size);
}
export function ring_count(ring: u32): u32 {
  return ringCount(ring);
}
export function ring_bytes(ring: u32): u32 {
  return ringBytes(ring);
}
export function ring_dropped(ring: u32): u32 {
  return ringDropped(ring);
}
export function ring_head(ring: u32): u32 {
  return ringHead(ring);
}
export function ring_first(ring: u32): usize {
  return ringFirst(ring);
}
export function ring_next(ring: u32, entry: usize): usize {
  return ringNext(ring, entry);
}
export function ring_release(ring: u32, count: u32): void {
  ringRelease(ring, count);
}

/** Parses a request head in [start, end): a pointer past it, 0 (incomplete) or a status code. */
export function parse_request(start: usize, end: usize): usize {
  return parseRequest(start, end);
}

/** Parses a response head in [start, end): a pointer past it, 0 (incomplete) or 502. */
export function parse_response(start: usize, end: usize): usize {
  return parseResponse(start, end);
}

/** Normalises a path of `length` bytes into `out`; returns the length written or -1. */
export function normalize_path(start: usize, length: usize, out: usize): i32 {
  return normalizePath(start, length, out);
}
