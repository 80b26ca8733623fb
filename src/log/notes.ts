/**
 * What plugins say about a request for its log record: values to put into it, who the client is,
 * what a tracing plugin decided. The core's record holds bytes only; notes wait here, by request
 * id, until a consumer makes the record. Ids are random, so one store serves the whole event loop.
 */
import type { Consumer } from '../config/model.js';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { LogEntry } from '../plugin/log-types.js';
import { splitPath, type ValueMode, valueModes, withValue } from './record-value.js';

export interface NotedClient {
  readonly consumer: Consumer | null;
  readonly credential: { readonly id: string | null } | null;
}

export interface RequestNotes extends NotedClient {
  /** In the order in which plugins gave them; values are copies. */
  readonly values: readonly NotedValue[];
  /** By plugin name: for the log sink of the same plugin. */
  readonly own: ReadonlyMap<string, unknown>;
}

interface NotedValue {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly mode: ValueMode;
}

interface OpenNotes extends RequestNotes {
  readonly values: NotedValue[];
  readonly own: Map<string, unknown>;
  consumer: Consumer | null;
  credential: { readonly id: string | null } | null;
  bytes: number;
}

export class NoteStore {
  /** Notes of the newest requests, and of those before them. */
  #young = new Map<string, OpenNotes>();
  #old = new Map<string, OpenNotes>();
  #bytes = 0;

  /** Requests that have notes. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  find(requestId: string): RequestNotes | undefined {
    return this.#young.get(requestId) ?? this.#old.get(requestId);
  }

  /**
   * Kong's `set_serialize_value`: a value at a dotted path of the record (`\.` is a dot in a name).
   * Null deletes. What is set is copied.
   * @throws GatewayError GW_E_PLUGIN_FAILED for a mode that is none, a value that is no JSON, or
   *   above limits.noteBytes for one request
   */
  setValue(requestId: string, path: string, value: unknown, mode: ValueMode = 'set'): void {
    if (typeof path !== 'string' || path === '') throw invalid('the key must be a string');
    if (!valueModes.includes(mode)) throw invalid(`mode must be one of: ${valueModes.join(', ')}`);
    const { text, copy } = copyOf(value);
    const notes = this.#open(requestId);
    if (notes.bytes + path.length + text.length > limits.noteBytes.value) {
      throw invalid(`more than ${limits.noteBytes.value} bytes for one request`);
    }
    notes.bytes += path.length + text.length;
    this.#bytes += path.length + text.length;
    notes.values.push({ path: splitPath(path), value: copy, mode });
  }

  /** Who the client is: the record's `consumer` and `authenticated_entity`. */
  setClient(
    requestId: string,
    consumer: Consumer | null,
    credential: { readonly id: string | null } | null,
  ): void {
    const notes = this.#open(requestId);
    notes.consumer = consumer;
    notes.credential = credential;
  }

  /** Something for the log sink of the plugin itself. */
  setOwn(requestId: string, plugin: string, note: unknown): void {
    this.#open(requestId).own.set(plugin, note);
  }

  #open(requestId: string): OpenNotes {
    let notes = this.#young.get(requestId) ?? this.#old.get(requestId);
    if (!notes) {
      this.#makeRoom();
      notes = { values: [], own: new Map(), consumer: null, credential: null, bytes: 0 };
      this.#young.set(requestId, notes);
    }
    return notes;
  }

  /** The older half goes at once: nobody knows which records are still to be made. */
  #makeRoom(): void {
    const full = this.#young.size >= limits.notedRequests.value / 2;
    if (!full && this.#bytes < limits.notesBytes.value / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#bytes = 0;
  }
}

/** The notes of this event loop. */
export const requestNotes = new NoteStore();

/**
 * The record with what was noted for it; `onFault` hears of values whose place is taken by
 * something that is no object.
 */
export function withNotes(
  entry: LogEntry,
  notes: RequestNotes | undefined,
  onFault: (error: Error) => void,
): LogEntry {
  if (!notes) return entry;
  let changed: LogEntry = entry;
  if (notes.consumer || notes.credential) changed = { ...entry, ...clientMembers(notes) };
  for (const { path, value, mode } of notes.values) {
    try {
      changed = withValue(changed, path, value, mode);
    } catch (error) {
      onFault(error as Error);
    }
  }
  return changed;
}

/** The members of a record that say who the client is. */
export function clientMembers({ consumer, credential }: NotedClient): Partial<LogEntry> {
  return {
    ...(credential && {
      authenticated_entity: {
        id: credential.id ?? undefined,
        ...(consumer && { consumer_id: consumer.id }),
      },
    }),
    ...(consumer && { consumer }),
  };
}

function copyOf(value: unknown): { text: string; copy: unknown } {
  if (value === null || value === undefined) return { text: '', copy: null };
  const kind = typeof value;
  if (kind === 'boolean' || (kind === 'number' && Number.isFinite(value))) {
    return { text: '', copy: value };
  }
  if (kind === 'string') return { text: value as string, copy: value };
  let text: string | undefined;
  try {
    if (kind === 'object') text = JSON.stringify(value);
  } catch {
    // Cyclic: told below, like functions and symbols.
  }
  if (text === undefined) {
    throw invalid(
      'value must be null, a number, string, boolean or a non-recursive object of them',
    );
  }
  return { text, copy: JSON.parse(text) };
}

const invalid = (message: string): GatewayError =>
  new GatewayError('GW_E_PLUGIN_FAILED', `setSerializeValue: ${message}`);
