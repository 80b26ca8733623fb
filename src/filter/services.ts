/** What all filters of a process share, and what the operator sets for one of them. */
import type { Logger } from '../observe/logger.js';
import type { Clock } from '../time.js';
import type { FilterLogLevel } from './abi.js';
import type { PropertyValue } from './adapter.js';
import type { CallClient } from './calls/client.js';
import type { FilterMetrics } from './metrics.js';
import type { HangLedger } from './shared/hang-ledger.js';
import type { SharedValues } from './shared-data.js';
import type { SharedQueueStore } from './shared-queues.js';

/**
 * A function that the embedder offers to filters by name. Bytes returned (now) are its result; a
 * promise answers later through `proxy_on_foreign_function`. A throw is InternalFailure.
 */
export type ForeignFunction = (
  args: Uint8Array,
  caller: { readonly filter: string },
) => Uint8Array | null | Promise<Uint8Array>;

export interface FilterServices {
  readonly clock: Clock;
  /** Place of this worker among all, from 0. */
  readonly workerId: number;
  readonly logger: Logger;
  /** Least level that filters' messages are logged at. */
  readonly logLevel: FilterLogLevel;
  readonly shared: SharedValues;
  readonly queues: SharedQueueStore;
  /** Knows filters that a thread hung in; default none. */
  readonly hangs?: HangLedger | null;
  readonly metrics: FilterMetrics;
  readonly calls: CallClient;
  readonly foreign: ReadonlyMap<string, ForeignFunction>;
  /** Properties of the node, for roots as well; default none. */
  readonly nodeProperty?: (path: string, segments: readonly string[]) => PropertyValue;
  /** Told of every callback and host call, for the workshop. */
  readonly trace?: (event: TraceEvent) => void;
}

export interface TraceEvent {
  readonly kind: 'callback' | 'call';
  readonly name: string;
  readonly values: readonly unknown[];
  /** What it returned; undefined: it trapped. */
  readonly result: unknown;
}

export interface FilterHostOptions {
  /** Which root context of the module is meant; default the empty name, then the filter's name. */
  readonly rootId?: string;
  /** Filters with the same one share data and queues among themselves only; default: all share. */
  readonly vmId?: string;
  /** Bytes for `proxy_on_vm_start`; default none. */
  readonly vmConfig?: string | Uint8Array;
  /** What WASI shows as environment; default nothing, never the process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A filter that traps is left out instead of failing the exchange; default false. */
  readonly failOpen?: boolean;
  /** Properties as text (Kong, the default) or in Envoy's binary forms. */
  readonly properties?: 'text' | 'binary';
  /** Pages of 64 KiB for one instance; default and upper bound limits.filterMemoryPages. */
  readonly memoryPages?: number;
  /** False: the module is not made to stop itself; a loop without end then stops the worker. */
  readonly watchdog?: boolean;
}
