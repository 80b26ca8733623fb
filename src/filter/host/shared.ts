/** Shared data and shared queues. */
import { Status } from '../abi.js';
import type { FilterInstance } from '../instance.js';
import type { HostFunctions } from './imports.js';

export function sharedFunctions(instance: FilterInstance): HostFunctions {
  const scope = (): string => instance.options.host.vmId ?? '';
  return { ...dataFunctions(instance, scope), ...queueFunctions(instance, scope) };
}

function dataFunctions(instance: FilterInstance, scope: () => string): HostFunctions {
  return {
    proxy_get_shared_data(
      key: number,
      keySize: number,
      dataOut: number,
      sizeOut: number,
      casOut: number,
    ): number {
      const { memory } = instance;
      const inside =
        memory.holds(key, keySize) &&
        memory.holds(dataOut, 4) &&
        memory.holds(sizeOut, 4) &&
        memory.holds(casOut, 4);
      if (!inside) return Status.INVALID_MEMORY_ACCESS;
      const { shared } = instance.options.services;
      const known = shared.get(scope(), memory.latin1(key, keySize));
      if (!known) return Status.NOT_FOUND;
      const status = memory.giveAll(known.value, dataOut, sizeOut);
      if (status === Status.OK) memory.putU32(casOut, known.cas);
      return status;
    },

    /** A value at address 0 removes the key. */
    proxy_set_shared_data(
      key: number,
      keySize: number,
      value: number,
      valueSize: number,
      cas: number,
    ): number {
      const { memory } = instance;
      if (!memory.holds(key, keySize) || !memory.holds(value, valueSize)) {
        return Status.INVALID_MEMORY_ACCESS;
      }
      const removes = value === 0 && valueSize === 0;
      const bytes = removes ? null : memory.copy(value, valueSize);
      const { shared } = instance.options.services;
      return shared.set(scope(), memory.latin1(key, keySize), bytes, cas >>> 0);
    },
  };
}

function queueFunctions(instance: FilterInstance, scope: () => string): HostFunctions {
  return {
    proxy_register_shared_queue(name: number, nameSize: number, queueOut: number): number {
      const { memory } = instance;
      if (!memory.holds(name, nameSize) || !memory.holds(queueOut, 4)) {
        return Status.INVALID_MEMORY_ACCESS;
      }
      const root = instance.effective?.root;
      if (!root) return Status.BAD_ARGUMENT;
      root.queueReady ??= (queue) => {
        if (!root.ended) instance.run(() => instance.call(root, 'proxy_on_queue_ready', queue));
      };
      const { queues } = instance.options.services;
      const id = queues.register(scope(), memory.latin1(name, nameSize), root.queueReady);
      if (id === 0) return Status.INTERNAL_FAILURE;
      memory.putU32(queueOut, id);
      return Status.OK;
    },

    proxy_resolve_shared_queue(
      vmId: number,
      vmIdSize: number,
      name: number,
      nameSize: number,
      queueOut: number,
    ): number {
      const { memory } = instance;
      const inside =
        memory.holds(vmId, vmIdSize) && memory.holds(name, nameSize) && memory.holds(queueOut, 4);
      if (!inside) return Status.INVALID_MEMORY_ACCESS;
      const vm = vmIdSize === 0 ? scope() : memory.latin1(vmId, vmIdSize);
      const id = instance.options.services.queues.resolve(vm, memory.latin1(name, nameSize));
      if (id === 0) return Status.NOT_FOUND;
      memory.putU32(queueOut, id);
      return Status.OK;
    },

    proxy_enqueue_shared_queue(queue: number, value: number, valueSize: number): number {
      const { memory } = instance;
      if (!memory.holds(value, valueSize)) return Status.INVALID_MEMORY_ACCESS;
      return instance.options.services.queues.enqueue(queue >>> 0, memory.copy(value, valueSize));
    },

    proxy_dequeue_shared_queue(queue: number, dataOut: number, sizeOut: number): number {
      const { memory } = instance;
      if (!memory.holds(dataOut, 4) || !memory.holds(sizeOut, 4)) {
        return Status.INVALID_MEMORY_ACCESS;
      }
      const value = instance.options.services.queues.dequeue(queue >>> 0);
      if (value === undefined) return Status.NOT_FOUND;
      return value === null ? Status.EMPTY : memory.giveAll(value, dataOut, sizeOut);
    },
  };
}
