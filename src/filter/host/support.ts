/** What language runtimes import beside the ABI. */
import type { FilterInstance } from '../instance.js';
import type { HostFunctions } from './imports.js';

/** Ends the instance: a runtime's own `abort`. */
export class FilterAbort extends Error {}

export function supportFunctions(instance: FilterInstance): HostFunctions {
  return {
    /** AssemblyScript: message and file are its strings, their size in bytes 4 before them. */
    abort(message: number, file: number, line: number, column: number): never {
      const text = runtimeString(instance, message) ?? 'abort';
      const where = runtimeString(instance, file) ?? 'unknown file';
      throw new FilterAbort(`${text} at ${where}:${line}:${column}`);
    },
    /** Emscripten: views are compared on each use, so there is nothing to do. */
    emscripten_notify_memory_growth(): void {},
    pthread_equal: (a: number, b: number): number => (a === b ? 1 : 0),
  };
}

/** A UTF-16 string of AssemblyScript's runtime, null where the address holds none. */
function runtimeString({ memory }: FilterInstance, pointer: number): string | null {
  const at = pointer >>> 0;
  if (at < 4 || !memory.holds(at - 4, 4)) return null;
  const size = memory.readU32(at - 4);
  if (size > 65536 || !memory.holds(at, size)) return null;
  return Buffer.from(memory.copy(at, size)).toString('utf16le');
}
