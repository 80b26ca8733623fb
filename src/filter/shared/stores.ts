/** What the filters of one worker share: within its thread, or with those of other threads. */
import { SharedData, type SharedValues } from '../shared-data.js';
import { type SharedQueueStore, SharedQueues } from '../shared-queues.js';
import { HangLedger } from './hang-ledger.js';
import { SharedMemory } from './shared-memory.js';
import { ThreadData } from './thread-data.js';
import { storeWords, ThreadQueues } from './thread-queues.js';

/** Handed to every thread of a node. */
export interface FilterMemory {
  readonly memory: SharedArrayBuffer;
  /** Of the filters that run; see HangLedger. */
  readonly running: SharedArrayBuffer;
  /** Name of the channel that threads tell each other of queues by. */
  readonly channel: string;
}

export interface FilterStores {
  readonly shared: SharedValues;
  readonly queues: SharedQueueStore;
  /** Null: there is no other thread that could look. */
  readonly hangs: HangLedger | null;
}

/** `given` null: nobody else shares it. `worker`: place of the thread's worker among all. */
export function openStores(given: FilterMemory | null, worker: number): FilterStores {
  if (given === null) return { shared: new SharedData(), queues: new SharedQueues(), hangs: null };
  const memory = new SharedMemory(given.memory, worker, storeWords);
  const queues = new ThreadQueues(memory, worker, given.channel);
  return { shared: new ThreadData(memory), queues, hangs: new HangLedger(given.running, worker) };
}
