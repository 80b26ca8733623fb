/** Log, time and ticks. */
import { limits } from '../../limits.js';
import { Status } from '../abi.js';
import type { RootContext } from '../context.js';
import type { FilterInstance } from '../instance.js';
import type { HostFunctions } from './imports.js';

const highestLevel = 5;
const nanosecondsPerMs = 1_000_000n;

export function logFunctions(instance: FilterInstance): HostFunctions {
  return {
    proxy_log(level: number, text: number, size: number): number {
      if (level < 0 || level > highestLevel) return Status.BAD_ARGUMENT;
      const { memory, log } = instance;
      if (!memory.holds(text, size)) return Status.INVALID_MEMORY_ACCESS;
      if (log.wants(level))
        log.write(level, memory.utf8(text, Math.min(size >>> 0, limits.filterLogBytes.value + 4)));
      return Status.OK;
    },

    proxy_get_log_level(out: number): number {
      const { memory, log } = instance;
      if (!memory.holds(out, 4)) return Status.INVALID_MEMORY_ACCESS;
      memory.putU32(out, log.level);
      return Status.OK;
    },

    proxy_get_current_time_nanoseconds(out: number): number {
      const { memory } = instance;
      if (!memory.holds(out, 8)) return Status.INVALID_MEMORY_ACCESS;
      memory.putU64(out, wallNanoseconds(instance));
      return Status.OK;
    },

    proxy_set_tick_period_milliseconds(periodMs: number): number {
      const { effective } = instance;
      if (!effective) return Status.BAD_ARGUMENT;
      setTick(effective.root, periodMs >>> 0);
      return Status.OK;
    },
  };
}

/** Epoch nanoseconds. */
export function wallNanoseconds(instance: FilterInstance): bigint {
  return BigInt(Math.trunc(instance.options.services.clock.wall())) * nanosecondsPerMs;
}

/** The longest that a timer of the runtime can wait. */
const timerMsMax = 0x7fffffff;

/** Replaces the tick of a root context; 0 stops it. A tick that comes late is not made up for. */
export function setTick(root: RootContext, periodMs: number): void {
  const { clock } = root.instance.options.services;
  clock.clearTimeout(root.tickTimer);
  root.tickTimer = null;
  root.tickMs = periodMs;
  if (periodMs === 0 || root.ended || !root.instance.options.live) return;
  root.tickTimer = clock.setTimeout(() => tick(root), Math.min(periodMs, timerMsMax));
}

function tick(root: RootContext): void {
  const { instance } = root;
  if (root.ended || instance.failure) return;
  // Before the callback: it may set another period.
  setTick(root, root.tickMs);
  instance.run(() => instance.call(root, 'proxy_on_tick'));
}
