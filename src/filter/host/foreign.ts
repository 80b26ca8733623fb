/** Functions that the embedder offers by name. */
import { Status } from '../abi.js';
import type { Context } from '../context.js';
import type { FilterInstance } from '../instance.js';
import type { HostFunctions } from './imports.js';

const noBytes = new Uint8Array(0);

export function foreignFunctions(instance: FilterInstance): HostFunctions {
  return {
    proxy_call_foreign_function(
      name: number,
      nameSize: number,
      args: number,
      argsSize: number,
      dataOut: number,
      sizeOut: number,
    ): number {
      const { memory } = instance;
      const inside =
        memory.holds(name, nameSize) &&
        memory.holds(args, argsSize) &&
        memory.holds(dataOut, 4) &&
        memory.holds(sizeOut, 4);
      if (!inside) return Status.INVALID_MEMORY_ACCESS;
      const { services, module } = instance.options;
      const called = services.foreign.get(memory.utf8(name, nameSize));
      if (!called) return Status.NOT_FOUND;
      let result: Uint8Array | null | Promise<Uint8Array>;
      try {
        result = called(memory.copy(args, argsSize), { filter: module.name });
      } catch (error) {
        instance.log.report({ err: error }, 'a foreign function failed');
        return Status.INTERNAL_FAILURE;
      }
      if (result instanceof Promise) {
        answerLater(instance, result);
        result = noBytes;
      }
      return memory.giveAll(result ?? noBytes, dataOut, sizeOut);
    },
  };
}

/** The result comes as buffer 8 of `proxy_on_foreign_function`, on the root context. */
function answerLater(instance: FilterInstance, result: Promise<Uint8Array>): void {
  const context: Context | null = instance.effective;
  const id = instance.nextCall++;
  result.then(
    (bytes) => {
      if (!context || context.ended || context.root.ended) return;
      instance.run(() => {
        instance.foreignArguments = bytes;
        try {
          instance.call(context.root, 'proxy_on_foreign_function', id, bytes.length);
        } finally {
          instance.foreignArguments = null;
        }
      });
    },
    (error: unknown) => instance.log.report({ err: error }, 'a foreign function failed'),
  );
}
