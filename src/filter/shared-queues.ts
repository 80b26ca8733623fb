/** First-in first-out queues of bytes that filters share by name. */
import { limits } from '../limits.js';
import { Status } from './abi.js';

export interface SharedQueueStore {
  /**
   * The id of a queue, the same for the same name; 0 where there are too many. `ready` is called
   * later, never inside `enqueue`, once for each value; who registers last is told.
   */
  register(vmId: string, name: string, ready: (queue: number) => void): number;
  /** 0 where nobody has registered that name. */
  resolve(vmId: string, name: string): number;
  /** @returns OK, NOT_FOUND, INTERNAL_FAILURE where it does not fit */
  enqueue(id: number, value: Uint8Array): number;
  /** The oldest value; null: the queue is empty, undefined: there is no such queue. */
  dequeue(id: number): Uint8Array | null | undefined;
  /** Takes back the wake-up of a root context that goes away. */
  forget(ready: (queue: number) => void): void;
  close(): void;
}

interface Queue {
  readonly items: Uint8Array[];
  bytes: number;
  /** Told after an enqueue: who registered last. */
  ready: ((queue: number) => void) | null;
}

/** The queues of one thread. */
export class SharedQueues implements SharedQueueStore {
  readonly #ids = new Map<string, number>();
  /** By id - 1: 0 is never a queue. */
  readonly #queues: Queue[] = [];

  register(vmId: string, name: string, ready: (queue: number) => void): number {
    const key = `${vmId.length}:${vmId}${name}`;
    let id = this.#ids.get(key);
    if (id === undefined) {
      if (this.#queues.length >= limits.filterQueues.value) return 0;
      id = this.#queues.push({ items: [], bytes: 0, ready: null });
      this.#ids.set(key, id);
    }
    this.#queues[id - 1].ready = ready;
    return id;
  }

  resolve(vmId: string, name: string): number {
    return this.#ids.get(`${vmId.length}:${vmId}${name}`) ?? 0;
  }

  enqueue(id: number, value: Uint8Array): number {
    const queue = this.#queues[id - 1];
    if (!queue) return Status.NOT_FOUND;
    if (queue.bytes + value.length > limits.filterQueueBytes.value) return Status.INTERNAL_FAILURE;
    queue.items.push(value);
    queue.bytes += value.length;
    setImmediate(() => queue.ready?.(id));
    return Status.OK;
  }

  dequeue(id: number): Uint8Array | null | undefined {
    const queue = this.#queues[id - 1];
    if (!queue) return undefined;
    const value = queue.items.shift();
    if (value === undefined) return null;
    queue.bytes -= value.length;
    return value;
  }

  forget(ready: (queue: number) => void): void {
    for (const queue of this.#queues) if (queue.ready === ready) queue.ready = null;
  }

  close(): void {
    for (const queue of this.#queues) queue.ready = null;
  }
}
