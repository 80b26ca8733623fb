/** Checks and compiles one large module in a thread of its own; see load-aside.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { sendable } from '../workers/messages.js';
import type { LoadOutcome, LoadTask } from './load-aside.js';
import { loadModule, moduleHash } from './module.js';
import { sentModule } from './transfer.js';

function outcomeOf({ name, bytes, options, knownHash }: LoadTask): LoadOutcome {
  try {
    if (moduleHash(bytes) === knownHash) return { isKnown: true };
    return { module: sentModule(loadModule(name, bytes, options)) };
  } catch (error) {
    return { error: sendable(error) };
  }
}

parentPort?.postMessage(outcomeOf(workerData as LoadTask));
