/**
 * Real time for the simulator: its network then works beside plugins that wait for timers and
 * promises. What it lets take a few virtual milliseconds happens in the next turn of the loop.
 */
import { World } from '../driver/sim-world.js';
import { systemClock } from '../time.js';

const soonMs = 5;

interface Waiting {
  readonly clear: () => void;
}

export class LiveWorld extends World {
  override now(): number {
    return systemClock.now();
  }

  override wall(): number {
    return systemClock.wall();
  }

  override setTimeout(fn: () => void, ms: number): Waiting {
    if (ms < soonMs) {
      const soon = setImmediate(fn);
      return { clear: () => clearImmediate(soon) };
    }
    const timer = setTimeout(fn, ms);
    // A test that is over does not wait for a connection to linger.
    timer.unref();
    return { clear: () => clearTimeout(timer) };
  }

  override clearTimeout(id: unknown): void {
    (id as Waiting | undefined)?.clear();
  }
}
