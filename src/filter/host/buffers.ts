/** Bodies, configurations and the bodies of answers to calls. */
import { BufferType, Status } from '../abi.js';
import type { BodyBuffer } from '../body-buffer.js';
import { Moment } from '../context.js';
import type { FilterInstance } from '../instance.js';
import type { HostFunctions } from './imports.js';

const bufferCount = 9;
const noBytes = new Uint8Array(0);

export function bufferFunctions(instance: FilterInstance): HostFunctions {
  return {
    proxy_get_buffer_bytes(
      type: number,
      start: number,
      max: number,
      dataOut: number,
      sizeOut: number,
    ): number {
      if (type >>> 0 >= bufferCount) return Status.BAD_ARGUMENT;
      const from = start >>> 0;
      const most = max >>> 0;
      if (from + most > 0xffffffff) return Status.BAD_ARGUMENT;
      const { memory } = instance;
      if (!memory.holds(dataOut, 4) || !memory.holds(sizeOut, 4)) {
        return Status.INVALID_MEMORY_ACCESS;
      }
      const body = bodyOf(instance, type);
      const bytes = body ? body.bytes : bytesOf(instance, type);
      if (!bytes) return Status.NOT_FOUND;
      const size = Math.max(0, Math.min(most, (body ? body.size : bytes.length) - from));
      return memory.give(bytes, from, size, dataOut, sizeOut);
    },

    proxy_get_buffer_status(type: number, sizeOut: number, flagsOut: number): number {
      if (type >>> 0 >= bufferCount) return Status.BAD_ARGUMENT;
      const { memory } = instance;
      if (!memory.holds(sizeOut, 4) || !memory.holds(flagsOut, 4)) {
        return Status.INVALID_MEMORY_ACCESS;
      }
      const size = bodyOf(instance, type)?.size ?? bytesOf(instance, type)?.length;
      if (size === undefined) return Status.NOT_FOUND;
      memory.putU32(sizeOut, size);
      memory.putU32(flagsOut, 0);
      return Status.OK;
    },

    proxy_set_buffer_bytes(
      type: number,
      start: number,
      size: number,
      value: number,
      valueSize: number,
    ): number {
      if (type >>> 0 >= bufferCount) return Status.BAD_ARGUMENT;
      const { memory } = instance;
      if (!memory.holds(value, valueSize)) return Status.INVALID_MEMORY_ACCESS;
      if (type >= BufferType.CALL_RESPONSE_BODY) return Status.BAD_ARGUMENT;
      const body = bodyOf(instance, type);
      if (!body) return Status.NOT_FOUND;
      body.splice(start >>> 0, size >>> 0, memory.range(value, valueSize));
      return Status.OK;
    },

    proxy_get_configuration(dataOut: number, sizeOut: number): number {
      const { effective, starting, vmConfig, memory } = instance;
      const bytes = starting ? vmConfig : effective?.root.config;
      return memory.giveAll(bytes ?? noBytes, dataOut, sizeOut);
    },
  };
}

/** What is in one of the other buffers. */
function bytesOf(instance: FilterInstance, type: number): Uint8Array | null {
  switch (type) {
    case BufferType.CALL_RESPONSE_BODY:
    case BufferType.GRPC_MESSAGE:
      return instance.answer?.body(type) ?? null;
    case BufferType.VM_CONFIGURATION:
      return instance.vmConfig;
    case BufferType.PLUGIN_CONFIGURATION:
      return instance.effective?.root.config ?? null;
    case BufferType.FOREIGN_ARGUMENTS:
      return instance.foreignArguments;
    default:
      return null;
  }
}

/** The body that the effective context is shown, or stopped at. */
function bodyOf(instance: FilterInstance, type: number): BodyBuffer | null {
  const context = instance.effective;
  if (!context?.station) return null;
  if (type === BufferType.REQUEST_BODY) {
    const { moment } = context;
    const shown = moment === Moment.REQUEST_BODY || moment === Moment.REQUEST_TRAILERS;
    return shown ? context.station.request.buffer : null;
  }
  if (type !== BufferType.RESPONSE_BODY) return null;
  const shown =
    context.moment === Moment.RESPONSE_BODY || context.moment === Moment.RESPONSE_TRAILERS;
  return shown ? context.station.response.buffer : null;
}
