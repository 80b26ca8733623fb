/**
 * Active health checks: asks the addresses of upstreams again and again, and tells the core what
 * came of it. One worker of a node does it; the others hear of changes (health-watch.ts).
 */
import type { Upstream } from '../config/model.js';
import { readPeer, reportProbe } from '../core/balancer-table.js';
import type { Core } from '../core/instance.js';
import { HealthEvent } from '../core/layout.js';
import { limits } from '../limits.js';
import type { Clock } from '../time.js';
import type { ActiveUpstream, Balancers } from './balancers.js';
import { checksActively } from './health.js';
import { eachPeer } from './health-watch.js';
import { type Probe, type ProbeOutcome, sendProbe } from './probe.js';

interface Course {
  /** When the last probe of an address began. */
  lastMs: number;
  running: boolean;
}

export interface ProberOptions {
  readonly core: Core;
  readonly clock: Clock;
  readonly balancers: Balancers;
  /** Authorities that https probes trust, in PEM; empty: node's. */
  readonly trusted: readonly string[];
}

const secondMs = 1000;

export class HealthProber {
  readonly #options: ProberOptions;
  /** By number of the peer's state. */
  readonly #courses = new Map<number, Course>();
  readonly #closed = new AbortController();
  #timer: unknown = null;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** The upstreams have changed: begins to probe, or leaves it. */
  settle(): void {
    const { clock, balancers } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#timer = null;
    const slots = new Set<number>();
    for (const one of balancers.active.values()) {
      if (isProbed(one.upstream)) for (const { slot } of one.peers) slots.add(slot);
    }
    for (const slot of this.#courses.keys()) if (!slots.has(slot)) this.#courses.delete(slot);
    if (slots.size > 0 && !this.#closed.signal.aborted) this.#tick();
  }

  /** Breaks off what runs. */
  close(): void {
    this.#closed.abort();
    this.#options.clock.clearTimeout(this.#timer);
  }

  #tick(): void {
    const { clock, balancers } = this.#options;
    for (const one of balancers.active.values()) if (isProbed(one.upstream)) this.#visit(one);
    this.#timer = clock.setTimeout(() => this.#tick(), limits.probeTickMs.value);
    (this.#timer as { unref?: () => void }).unref?.();
  }

  #visit(one: ActiveUpstream): void {
    const { core, clock } = this.#options;
    const { active } = one.upstream.healthchecks;
    const now = clock.now();
    let free = active.concurrency;
    for (const { slot } of one.peers) if (this.#courses.get(slot)?.running) free--;
    eachPeer(one, ({ slot, weight }, index) => {
      if (free <= 0 || weight === 0) return;
      const { interval } = readPeer(core, slot).down ? active.unhealthy : active.healthy;
      const course = this.#courses.get(slot) ?? {
        lastMs: Number.NEGATIVE_INFINITY,
        running: false,
      };
      if (interval === 0 || course.running || now - course.lastMs < interval * secondMs) return;
      this.#courses.set(slot, course);
      free--;
      void this.#probe(one, index, course);
    });
  }

  async #probe(one: ActiveUpstream, index: number, course: Course): Promise<void> {
    const { clock, trusted } = this.#options;
    const { upstream, peers } = one;
    const { ip, port, name, slot } = peers[index];
    const probe: Probe = { upstream, ip, port, name, trusted, signal: this.#closed.signal };
    course.lastMs = clock.now();
    course.running = true;
    const outcome = await sendProbe(probe);
    course.running = false;
    if (!this.#closed.signal.aborted) this.#report(upstream, slot, outcome);
  }

  /** The table may be another by now. */
  #report(upstream: Upstream, slot: number, outcome: ProbeOutcome): void {
    const { core, balancers } = this.#options;
    const now = balancers.active.get(upstream.id);
    const index = now?.peers.findIndex((peer) => peer.slot === slot) ?? -1;
    if (!now || index < 0) return;
    const { healthy, unhealthy } = now.upstream.healthchecks.active;
    const say = (event: number, limit: number) => reportProbe(core, now.index, index, event, limit);
    if (outcome === 'timeout') say(HealthEvent.TIMEOUT, unhealthy.timeouts);
    else if (outcome === 'failed') say(HealthEvent.TCP_FAILURE, unhealthy.tcp_failures);
    else if (outcome === 'connected' || healthy.http_statuses.includes(outcome)) {
      say(HealthEvent.SUCCESS, healthy.successes);
    } else if (unhealthy.http_statuses.includes(outcome)) {
      say(HealthEvent.HTTP_FAILURE, unhealthy.http_failures);
    }
  }
}

/** As in Kong probes of type tcp are for streams, not for HTTP. */
const isProbed = ({ healthchecks }: Upstream): boolean =>
  checksActively(healthchecks) && healthchecks.active.type !== 'tcp';
