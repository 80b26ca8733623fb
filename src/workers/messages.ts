/** What the main thread and the thread of a worker tell each other, and errors on the way. */
import type { Snapshot } from '../config/model.js';
import type { Settings } from '../config/settings.js';
import type { BoundListener, ListenSpec } from '../driver/contract.js';
import { type ErrorCode, errorTable, GatewayError } from '../errors.js';
import type { FilterMemory } from '../filter/shared/stores.js';
import type { SentFilter } from '../filter/transfer.js';
import type { Series } from '../observe/metrics.js';
import type { HealthChange } from '../upstream/health.js';
import type { WorkerReport } from './handle.js';

/** `workerData` of a worker's thread. */
export interface ThreadStart {
  /** Place of the worker among all, from 0. */
  readonly index: number;
  readonly settings: Settings;
  /** Directory that paths of plugins start from. */
  readonly from: string;
  /** What the worker publishes its counters to. */
  readonly stats: SharedArrayBuffer;
  /** Int32: the loop's turns, counted. */
  readonly heartbeat: SharedArrayBuffer;
  /** Memory of the counters that all workers share. */
  readonly counters: SharedArrayBuffer;
  /** What filters of all workers share. */
  readonly filterMemory: FilterMemory;
}

/** Calls of the main thread: name to [argument, result]; unknown: nothing of use. */
export interface ThreadCalls {
  listen: [ListenSpec, BoundListener];
  install: [
    { snapshot: Snapshot; series: readonly Series[]; filters: readonly SentFilter[] },
    unknown,
  ];
  stopListening: [undefined, unknown];
  drain: [number, number];
  close: [undefined, unknown];
  reopenLogs: [undefined, unknown];
  setHealth: [HealthChange, boolean];
  report: [undefined, WorkerReport];
}

export type CallName = keyof ThreadCalls;

/** Main thread to worker. */
export interface Call<Name extends CallName = CallName> {
  readonly id: number;
  readonly name: Name;
  readonly argument: ThreadCalls[Name][0];
}

export type LogLevelName = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** Worker to main thread. */
export type ThreadMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: SentError }
  | { readonly type: 'fault'; readonly error: SentError }
  | {
      readonly type: 'log';
      readonly level: LogLevelName;
      readonly fields: Record<string, unknown>;
      readonly message: string | undefined;
    };

/** An error in a form that crosses threads whole. */
export interface SentError {
  readonly code: string | undefined;
  readonly message: string;
  readonly stack: string | undefined;
  readonly details: unknown;
}

export function sendable(error: unknown): SentError {
  if (!(error instanceof Error)) {
    return { code: undefined, message: String(error), stack: undefined, details: undefined };
  }
  const { code, details } = error as { code?: unknown; details?: unknown };
  return {
    code: typeof code === 'string' ? code : undefined,
    message: error.message,
    stack: error.stack,
    details: cloneable(details),
  };
}

/** The error again: a `GatewayError` where it was one. */
export function received({ code, message, stack, details }: SentError): Error {
  const known = code !== undefined && code in errorTable;
  const error = known
    ? new GatewayError(code as ErrorCode, message, { details })
    : Object.assign(new Error(message), code === undefined ? {} : { code });
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** Values that cannot cross threads are left out: they are for people to read. */
function cloneable(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return undefined;
  }
}

/** Fields of a log line without what cannot cross threads; errors keep what a log shows. */
export function sendableFields(fields: object): Record<string, unknown> {
  const sent: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) {
      const { name: type, message, stack } = value;
      sent[name] = { type, code: (value as { code?: unknown }).code, message, stack };
    } else sent[name] = cloneable(value);
  }
  return sent;
}
