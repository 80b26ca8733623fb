/** Properties: paths, and values as text or in Envoy's binary forms. */
import { MapType, Status } from '../abi.js';
import type { PropertyValue } from '../adapter.js';
import { HeaderMap } from '../header-map.js';
import type { FilterInstance } from '../instance.js';
import type { FilterStream } from '../stream.js';
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
  // What a filter sets is found by its path, and in Envoy's filter state as well.
  const isState = segments[0] === 'filter_state' && segments[1] === 'wasm';
  const given = isState ? segments.slice(2) : segments;
  const path = given.join('.');
  const { effective, options } = instance;
  const listed = listProperty(effective?.stream ?? null, given);
  const value = listed === undefined ? effective?.stream?.property(path, given) : listed;
  return value ?? options.services.nodeProperty?.(path, given);
}

/** Lists of fields and what stands in them, as filters see them now. */
function listProperty(
  stream: FilterStream | null,
  [side, list, ...rest]: readonly string[],
): PropertyValue {
  if (side !== 'request' && side !== 'response') return undefined;
  const find = (map: number, name: string) => stream?.headers[map].get()?.text(name) ?? undefined;
  if (side === 'response' && list === 'grpc_status' && rest.length === 0) {
    const name = 'grpc-status';
    const text = find(MapType.RESPONSE_TRAILERS, name) ?? find(MapType.RESPONSE_HEADERS, name);
    return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  }
  if (list !== 'headers' && list !== 'trailers') return undefined;
  const map = maps[side][list];
  if (rest.length > 0) {
    const text = find(map, rest.join('.').toLowerCase());
    return text === undefined ? undefined : Buffer.from(text, 'latin1');
  }
  return stream?.headers[map].get() ?? undefined;
}

const maps = {
  request: { headers: MapType.REQUEST_HEADERS, trailers: MapType.REQUEST_TRAILERS },
  response: { headers: MapType.RESPONSE_HEADERS, trailers: MapType.RESPONSE_TRAILERS },
} as const;

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
  if (typeof value === 'bigint' && !binary) return Buffer.from(secondsOf(value));
  if (typeof value === 'string' || !binary) return Buffer.from(String(value), 'utf8');
  if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0);
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(Math.trunc(Number(value)))));
  if (typeof value === 'bigint') bytes.writeBigInt64LE(BigInt.asIntN(64, value));
  return bytes;
}

/** Moments and spans as nginx writes them: seconds with three digits behind the point. */
const secondsOf = (nanoseconds: bigint): string => {
  const ms = nanoseconds / 1_000_000n;
  return `${ms / 1000n}.${String(ms % 1000n).padStart(3, '0')}`;
};
