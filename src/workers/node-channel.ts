/**
 * What all threads of a node are to know: one tells, all others are told. Nothing is sent, and no
 * channel is open, where the node is a single thread.
 */
import { BroadcastChannel } from 'node:worker_threads';

/** Only structured-clonable messages; memory that is shared stays shared. */
export interface NodeChannel<Message> {
  /** Tells all other threads. */
  post(message: Message): void;
}

const channels: Channel[] = [];
let hasThreads = false;

/**
 * A channel by a name that all threads know it by.
 * @param receive called for what other threads post
 */
export function nodeChannel<Message>(
  name: string,
  receive: (message: Message) => void,
): NodeChannel<Message> {
  const channel = new Channel(name, (message) => receive(message as Message));
  channels.push(channel);
  if (hasThreads) channel.open();
  return channel;
}

/** This thread is one of several from here on. */
export function joinThreads(): void {
  hasThreads = true;
  for (const channel of channels) channel.open();
}

class Channel implements NodeChannel<unknown> {
  readonly #name: string;
  readonly #receive: (message: unknown) => void;
  #port: BroadcastChannel | null = null;

  constructor(name: string, receive: (message: unknown) => void) {
    this.#name = name;
    this.#receive = receive;
  }

  open(): void {
    if (this.#port) return;
    this.#port = new BroadcastChannel(`headgate ${this.#name}`);
    this.#port.onmessage = (event: unknown) => this.#receive((event as { data: unknown }).data);
    // Nobody's end waits for messages.
    this.#port.unref();
  }

  post(message: unknown): void {
    this.#port?.postMessage(message);
  }
}
