/** Header lists: values, pairs, edits. */
import { MapType, Status } from '../abi.js';
import { Moment } from '../context.js';
import type { HeaderMap } from '../header-map.js';
import type { FilterInstance } from '../instance.js';
import { readPairs } from '../pairs.js';
import type { StreamHeaders } from '../stream-headers.js';
import type { HostFunctions } from './imports.js';

const mapCount = 8;

export function headerFunctions(instance: FilterInstance): HostFunctions {
  return { ...readers(instance), ...writers(instance) };
}

function readers(instance: FilterInstance): HostFunctions {
  return {
    proxy_get_header_map_size(map: number, out: number): number {
      if (map >>> 0 >= mapCount) return Status.BAD_ARGUMENT;
      const { memory } = instance;
      if (!memory.holds(out, 4)) return Status.INVALID_MEMORY_ACCESS;
      memory.putU32(out, readable(instance, map)?.serialisedSize ?? 0);
      return Status.OK;
    },

    proxy_get_header_map_pairs(map: number, dataOut: number, sizeOut: number): number {
      if (map >>> 0 >= mapCount) return Status.BAD_ARGUMENT;
      return givePairs(instance, readable(instance, map), dataOut, sizeOut);
    },

    proxy_get_header_map_value(
      map: number,
      key: number,
      keySize: number,
      dataOut: number,
      sizeOut: number,
    ): number {
      if (map >>> 0 >= mapCount) return Status.BAD_ARGUMENT;
      const { memory } = instance;
      if (!memory.holds(key, keySize)) return Status.INVALID_MEMORY_ACCESS;
      if (!memory.holds(dataOut, 4) || !memory.holds(sizeOut, 4)) {
        return Status.INVALID_MEMORY_ACCESS;
      }
      if (map > MapType.RESPONSE_TRAILERS) {
        const list = instance.answer?.map(map);
        const index = list ? list.find(memory.u8, key >>> 0, keySize >>> 0) : -1;
        if (!list || index < 0) return missing(instance, dataOut, sizeOut);
        const size = list.valueLength(index);
        return memory.give(list.valueSource(index), list.valueAt(index), size, dataOut, sizeOut);
      }
      const headers = instance.effective?.stream?.headers[map];
      if (!headers?.look(memory.u8, key >>> 0, keySize >>> 0)) {
        return missing(instance, dataOut, sizeOut);
      }
      const { source, valueAt, valueLength } = headers;
      return memory.give(source, valueAt, valueLength, dataOut, sizeOut);
    },
  };
}

function writers(instance: FilterInstance): HostFunctions {
  return {
    proxy_add_header_map_value(map: number, k: number, kSize: number, v: number, vSize: number) {
      const { memory } = instance;
      if (map >>> 0 >= mapCount) return Status.BAD_ARGUMENT;
      if (!memory.holds(k, kSize) || !memory.holds(v, vSize)) return Status.INVALID_MEMORY_ACCESS;
      const list = writable(instance, map);
      if (typeof list === 'number') return list;
      return list.add(memory.u8, k >>> 0, kSize >>> 0, v >>> 0, vSize >>> 0);
    },

    proxy_replace_header_map_value(
      map: number,
      k: number,
      kSize: number,
      v: number,
      vSize: number,
    ) {
      const { memory } = instance;
      if (map >>> 0 >= mapCount) return Status.BAD_ARGUMENT;
      if (!memory.holds(k, kSize) || !memory.holds(v, vSize)) return Status.INVALID_MEMORY_ACCESS;
      const list = writable(instance, map);
      if (typeof list === 'number') return list;
      return list.replace(memory.u8, k >>> 0, kSize >>> 0, v >>> 0, vSize >>> 0);
    },

    proxy_remove_header_map_value(map: number, key: number, keySize: number): number {
      const { memory } = instance;
      if (map >>> 0 >= mapCount) return Status.BAD_ARGUMENT;
      if (!memory.holds(key, keySize)) return Status.INVALID_MEMORY_ACCESS;
      const list = writable(instance, map);
      return typeof list === 'number' ? list : list.remove(memory.u8, key >>> 0, keySize >>> 0);
    },

    proxy_set_header_map_pairs(map: number, data: number, size: number): number {
      const { memory } = instance;
      if (map >>> 0 >= mapCount) return Status.BAD_ARGUMENT;
      if (!memory.holds(data, size)) return Status.INVALID_MEMORY_ACCESS;
      const pairs = readPairs(memory.range(data, size));
      if (!pairs) return Status.BAD_ARGUMENT;
      const list = writable(instance, map);
      return typeof list === 'number' ? list : list.setPairs(pairs);
    },
  };
}

/** In 0.1.0 a field that is not there is an empty value. */
function missing(instance: FilterInstance, dataOut: number, sizeOut: number): number {
  if (instance.options.module.abi !== '0.1.0') return Status.NOT_FOUND;
  instance.memory.putU32(dataOut, 0);
  instance.memory.putU32(sizeOut, 0);
  return Status.OK;
}

export function givePairs(
  instance: FilterInstance,
  list: HeaderMap | null,
  dataOut: number,
  sizeOut: number,
): number {
  const { memory } = instance;
  if (!memory.holds(dataOut, 4) || !memory.holds(sizeOut, 4)) return Status.INVALID_MEMORY_ACCESS;
  let pointer = 0;
  let size = 0;
  if (list && list.count > 0) {
    size = list.serialisedSize;
    pointer = memory.allocate(size);
    if (pointer === 0) return Status.INTERNAL_FAILURE;
    // The allocator may have called the host: the list is measured again.
    if (!memory.holds(pointer, size)) return Status.INVALID_MEMORY_ACCESS;
    if (list.serialisedSize !== size) return Status.INTERNAL_FAILURE;
    list.serialise(memory.u8, pointer);
  }
  memory.putU32(dataOut, pointer);
  memory.putU32(sizeOut, size);
  return Status.OK;
}

function readable(instance: FilterInstance, map: number): HeaderMap | null {
  if (map > MapType.RESPONSE_TRAILERS) return instance.answer?.map(map) ?? null;
  const { effective } = instance;
  return effective?.stream ? effective.stream.headers[map].get() : null;
}

/**
 * The list, or the status that says why it cannot be written. A list whose message has gone on is
 * not refused, since SDKs panic on that: the change is seen by filters and has no other effect.
 */
function writable(instance: FilterInstance, map: number): StreamHeaders | number {
  if (map > MapType.RESPONSE_TRAILERS) return Status.BAD_ARGUMENT;
  const context = instance.effective;
  if (!context?.stream) return Status.NOT_FOUND;
  return context.moment === Moment.NONE ? Status.BAD_ARGUMENT : context.stream.headers[map];
}
