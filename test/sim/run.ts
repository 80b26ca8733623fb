/**
 * One simulated run: so many random exchanges from one seed, and everything that must hold at its
 * end.
 */

import type { CoreBuild } from '../../src/core/instance.js';
import { ErrorCause, Phase } from '../../src/core/layout.js';
import { createSimDriver, type SimDriver, type SimLink } from '../../src/driver/sim.js';
import type { PipeOptions } from '../../src/driver/sim-pipe.js';
import { type Random, World } from '../../src/driver/sim-world.js';
import { createPlane, type GaugeName, type Plane } from '../support/plane.js';
import { Client, type ClientTally } from './client.js';
import { makePlan, mayBeSentTwice, type Plan } from './plan.js';
import { attachShell } from './shell.js';
import { Upstream } from './upstream.js';

export interface RunOptions {
  readonly seed: number;
  readonly exchanges: number;
  readonly build?: CoreBuild;
  /** Every exchange goes through a shell. */
  readonly shell?: boolean;
  /** Called before the first byte; for tracing. */
  readonly hook?: (plane: Plane) => void;
}

export interface RunResult {
  /** Broken rules; empty means the run passed. */
  readonly faults: readonly string[];
  readonly tally: ClientTally;
  readonly virtualMs: number;
}

const gauges: readonly GaugeName[] = [
  'activeDownstream',
  'activeUpstream',
  'idleUpstream',
  'activeExchanges',
  'activeTunnels',
  'slotBytes',
  'timers',
];

function pipe(random: Random): PipeOptions {
  const kind = random.next();
  const fast = { delayMsMax: random.pick([0, 0.1, 2]), pieceBytesMax: 65536 };
  if (kind < 0.4) return { ...fast, cut: 'whole', capacityBytes: 1 << 20 };
  if (kind < 0.9) return { ...fast, cut: 'random', capacityBytes: random.between(1000, 200_000) };
  if (kind < 0.97) {
    // A slow reader behind a small buffer.
    return { cut: 'random', delayMsMax: 5, pieceBytesMax: 3000, capacityBytes: 2000 };
  }
  // One by one while that is short, so that every boundary is a cut.
  return {
    cut: (available) => (available < 1500 ? 1 : 1000),
    delayMsMax: 0.1,
    pieceBytesMax: 65536,
    capacityBytes: 4000,
  };
}

/** Runs to the end of all exchanges, then until every idle connection has timed out. */
export async function run(options: RunOptions): Promise<RunResult> {
  const world = new World(options.seed);
  const { random } = world;
  const faults: string[] = [];
  let running = true;
  const plans = new Map<number, Plan>();
  const tally: ClientTally = { ok: 0, failed: 0, cut: 0, abandoned: 0, finished: 0 };
  const judge = { world, plans, blame: (what: string) => void (running && faults.push(what)) };
  const link = (): SimLink => ({ inbound: pipe(random), outbound: pipe(random) });
  let sim!: SimDriver;
  const plane = createPlane({
    build: options.build,
    clock: world,
    services: [{ target: { host: 'upstream.test', port: 8080 }, readTimeoutMs: 4000 }],
    phases: options.shell ? Phase.ACCESS | Phase.HEADER_FILTER | Phase.ENDED : 0,
    settings: { keepaliveTimeoutMs: 20_000, upstreamKeepaliveIdleMs: 10_000 },
    makeDriver: (driverOptions) => {
      const upstream = (): Upstream | number =>
        random.chance(0.01) ? ErrorCause.REFUSED : new Upstream(judge);
      sim = createSimDriver({ ...driverOptions, clock: world, upstream, link });
      return sim;
    },
  });

  const shell = options.shell ? attachShell(plane, world, plans) : null;
  options.hook?.(plane);

  let made = 0;
  let clients = 0;
  const faulty = random.pick([0, 0.03, 0.15]);
  const arrive = (): void => {
    const count = Math.min(random.between(1, 12), options.exchanges - made);
    const own: Plan[] = [];
    for (let i = 0; i < count; i++) {
      const plan = makePlan(random, ++made, faulty, i === count - 1);
      own.push(plan);
      plans.set(plan.id, plan);
    }
    clients++;
    sim.connectClient(new Client(judge, own, tally));
    if (made < options.exchanges) world.setTimeout(arrive, random.next() * 10);
  };
  arrive();
  const finished = (): boolean =>
    faults.length > 0 ||
    !!plane.fault() ||
    (made === options.exchanges && tally.finished === clients);
  if (!world.runUntil(finished, 3_600_000)) {
    faults.push(`${clients - tally.finished} clients never finished`);
  }
  const fault = plane.fault();
  if (fault)
    faults.push(`${fault.stack} ${JSON.stringify((fault as { details?: unknown }).details)}`);
  if (faults.length === 0) {
    world.runUntil(() => sim.network.openedCount === sim.network.closedCount, 60_000);
    for (const name of gauges) {
      if (plane.gauge(name) !== 0) faults.push(`gauge ${name} ends at ${plane.gauge(name)}`);
    }
    if (shell?.live) faults.push(`the shell still has ${shell.live} exchanges`);
    const open = sim.network.openedCount - sim.network.closedCount;
    if (open !== 0) faults.push(`${open} connections are left open`);
    for (const plan of plans.values()) {
      if (plan.answered > 1) faults.push(`exchange ${plan.id} was answered ${plan.answered} times`);
      if (plan.seen > 1 && !mayBeSentTwice(plan)) faults.push(`exchange ${plan.id} was sent twice`);
    }
  }
  running = false;
  await plane.close();
  return { faults, tally, virtualMs: world.now() };
}
