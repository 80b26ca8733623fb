/**
 * From a target's host to the addresses to try, one after the other. Numeric hosts cost nothing;
 * names are looked up as node does (hosts file and resolver of the machine) and remembered for
 * limits.resolvedNameMs, so that a burst of connections asks once.
 */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { limits } from '../limits.js';
import type { Clock } from '../time.js';

interface Known {
  readonly addresses: readonly string[];
  readonly untilMs: number;
}

type Answer = (addresses: readonly string[]) => void;

export class NameResolver {
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  /** Look-ups under way, and who waits for them. */
  readonly #asked = new Map<string, Answer[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `answer` at once where the addresses are known, else later; empty: no such name. */
  resolve(host: string, answer: Answer): void {
    const bare = host.startsWith('[') ? host.slice(1, -1) : host;
    if (isIP(bare) !== 0) return answer([bare]);
    const known = this.#known.get(host);
    if (known && this.#clock.now() < known.untilMs) return answer(known.addresses);
    const waiting = this.#asked.get(host);
    if (waiting) {
      waiting.push(answer);
      return;
    }
    this.#asked.set(host, [answer]);
    lookup(host, { all: true }, (error, found) => {
      this.#give(host, error ? [] : found.map(({ address }) => address));
    });
  }

  #give(host: string, addresses: readonly string[]): void {
    const untilMs = this.#clock.now() + limits.resolvedNameMs.value;
    if (this.#known.size >= limits.resolvedNames.value) this.#known.clear();
    if (addresses.length > 0) this.#known.set(host, { addresses, untilMs });
    const waiting = this.#asked.get(host) ?? [];
    this.#asked.delete(host);
    for (const answer of waiting) answer(addresses);
  }
}
