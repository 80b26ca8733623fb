/** Properties: paths, and values as text or in Envoy's binary forms. */
import { Status } from '../abi.js';
import type { PropertyValue } from '../adapter.js';
import { HeaderMap } from '../header-map.js';
import type { FilterInstance } from '../instance.js';
import type { HostFunctions } from './imports.js';

export function propertyFunctions(instance: FilterInstance): HostFunctions {
  return {
    proxy_get_property(path: number, pathSize: number, dataOut: number, sizeOut: number): number {
      const { memory } = instance;
      const inside =
        memory.holds(path, pathSize) && memory.holds(dataOut, 4) && memory.holds(sizeOut, 4);
      if (!inside) return Status.INVALID_MEMORY_ACCESS;
      const segments = segmentsOf(memory.utf8(path, pathSize));
      const value = segments.length === 0 ? undefined : propertyOf(instance, segments);
      if (value === undefined) return Status.NOT_FOUND;
      const binary = instance.options.host.properties === 'binary';
      const shown = binary ? withPort(instance, segments, value) : value;
      return memory.giveAll(encode(shown, binary), dataOut, sizeOut);
    },

    proxy_set_property(path: number, pathSize: number, value: number, valueSize: number): number {
      const { memory } = instance;
      if (!memory.holds(path, pathSize) || !memory.holds(value, valueSize)) {
        return Status.INVALID_MEMORY_ACCESS;
      }
      const segments = segmentsOf(memory.utf8(path, pathSize));
      const stream = instance.effective?.stream;
      if (!stream || segments.length === 0 || segments[0] in own) return Status.NOT_FOUND;
      const removes = value === 0 && valueSize === 0;
      const bytes = removes ? null : memory.copy(value, valueSize);
      return stream.setProperty(segments.join('.'), bytes) ? Status.OK : Status.NOT_FOUND;
    },
  };
}

/** What the host itself knows, in roots as well. */
const own: Readonly<Record<string, (instance: FilterInstance) => PropertyValue>> = {
  plugin_name: ({ options }) => options.module.name,
  plugin_root_id: ({ options }) => options.rootId,
  plugin_vm_id: ({ options }) => options.host.vmId ?? '',
  worker_id: ({ options }) => options.services.workerId,
};

function propertyOf(instance: FilterInstance, segments: readonly string[]): PropertyValue {
  const mine = segments.length === 1 && Object.hasOwn(own, segments[0]) ? own[segments[0]] : null;
  if (mine) return mine(instance);
  return instance.effective?.stream?.property(segments.join('.'), segments);
}

/** Envoy's addresses name their port: `192.0.2.1:80`, `[2001:db8::1]:80`. */
function withPort(
  instance: FilterInstance,
  [side, fact]: readonly string[],
  value: Exclude<PropertyValue, undefined>,
): Exclude<PropertyValue, undefined> {
  if (fact !== 'address' || typeof value !== 'string') return value;
  const port = propertyOf(instance, [side, 'port']);
  if (port === undefined) return value;
  return value.includes(':') ? `[${value}]:${port}` : `${value}:${port}`;
}

/** Segments joined by NUL; one segment with dots is taken apart, too. No path: no segments. */
function segmentsOf(path: string): string[] {
  const bare = path.endsWith('\0') ? path.slice(0, -1) : path;
  const segments = bare.split('\0');
  const parts = segments.length === 1 ? segments[0].split('.') : segments;
  return parts.every((part) => part === '') ? [] : parts;
}

function encode(value: Exclude<PropertyValue, undefined>, binary: boolean): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value instanceof HeaderMap) {
    const bytes = new Uint8Array(value.serialisedSize);
    value.serialise(bytes, 0);
    return bytes;
  }
  if (typeof value === 'string' || !binary) return Buffer.from(String(value), 'utf8');
  if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0);
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(Math.trunc(Number(value)))));
  if (typeof value === 'bigint') bytes.writeBigInt64LE(BigInt.asIntN(64, value));
  return bytes;
}
