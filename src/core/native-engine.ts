/**
 * Puts a core into the native engine: which memory, which ranges may leave, who writes the clock.
 * The engine works on the core's memory directly, so it is made here, behind the one door.
 */
import type { NativeAddon, NativeEngine, NativeHost } from '../native/loader.js';
import { type Clock, systemClock } from '../time.js';
import type { Core } from './instance.js';
import { Control, Region } from './layout.js';
import { headRoomBytes, readBytes, sendable } from './port.js';

/** Makes an engine that feeds `core`; it owns the core's events and commands from here on. */
export function createNativeEngine(
  addon: NativeAddon,
  core: Core,
  clock: Clock,
  host: NativeHost,
): NativeEngine {
  const isSystem = clock === systemClock;
  return new addon.Engine({
    memory: core.u8,
    // Read at each call where somebody else's clock counts: it is slower, and only tests have one.
    process: isSystem ? core.exports.process : (count) => processAt(core, clock, count),
    host,
    sendable: sendable.flat(),
    headRoomBytes,
    readBytes,
    clockOffsetMs: isSystem ? clock.now() - Number(process.hrtime.bigint()) / 1e6 : null,
  });
}

function processAt(core: Core, clock: Clock, eventCount: number): number {
  core.f64[(Region.control.offset + Control.nowMs) >> 3] = clock.now();
  core.f64[(Region.control.offset + Control.wallMs) >> 3] = clock.wall();
  return core.exports.process(eventCount);
}
