/** Spans that plugins start themselves: kept with the notes of the request until it is exported. */
import { limits } from '../limits.js';
import { requestNotes } from '../log/notes.js';
import type { PluginSpan } from '../plugin/pdk-types.js';

type Value = string | number | boolean;

export interface SpanEvent {
  readonly name: string;
  /** Epoch milliseconds with fraction. */
  readonly atMs: number;
  readonly attributes: Readonly<Record<string, Value>>;
}

/** One span; times are epoch milliseconds with fraction. */
export interface SpanNote {
  readonly name: string;
  readonly startMs: number;
  readonly attributes: Record<string, Value>;
  readonly events: SpanEvent[];
  /** Null: nobody ended it; it ends with the request. */
  endMs: number | null;
  failed: boolean;
}

/** Under this name among a request's notes; no plugin may be called so. */
const noteName = 'Spans';

export const spansOf = (own: ReadonlyMap<string, unknown> | undefined): readonly SpanNote[] =>
  (own?.get(noteName) as SpanNote[] | undefined) ?? [];

/** Starts a span of a request; without effect above limits.pluginSpans for one request. */
export function startSpan(
  requestId: string,
  name: string,
  attributes: Readonly<Record<string, unknown>> = {},
): PluginSpan {
  const known = spansOf(requestNotes.find(requestId)?.own);
  const note: SpanNote = {
    name: String(name),
    startMs: now(),
    attributes: plain(attributes),
    events: [],
    endMs: null,
    failed: false,
  };
  if (known.length < limits.pluginSpans.value) {
    requestNotes.setOwn(requestId, noteName, [...known, note]);
  }
  return new RecordingSpan(note);
}

class RecordingSpan implements PluginSpan {
  readonly #note: SpanNote;

  constructor(note: SpanNote) {
    this.#note = note;
  }

  setAttribute(name: string, value: unknown): void {
    if (this.#note.endMs === null) Object.assign(this.#note.attributes, plain({ [name]: value }));
  }

  addEvent(name: string, attributes: Readonly<Record<string, unknown>> = {}): void {
    const { events, endMs } = this.#note;
    if (endMs !== null || events.length >= limits.pluginSpans.value) return;
    events.push({ name: String(name), atMs: now(), attributes: plain(attributes) });
  }

  recordError(error: unknown): void {
    this.#note.failed = true;
    const message = error instanceof Error ? error.message : String(error);
    this.addEvent('exception', { 'exception.message': message });
  }

  end(): void {
    this.#note.endMs ??= now();
  }
}

const now = (): number => performance.timeOrigin + performance.now();

/** What exporters take; other values as text. */
function plain(attributes: Readonly<Record<string, unknown>>): Record<string, Value> {
  const kept: Record<string, Value> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
    kept[name] = isPlain ? (value as Value) : String(value);
  }
  return kept;
}
