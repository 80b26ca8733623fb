/**
 * The part of tracing that runs while a request waits: read its context, choose ids, write headers
 * for the upstream. Spans are made later, from the log record and the note that is left here.
 */
import { requestNotes } from '../log/notes.js';
import type { AccessContext, HeaderFilterContext } from '../plugin/context-types.js';
import type { TraceContext } from './context.js';
import { extract, type HeaderSource } from './extract.js';
import { type InjectedSpan, inject } from './inject.js';
import type { Propagation } from './propagation.js';
import type { TraceNote } from './record.js';

/** Ids and headers of one request. */
export interface Decision {
  readonly note: TraceNote;
  readonly injected: InjectedSpan;
}

type Request = Pick<AccessContext, 'request' | 'service' | 'log'>;

/** Extracts, lets the plugin decide, clears, injects, and leaves the note for the plugin's sink. */
export function propagate(
  ctx: Request,
  plugin: string,
  propagation: Propagation,
  decide: (context: TraceContext) => Decision,
): void {
  const { request } = ctx;
  const source: HeaderSource = {
    header: (name) => request.header(name),
    headers: () => request.headers(),
    warn: (message) => ctx.log.warn(message),
  };
  const { context, format } = extract(source, propagation.extract);
  const { note, injected } = decide(context);
  requestNotes.setOwn(request.id, plugin, note);
  const writer = ctx.service.request;
  for (const name of propagation.clear) writer.removeHeader(name);
  for (const wanted of propagation.inject) {
    const found = format === 'b3' && context.single ? 'b3-single' : format;
    const chosen = wanted === 'preserve' ? (found ?? propagation.defaultFormat) : wanted;
    const { headers, shownAs, shownId } = inject(injected, chosen);
    for (const [name, value] of headers) writer.setHeader(name, value);
    requestNotes.setValue(request.id, `trace_id.${shownAs}`, shownId);
  }
}

/** Tells the client the trace id, where the config names a header for it. */
export function showTraceId(
  ctx: Pick<HeaderFilterContext, 'request' | 'response'>,
  plugin: string,
  header: string | null | undefined,
): void {
  if (!header) return;
  const note = requestNotes.find(ctx.request.id)?.own.get(plugin) as TraceNote | undefined;
  if (note) ctx.response.addHeader(header, note.traceId);
}
