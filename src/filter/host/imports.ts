/**
 * The imports of a filter. Every function is offered to every module, whatever its ABI version:
 * SDKs link functions of other versions. Parameters come as numbers (BigInt for i64), results are
 * Status numbers; output addresses are checked before anything is done, and written only on OK.
 */
import type { ForeignImports } from '../../core/foreign-module.js';
import type { FilterInstance } from '../instance.js';
import type { TraceEvent } from '../services.js';
import { bufferFunctions } from './buffers.js';
import { callFunctions } from './calls.js';
import { foreignFunctions } from './foreign.js';
import { grpcFunctions } from './grpc.js';
import { headerFunctions } from './headers.js';
import { logFunctions } from './log.js';
import { metricFunctions } from './metrics.js';
import { propertyFunctions } from './properties.js';
import { sharedFunctions } from './shared.js';
import { streamFunctions } from './stream.js';
import { supportFunctions } from './support.js';
import { wasiFunctions } from './wasi.js';

export type HostFunction = (...values: never[]) => unknown;
export type HostFunctions = Record<string, HostFunction>;

/** Makers that touch the instance only when a function is called. */
const makers = [
  logFunctions,
  headerFunctions,
  bufferFunctions,
  streamFunctions,
  callFunctions,
  grpcFunctions,
  sharedFunctions,
  metricFunctions,
  propertyFunctions,
  foreignFunctions,
  supportFunctions,
];

/** The import object of one instance. */
export function hostImports(instance: FilterInstance): ForeignImports {
  const env: HostFunctions = {};
  for (const make of makers) Object.assign(env, make(instance));
  const wasi = wasiFunctions(instance);
  const { services, live } = instance?.options ?? {};
  if (services?.trace && live) {
    for (const functions of [env, wasi]) traceAll(functions, services.trace);
  }
  return { env, wasi_snapshot_preview1: wasi, wasi_unstable: wasi };
}

function traceAll(functions: HostFunctions, trace: (event: TraceEvent) => void): void {
  for (const [name, call] of Object.entries(functions)) {
    functions[name] = (...values: never[]) => {
      const result = call(...values);
      trace({ kind: 'call', name, values, result });
      return result;
    };
  }
}

let names: ReadonlyMap<string, ReadonlySet<string>> | null = null;

/** Names of the functions in a name space, undefined for one that does not exist. */
export function hostFunctionNames(module: string): ReadonlySet<string> | undefined {
  names ??= new Map(
    Object.entries(hostImports(null as unknown as FilterInstance)).map(([space, functions]) => [
      space,
      new Set(Object.keys(functions)),
    ]),
  );
  return names.get(module);
}
