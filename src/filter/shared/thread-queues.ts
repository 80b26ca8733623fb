/**
 * Shared queues of filters in several threads: lists in shared memory. The thread whose filter
 * registered a queue last is told of each value over a channel of its own.
 *
 *   queue: name block, head, tail, bytes, worker to tell + 1 (words)
 *   value: next, bytes (words), contents          name: bytes (word), contents
 */
import { BroadcastChannel } from 'node:worker_threads';
import { limits } from '../../limits.js';
import { Status } from '../abi.js';
import type { SharedQueueStore } from '../shared-queues.js';
import type { SharedMemory } from './shared-memory.js';
import { dataWords } from './thread-data.js';

const COUNT = dataWords;
const QUEUES = COUNT + 1;
const queueWords = 5;
const NAME = 0;
const HEAD = 1;
const TAIL = 2;
const BYTES = 3;
const TELLS = 4;
const valueHeadBytes = 8;
const nameHeadBytes = 4;

/** Words of both stores at the start of the memory. */
export const storeWords = QUEUES + limits.filterQueues.value * queueWords;

export class ThreadQueues implements SharedQueueStore {
  readonly #memory: SharedMemory;
  readonly #worker: number;
  readonly #channel: BroadcastChannel;
  readonly #ready = new Map<number, (queue: number) => void>();

  /** `worker`: place of this thread's worker; `channel`: a name that the node's threads share. */
  constructor(memory: SharedMemory, worker: number, channel: string) {
    this.#memory = memory;
    this.#worker = worker;
    this.#channel = new BroadcastChannel(channel);
    this.#channel.onmessage = (event) => {
      const { data } = event as { data: { worker: number; queue: number } };
      if (data.worker === worker) this.#tell(data.queue);
    };
    // A channel alone keeps no thread alive.
    (this.#channel as unknown as { unref(): void }).unref();
  }

  register(vmId: string, name: string, ready: (queue: number) => void): number {
    const id = this.#memory.locked(() => {
      const { words } = this.#memory;
      const known = this.#find(vmId, name) || this.#add(place(vmId, name));
      if (known !== 0) words[at(known) + TELLS] = this.#worker + 1;
      return known;
    });
    if (id !== 0) this.#ready.set(id, ready);
    return id;
  }

  resolve(vmId: string, name: string): number {
    return this.#memory.locked(() => this.#find(vmId, name));
  }

  enqueue(id: number, value: Uint8Array): number {
    let tells = 0;
    const status = this.#memory.locked(() => {
      const { words, bytes } = this.#memory;
      if (id < 1 || id > words[COUNT]) return Status.NOT_FOUND;
      const queue = at(id);
      const size = words[queue + BYTES] + value.length;
      if (size > limits.filterQueueBytes.value) return Status.INTERNAL_FAILURE;
      const block = this.#memory.allocate(valueHeadBytes + value.length);
      if (block === 0) return Status.INTERNAL_FAILURE;
      words[block >> 2] = 0;
      words[(block >> 2) + 1] = value.length;
      bytes.set(value, block + valueHeadBytes);
      words[words[queue + TAIL] === 0 ? queue + HEAD : words[queue + TAIL] >> 2] = block;
      words[queue + TAIL] = block;
      words[queue + BYTES] = size;
      tells = words[queue + TELLS];
      return Status.OK;
    });
    if (tells === this.#worker + 1) setImmediate(() => this.#tell(id));
    else if (tells !== 0) this.#channel.postMessage({ worker: tells - 1, queue: id });
    return status;
  }

  dequeue(id: number): Uint8Array | null | undefined {
    return this.#memory.locked(() => {
      const { words, bytes } = this.#memory;
      if (id < 1 || id > words[COUNT]) return undefined;
      const queue = at(id);
      const block = words[queue + HEAD];
      if (block === 0) return null;
      const size = words[(block >> 2) + 1];
      const value = bytes.slice(block + valueHeadBytes, block + valueHeadBytes + size);
      words[queue + HEAD] = words[block >> 2];
      if (words[queue + HEAD] === 0) words[queue + TAIL] = 0;
      words[queue + BYTES] -= size;
      this.#memory.free(block);
      return value;
    });
  }

  forget(ready: (queue: number) => void): void {
    for (const [id, known] of this.#ready) {
      if (known !== ready) continue;
      this.#ready.delete(id);
      const tells = at(id) + TELLS;
      Atomics.compareExchange(this.#memory.words, tells, this.#worker + 1, 0);
    }
  }

  close(): void {
    this.#channel.close();
  }

  #tell(id: number): void {
    this.#ready.get(id)?.(id);
  }

  #find(vmId: string, name: string): number {
    const { words, bytes } = this.#memory;
    const wanted = place(vmId, name);
    for (let id = 1; id <= words[COUNT]; id++) {
      const block = words[at(id) + NAME];
      if (words[block >> 2] !== wanted.length) continue;
      const from = block + nameHeadBytes;
      if (wanted.every((octet, i) => bytes[from + i] === octet)) return id;
    }
    return 0;
  }

  #add(name: Uint8Array): number {
    const { words, bytes } = this.#memory;
    const id = words[COUNT] + 1;
    if (id > limits.filterQueues.value) return 0;
    const block = this.#memory.allocate(nameHeadBytes + name.length);
    if (block === 0) return 0;
    words[block >> 2] = name.length;
    bytes.set(name, block + nameHeadBytes);
    words[at(id) + NAME] = block;
    words[COUNT] = id;
    return id;
  }
}

const at = (id: number): number => QUEUES + (id - 1) * queueWords;

const place = (vmId: string, name: string): Uint8Array =>
  Buffer.from(`${vmId.length}:${vmId}${name}`);
