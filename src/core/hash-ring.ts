/**
 * The ring of consistent hashing (kong-config reference, section 12): the same points as Kong's,
 * so that both send the same value to the same address.
 */
import type { Core } from './instance.js';

export interface RingPeer {
  readonly ip: string;
  readonly port: number;
  readonly weight: number;
}

/** Points of a ring that asks for fewer. */
const pointsMin = 1000;
/** Entries of a target with the average weight. */
const entriesPerTarget = 160;
const none = 0xffff;

/**
 * Index of the peer at each point, where a point without an entry has that of the next one below.
 * `peers`: sorted by target, then address; `targetCount`: of the upstream.
 */
export function hashRing(
  core: Core,
  slots: number,
  targetCount: number,
  peers: readonly RingPeer[],
): Uint16Array {
  const points = Math.max(slots, pointsMin);
  const total = peers.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return new Uint16Array();
  const ring = new Uint16Array(points).fill(none);
  peers.forEach(({ ip, port, weight }, index) => {
    if (weight === 0) return;
    let entries = Math.max(1, Math.floor((weight / total) * targetCount * entriesPerTarget));
    for (let entry = 1; entry <= Math.min(entries, points); entry++) {
      const point = hashText(core, `${ip}::${port} ${entry}`) % points;
      if (ring[point] === none) ring[point] = index;
      else entries++;
    }
  });
  fill(ring);
  return ring;
}

/** The hash of a text, as the core takes it of requests. */
export function hashText(core: Core, text: string): number {
  const at = core.exports.regex_scratch();
  const bytes = core.buffer.write(text, at);
  return core.exports.balancer_hash(at, bytes) >>> 0;
}

/** Every point gets the entry that a walk downwards would find. */
function fill(ring: Uint16Array): void {
  let last = ring.findLast((index) => index !== none) ?? none;
  for (let point = 0; point < ring.length; point++) {
    if (ring[point] === none) ring[point] = last;
    else last = ring[point];
  }
}
