/**
 * Compiles upstreams into a balancer table and hands it to the core. As with route tables the core
 * checks every offset before it takes the table into use.
 */
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { Core } from './instance.js';
import {
  Balancer,
  BalancerError,
  BalancerState,
  BalancerTable,
  BalancerView,
  Control,
  Peer,
  PeerState,
  Region,
} from './layout.js';
import { binary, TableWriter } from './table-writer.js';

export interface PeerInput {
  /** Number of its state, which it keeps over tables. */
  readonly slot: number;
  readonly weight: number;
  readonly port: number;
  /** Host value. */
  readonly host: string;
  /** Characters of it before a port that is left out where it is the protocol's own. */
  readonly nameLength: number;
}

export interface HashSource {
  /** hashInput code. */
  readonly input: number;
  /** Of header (lower case, `_` for `-`), cookie or argument; else empty. */
  readonly name: string;
}

/** What exchanges say about health; counts are in a row, 0: off. */
export interface PassiveChecks {
  readonly goodStatuses: readonly number[];
  readonly badStatuses: readonly number[];
  readonly successes: number;
  readonly httpFailures: number;
  readonly tcpFailures: number;
  readonly timeouts: number;
}

export interface BalancerInput {
  /** Number of its state. */
  readonly slot: number;
  /** balancerAlgorithm code. */
  readonly algorithm: number;
  /** Per cent. */
  readonly threshold: number;
  readonly peers: readonly PeerInput[];
  /** Turns of round-robin or points of the ring: indices of peers. */
  readonly sequence: Uint16Array;
  readonly hashOn: HashSource;
  readonly fallback: HashSource;
  /** What follows the value in Set-Cookie, CRLF included. */
  readonly cookie: string;
  /** Null: nothing counts. */
  readonly checks: PassiveChecks | null;
}

export interface ViewInput {
  /** Index among the balancers. */
  readonly balancer: number;
  /** Interned target of each peer. */
  readonly targets: readonly number[];
  readonly secure: boolean;
}

const MAGIC = 0x48474254;
const millionths = 1e6;

/**
 * `views` by number; null where a number is not in use.
 * @throws GatewayError GW_E_CONFIG_LIMIT where the table is too large
 */
export function encodeBalancers(
  balancers: readonly BalancerInput[],
  views: readonly (ViewInput | null)[],
): Uint8Array {
  const writer = new TableWriter();
  writer.allocate(BalancerTable.size);
  const viewsAt = writer.allocate(views.length * BalancerView.size);
  const balancersAt = writer.allocate(balancers.length * Balancer.size);
  const noStatuses = writer.words(statusBits([]));
  balancers.forEach((balancer, index) => {
    writeBalancer(writer, balancersAt + index * Balancer.size, balancer, noStatuses);
  });
  views.forEach((view, number) => {
    if (!view) return;
    const at = viewsAt + number * BalancerView.size;
    writer.set(at + BalancerView.balancer, view.balancer + 1);
    writer.set(at + BalancerView.targets, writer.words(view.targets));
    writer.set(at + BalancerView.secure, view.secure ? 1 : 0);
  });
  writer.set(BalancerTable.magic, MAGIC);
  writer.set(BalancerTable.viewCount, views.length);
  writer.set(BalancerTable.views, viewsAt);
  writer.set(BalancerTable.balancerCount, balancers.length);
  writer.set(BalancerTable.balancers, balancersAt);
  const size = (writer.size + 3) & ~3;
  writer.set(BalancerTable.bytes, size);
  const limit = limits.balancerTableBytes.value;
  if (size > limit) {
    const message = `the upstreams need ${size} bytes, more than the limit of ${limit}`;
    throw new GatewayError('GW_E_CONFIG_LIMIT', message);
  }
  return writer.finish();
}

/** Puts a table into use between two batches. */
export function installBalancers(core: Core, bytes: Uint8Array): void {
  core.u8.set(bytes, core.exports.balancer_stage());
  const error = core.exports.balancer_commit();
  if (error === 0) return;
  const part = Object.entries(BalancerError).find(([, code]) => code === error)?.[0] ?? error;
  throw new GatewayError('GW_E_STATE', `the core refused the table of upstreams: ${part}`);
}

