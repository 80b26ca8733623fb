/**
 * Loads a filter module without holding up the event loop: hashing, checking and compiling
 * megabytes takes some tenths of a second, during which a worker would answer nobody. Small
 * modules are loaded at once, since starting a thread costs more.
 */
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import { received, type SentError } from '../workers/messages.js';
import { type FilterModule, loadModule, type ModuleLimits, moduleHash } from './module.js';
import { receivedModule, type SentModule } from './transfer.js';

export interface LoadTask {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly options: ModuleLimits;
  /** Of the module in use; null: none. */
  readonly knownHash: string | null;
}

export type LoadOutcome =
  | { readonly isKnown: true }
  | { readonly module: SentModule }
  | { readonly error: SentError };

/** Threads run what was built, also where this file runs from its source. */
const threadFile = new URL('../../dist/filter/load-thread.js', import.meta.url);

/**
 * Null: the bytes are those of `knownHash`.
 * @throws GatewayError GW_E_FILTER_MODULE with every problem in one message
 */
export async function loadAside(task: LoadTask): Promise<FilterModule | null> {
  const { name, bytes, options, knownHash } = task;
  if (bytes.length < limits.filterInlineBytes.value) {
    return moduleHash(bytes) === knownHash ? null : loadModule(name, bytes, options);
  }
  const outcome = await inThread(task);
  if ('error' in outcome) throw received(outcome.error);
  return 'module' in outcome ? receivedModule(outcome.module) : null;
}

function inThread({ name, bytes, options, knownHash }: LoadTask): Promise<LoadOutcome> {
  const { memoryPages, watchdog } = options;
  const workerData: LoadTask = { name, bytes, options: { memoryPages, watchdog }, knownHash };
  return new Promise((resolve, reject) => {
    const thread = new Worker(threadFile, { workerData, execArgv: [] });
    const fail = (reason: string, cause?: Error) =>
      reject(new GatewayError('GW_E_FILTER_MODULE', `filter '${name}': ${reason}`, { cause }));
    thread.once('message', resolve);
    thread.once('error', (error) => fail(`cannot be checked (${error.message})`, error));
    thread.once('exit', (code) => fail(`cannot be checked (the thread ended with ${code})`));
  });
}