/** What the core knows of a peer. */
export function readPeer(core: Core, slot: number): { down: boolean; inFlight: number } {
  const at = (Region.peers.offset + slot * PeerState.size) >> 2;
  return {
    down: core.u32[at + PeerState.down / 4] !== 0,
    inFlight: core.u32[at + PeerState.inFlight / 4],
  };
}

/** Makes a peer of the table in use healthy or unhealthy; indices in that table. */
export function setPeerHealth(core: Core, balancer: number, peer: number, healthy: boolean): void {
  core.exports.balancer_set_health(balancer, peer, healthy);
}

/** Takes a probe into account: a healthEvent, and how many in a row change the state; 0: none. */
export function reportProbe(
  core: Core,
  balancer: number,
  peer: number,
  event: number,
  limit: number,
): void {
  core.exports.balancer_report(balancer, peer, event, limit);
}

/** Forgets a peer: its number is another's from here on. */
export function clearPeer(core: Core, slot: number): void {
  const at = Region.peers.offset + slot * PeerState.size;
  core.u8.fill(0, at, at + PeerState.size);
}

/** Forgets the place of an upstream in its turns. */
export function clearBalancer(core: Core, slot: number): void {
  const at = Region.balancerStates.offset + slot * BalancerState.size;
  core.u8.fill(0, at, at + BalancerState.size);
}

/** Counts every time that some peer became healthy or unhealthy. */
export function healthChanges(core: Core): number {
  return core.u32[(Region.control.offset + Control.healthChanges) >> 2];
}

function writeBalancer(
  writer: TableWriter,
  at: number,
  input: BalancerInput,
  noStatuses: number,
): void {
  const { peers, sequence, hashOn, fallback, checks } = input;
  writer.set(at + Balancer.slot, input.slot);
  writer.set(at + Balancer.algorithm, input.algorithm);
  writer.set(at + Balancer.threshold, Math.round(input.threshold * millionths));
  writer.set(at + Balancer.peers, writePeers(writer, peers));
  writer.set(at + Balancer.peerCount, peers.length);
  const turns = new Uint8Array(sequence.buffer, sequence.byteOffset, sequence.byteLength);
  writer.set(at + Balancer.sequence, writer.block(turns));
  writer.set(at + Balancer.sequenceLength, sequence.length);
  writer.set(at + Balancer.hashOn, hashOn.input);
  writeText(writer, at + Balancer.hashName, hashOn.name);
  writer.set(at + Balancer.fallback, fallback.input);
  writeText(writer, at + Balancer.fallbackName, fallback.name);
  writeText(writer, at + Balancer.cookie, input.cookie);
  writer.set(at + Balancer.checks, checks ? 1 : 0);
  const { goodStatuses = [], badStatuses = [] } = checks ?? {};
  const good = checks ? writer.words(statusBits(goodStatuses)) : noStatuses;
  const bad = checks ? writer.words(statusBits(badStatuses)) : noStatuses;
  writer.set(at + Balancer.goodStatuses, good);
  writer.set(at + Balancer.badStatuses, bad);
  writer.set(at + Balancer.successes, checks?.successes ?? 0);
  writer.set(at + Balancer.httpFailures, checks?.httpFailures ?? 0);
  writer.set(at + Balancer.tcpFailures, checks?.tcpFailures ?? 0);
  writer.set(at + Balancer.timeouts, checks?.timeouts ?? 0);
}

function writePeers(writer: TableWriter, peers: readonly PeerInput[]): number {
  const first = writer.allocate(peers.length * Peer.size);
  peers.forEach(({ slot, weight, port, host, nameLength }, index) => {
    const at = first + index * Peer.size;
    writer.set(at + Peer.slot, slot);
    writer.set(at + Peer.weight, weight);
    writer.set(at + Peer.port, port);
    writeText(writer, at + Peer.host, host);
    writer.set(at + Peer.nameLength, nameLength);
  });
  return first;
}

/** Offset and, in the word behind it, length. */
function writeText(writer: TableWriter, at: number, text: string): void {
  const bytes = binary(text);
  writer.set(at, writer.text(bytes));
  writer.set(at + 4, bytes.length);
}

/** A bit for each status. */
function statusBits(statuses: readonly number[]): Uint32Array {
  const bits = new Uint32Array(32);
  for (const status of statuses) bits[status >> 5] |= 1 << (status & 31);
  return bits;
}
